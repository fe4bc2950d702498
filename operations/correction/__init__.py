"""Counting days again into a new generation, and switching readers to it at once."""
