"""Ctrl-C at moments when the twin cannot take it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ASK_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not keep the twin from ending its processes, which takes seconds."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _ASK_TO_END}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def asked_to_end_afterwards() -> Iterator[None]:
    """Delays Ctrl-C to the end of this block: the processes and folders of a half-made twin could not be
    cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda signalled, _frame: asked.append(signalled))
        for number in _ASK_TO_END
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        signal.raise_signal(asked[0])
