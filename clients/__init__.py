"""Who stands at the two ends: what sends clicks, and what asks which articles are trending."""
