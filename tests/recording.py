"""A plugin of pytest for recorded runs (twin/permission_calls.py): tells emulators which test runs.

PERMISSION_CALLS=FILE python -m pytest -p tests.recording tests/end_to_end
"""

import os
from pathlib import Path

import pytest

from twin.permission_calls import CALLS_FILE, TEST_FILE


def pytest_configure() -> None:
    os.environ[TEST_FILE] = f"{os.environ[CALLS_FILE]}.{os.getpid()}.test"


def pytest_runtest_logstart(nodeid: str) -> None:
    Path(os.environ[TEST_FILE]).write_text(nodeid, encoding="utf-8")


def pytest_unconfigure(config: pytest.Config) -> None:
    del config
    Path(os.environ[TEST_FILE]).unlink(missing_ok=True)
