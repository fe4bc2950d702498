"""Validates files of the segments and publishes them as versions."""
