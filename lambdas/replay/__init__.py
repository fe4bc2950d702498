"""Starts and ends replays of the raw backup."""
