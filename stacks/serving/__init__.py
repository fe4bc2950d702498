"""What reads the counts: the batch server's role."""
