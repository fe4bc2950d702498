"""Ctrl-C ends a command with exit code 130 and without a traceback, also while it still imports.

  python -m interruption MODULE ARGUMENTS

runs a module whose package imports too much to guard itself.
"""

import os
import runpy
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 128 + signal.SIGINT
"""As a shell says it; typer ends with the same."""


@contextmanager
def quiet_interruption() -> Iterator[None]:
    """Around the imports of a command, and the command.

    When it is interrupted, its contexts are left as always, but what runs at exit is not: jsii would complain
    there that its own process, which Ctrl-C ends too, is gone.
    """
    try:
        yield
    except KeyboardInterrupt:
        _end()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _end()
        raise


def _end() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    del sys.argv[0]
    with quiet_interruption():
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
