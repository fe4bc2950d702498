"""Carries the clicks of mobile apps from the Tokyo stream to Oregon."""
