"""The part of Lambda's context object that our functions use."""

from typing import Protocol


class Invocation(Protocol):
    """One invocation of a function."""

    def get_remaining_time_in_millis(self) -> int: ...
