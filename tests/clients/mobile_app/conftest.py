"""A client of a stub, and a disk of its own that a test can fill."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from clients.mobile_app import ClickQueue, MobileClient, mobile_stream
from tests.clients.mobile_app.aws_stub import AwsStub, running

LOGINS = {"login.example.jp": "id-token"}
Start = Callable[..., MobileClient]


class SmallDisk:
    """A file system of 512 KiB in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave not one free block."""
        with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            while ballast.write(b"x" * 4096):
                pass
        assert os.statvfs(self.path).f_bavail == 0

    def make_room(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    path = tmp_path / "disk"
    path.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(path)],
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        pytest.skip(f"needs a file system that it can fill: {error}")
    if mounted.returncode:
        pytest.skip(f"needs root, to mount a file system that it can fill: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a client of a stub; both end with the test."""
    with ExitStack() as ends:

        def started(
            stub: AwsStub,
            queue: ClickQueue | None = None,
            logins: Callable[[], dict[str, str]] = lambda: LOGINS,
            **settings: Any,
        ) -> MobileClient:
            if not stub.endpoint:
                ends.enter_context(running(stub))
            stream = mobile_stream(
                "mobile",
                identity_pool_id="pool",
                logins=logins,
                region="ap-northeast-1",
                endpoint_url=stub.endpoint,
            )
            client = MobileClient(stream, queue or ClickQueue(None), **{"flush_seconds": 0.02, **settings})
            ends.callback(client.close, deadline_seconds=0)
            return client

        yield started
