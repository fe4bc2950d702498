"""What an environment costs a month, from its templates and its declared traffic: docs/cost.md."""

from cost.estimate import Estimate, estimate
from cost.line import Line
from cost.range import Range

__all__ = ["Estimate", "Line", "Range", "estimate"]
