"""Puts the definitions of each index family into the search domain."""
