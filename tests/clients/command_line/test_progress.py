"""The bar of a long question: on a terminal's standard error, and nowhere else."""

import io
import os
import sys
from contextlib import suppress
from unittest import mock

import pytest

from clients.command_line.output import progress_told
from tests.clients.command_line.conftest import run


def test_a_terminal_shows_how_many_parts_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", terminal)
        with progress_told("asking in parts") as told:
            told(3, 17)
    shown = b""
    with suppress(OSError), os.fdopen(ours, "rb", buffering=0) as read:  # Linux's end of a closed terminal
        while chunk := read.read(100_000):
            shown += chunk
    assert b"asking in parts" in shown
    assert b"3/17" in shown
    assert shown.rstrip().endswith(b"\x1b[2K")  # the bar is gone: only the answer stays


def test_a_pipe_and_a_closed_error_stream_see_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    for stream in (io.StringIO(), None):
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", stream)
            with progress_told("asking in parts") as told:
                told(3, 17)
        assert stream is None or stream.getvalue() == ""


def test_top_of_many_segments_tells_its_parts_while_it_asks(reader: mock.Mock) -> None:
    code, _, told = run("top", "--last", "1d", "--all-segments", "--csv")
    assert code == 0
    reader.top_of_segments.call_args.kwargs["told"](1, 2)
    assert "parts" not in told
