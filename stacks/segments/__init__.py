"""The segments: their bucket, and the door through which versions come into it."""
