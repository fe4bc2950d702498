"""Runs a coroutine in time that passes at once: a pause of an hour takes none, and takes exactly an hour."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from unittest import mock

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Instead of waiting, moves the time on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            assert timeout is not None, "nothing is left that could happen"
            self.now += max(timeout, 0)
        return found


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._passing = _Selector()
        super().__init__(self._passing)

    def time(self) -> float:
        return self._passing.now


def run_at_once(main: Coroutine[Any, Any, T], *, seconds_of: Callable[..., float] = lambda *_: 0.0) -> T:
    """What `main` returns. seconds_of: how long what runs in the background takes, by its arguments."""

    async def run(function: Callable[..., T], *arguments: Any) -> T:
        await asyncio.sleep(seconds_of(*arguments))
        return function(*arguments)

    with mock.patch("clients.board.background.run", run), asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)


def clock() -> float:
    """Of the running loop, in seconds."""
    return asyncio.get_running_loop().time()
