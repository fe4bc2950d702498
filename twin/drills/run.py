"""What a drill needs of the run in which it happens."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from twin.screen import Picture
from twin.traffic.record import Record
from twin.twin import Twin


@dataclass(frozen=True, kw_only=True)
class DrilledRun:
    """send: put records beside the run's traffic, and have them in its sum. hold_traffic: no click is sent
    within the block. picture: one made after the call."""

    twin: Twin
    send: Callable[[Sequence[Record]], None]
    hold_traffic: Callable[[], AbstractContextManager[None]]
    picture: Callable[[], Picture]
