"""Fixtures of the drills' tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from twin.reader_environment import THIS_TWIN


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder of a twin, where commands look for one."""
    monkeypatch.delenv(THIS_TWIN, raising=False)
    with tempfile.TemporaryDirectory() as temporary:
        monkeypatch.setattr(tempfile, "tempdir", temporary)
        made = Path(temporary) / "click-trends-twin-1"
        made.mkdir()
        yield made
