"""What the mobile client puts into a stream that takes little, and what it puts twice on a full disk.

The stream is an HTTP server in this process. The full disk is a file system in memory, which needs root on
Linux and is left out elsewhere.
"""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.report import Benchmark, Block, Figures, Table
from bench.scale import Scale
from clients.mobile_app import ClickQueue, MobileClient, mobile_stream
from tests.clients.mobile_app.aws_stub import AwsStub, Put, clicks_in, running

CLICKS_FOR_LITTLE = 10_000
CLICKS_ON_FULL_DISK = 200
DISK_SIZE = "256k"
LITTLE, FULL_DISK = "takes one record of each call", "takes all, but the disk is full"


def measure(scale: Scale) -> dict[str, Any]:
    seconds = scale.mobile_client_seconds
    if not seconds:
        return {"seconds": 0, "runs": [], "no_disk": None}
    runs, no_disk = [_takes_little(seconds)], None
    try:
        with _small_disk() as folder:
            runs.append(_full_disk(folder, seconds))
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        no_disk = str(error)
    return {"seconds": seconds, "runs": runs, "no_disk": no_disk}


def _takes_little(seconds: float) -> dict[str, Any]:
    """10,000 clicks wait; the stream takes only the first record of each call."""

    def first_only(_call: int, records: Put) -> set[int]:
        return set(range(1, len(records)))

    stub = AwsStub(on_put=first_only)
    with running(stub):
        return _run(
            LITTLE,
            stub,
            ClickQueue(None),
            clicks=CLICKS_FOR_LITTLE,
            seconds=seconds,
            ready=threading.Event(),
        )


def _full_disk(folder: Path, seconds: float) -> dict[str, Any]:
    """The disk fills up during the first call; the stream takes everything."""
    full = threading.Event()

    def wait_for_full_disk(_call: int, _records: Put) -> set[int]:
        full.wait()
        return set()

    stub = AwsStub(on_put=wait_for_full_disk)
    with running(stub):
        queue = ClickQueue(folder / "clicks")
        return _run(
            FULL_DISK,
            stub,
            queue,
            clicks=CLICKS_ON_FULL_DISK,
            seconds=seconds,
            ready=full,
            ballast=folder / "ballast",
        )


def _run(
    stream_does: str,
    stub: AwsStub,
    queue: ClickQueue,
    *,
    clicks: int,
    seconds: float,
    ready: threading.Event,
    ballast: Path | None = None,
) -> dict[str, Any]:
    stream = mobile_stream(
        "mobile",
        identity_pool_id="pool",
        logins=lambda: {"login.example.jp": "id-token"},
        region="ap-northeast-1",
        endpoint_url=stub.endpoint,
    )
    client = MobileClient(stream, queue, flush_seconds=1.0)
    try:
        for number in range(clicks):
            client.click(f"user-{number}", "article-1")
        if ballast:
            with ballast.open("wb", buffering=0) as file, suppress(OSError):
                while file.write(b"x" * 4096):
                    pass
        ready.set()
        time.sleep(seconds)  # the measured time
        sent = client.status().sent
    finally:
        ready.set()
        client.close(deadline_seconds=0)
    return {
        "stream": stream_does,
        "clicks": clicks,
        "calls": len(stub.puts),
        "put": sum(map(clicks_in, stub.puts)),
        "taken": len(set(stub.taken)),
        "sent": sent,
    }


@contextmanager
def _small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE}", "tmpfs", folder],
            check=True,
            stderr=subprocess.PIPE,
        )
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def report(figures: Figures) -> Sequence[Block]:
    if not figures["runs"]:
        return ("Not part of a quick run.",)
    blocks: list[Block] = [
        f"The reference client runs for {figures['seconds']} s; all clicks wait at the start. A call that "
        "was accepted only in part is followed by a smaller one ([why](../start/mobile_apps.md)). So a "
        "stream that takes little does not get the same clicks again and again, and a full disk adds no "
        "duplicates.",
        Table(
            head=(
                "the stream",
                "clicks",
                "calls",
                "clicks put",
                "clicks taken",
                "put a click",
                "known as sent",
            ),
            rows=tuple(
                (
                    run["stream"],
                    *(f"{run[key]:,}" for key in ("clicks", "calls", "put", "taken")),
                    f"{run['put'] / run['taken']:.2f}" if run["taken"] else "",
                    f"{run['sent']:,}",
                )
                for run in figures["runs"]
            ),
        ),
    ]
    if figures["no_disk"]:
        blocks.append(f"There was no full disk to test with: {figures['no_disk']}.")
    return blocks


SECTION = Benchmark(name="mobile_client", title="The mobile client", measure=measure, report=report)
