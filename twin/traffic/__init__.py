"""Clicks for the local twin: simulated readers or recorded clicks, sent as the real producers send them."""
