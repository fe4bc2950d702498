"""What people run around a deployment: the review of a change, its cost, what it needs, and CI."""
