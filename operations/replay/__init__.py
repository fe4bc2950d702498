"""Counting a range again from the raw backup."""
