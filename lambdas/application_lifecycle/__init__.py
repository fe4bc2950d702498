"""Starts the analytics application after a deployment, and stops it with a snapshot before its deletion."""
