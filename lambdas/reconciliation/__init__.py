"""Compares what was received with what was counted, rejected and set aside, by the minute of the click."""
