"""Replays of the raw backup."""
