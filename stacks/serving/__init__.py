"""What reads the counts: the batch server's role, and the feedback of rankings to the service."""
