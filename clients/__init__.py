"""Who stands at the two ends: what sends clicks, and what asks which articles are trending."""

__version__ = "0.1.0"
"""Of click-trends: what `make wheel` builds."""
