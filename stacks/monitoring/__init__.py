"""Alarms and dashboards: how a limit that is reached or a part that is silent makes itself heard."""
