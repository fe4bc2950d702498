"""Where clicks come in: the streams, and what mobile apps and web servers may do."""
