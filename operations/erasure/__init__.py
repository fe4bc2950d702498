"""Removing a reader."""
