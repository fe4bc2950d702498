"""What the mobile client costs a stream that takes little, and what a full disk makes it put twice.

The stream is an HTTP server in this process. The full disk is a file system in memory: needs root on Linux,
and says so where it cannot be had.

python -m bench.mobile_client
"""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mobile_client import ClickQueue, MobileClient, Status, mobile_stream
from tests.mobile_client.aws_stub import AwsStub, Put, running

SECONDS = 30.0
CLICKS_FOR_LITTLE = 1000
CLICKS_ON_FULL_DISK = 200
DISK_SIZE = "256k"


def takes_little() -> tuple[AwsStub, Status]:
    """1,000 clicks wait; of each call the stream takes the first record only."""

    def first_only(_call: int, records: Put) -> set[int]:
        return set(range(1, len(records)))

    stub = AwsStub(on_put=first_only)
    with running(stub):
        return stub, _run(stub, ClickQueue(None), CLICKS_FOR_LITTLE, threading.Event())


def full_disk(folder: Path) -> tuple[AwsStub, Status]:
    """The disk fills up while the first call is under way; the stream takes everything."""
    full = threading.Event()

    def wait_for_full_disk(_call: int, _records: Put) -> set[int]:
        full.wait()
        return set()

    stub = AwsStub(on_put=wait_for_full_disk)
    with running(stub):
        return stub, _run(stub, ClickQueue(folder / "clicks"), CLICKS_ON_FULL_DISK, full, folder / "ballast")


def _run(
    stub: AwsStub, queue: ClickQueue, clicks: int, ready: threading.Event, ballast: Path | None = None
) -> Status:
    stream = mobile_stream(
        "mobile",
        identity_pool_id="pool",
        logins=lambda: {"login.example.jp": "id-token"},
        region="ap-northeast-1",
        endpoint_url=stub.endpoint,
    )
    client = MobileClient(stream, queue, flush_seconds=1.0)
    for number in range(clicks):
        client.click(f"user-{number}", "article-1")
    if ballast:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"x" * 4096):
                pass
    ready.set()
    time.sleep(SECONDS)  # the measured time
    status = client.status()
    client.close(deadline_seconds=0)
    return status


@contextmanager
def _small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE}", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def main() -> None:
    console = Console()
    table = Table(title=f"The mobile client, {SECONDS:g} s each")
    for column in ("the stream", "calls", "records put", "clicks taken", "put per click", "status.sent"):
        table.add_column(column, justify="left" if column == "the stream" else "right")

    def add(what: str, stub: AwsStub, status: Status) -> None:
        put, taken = sum(map(len, stub.puts)), len(set(stub.taken))
        table.add_row(
            what, f"{len(stub.puts)}", f"{put:,}", f"{taken:,}", f"{put / taken:.2f}", f"{status.sent:,}"
        )

    add("takes one record of each call", *takes_little())
    try:
        with _small_disk() as folder:
            add("takes all, but the disk is full", *full_disk(folder))
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        console.print(f"no full disk: {error}")
    console.print(table)


if __name__ == "__main__":
    main()
