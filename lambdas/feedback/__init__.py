"""Writes each segment's most clicked articles from Oregon into the table that web servers read."""
