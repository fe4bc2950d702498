"""The analytics application: its SQL and what runs it."""
