"""Clicks for the local twin: simulated readers or recorded clicks, sent as real producers send them."""
