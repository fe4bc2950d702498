"""Puts a bounded run's counts into an environment's counts delivery stream, to restore counts that OpenSearch
lost.

  python -m twin.traffic.put_counts --counts OUT/click_counts --environment NAME

A count only grows and the largest wins, so it may be repeated, and run beside the application. It keeps to
the declared peak of counts, for which every hop has room beside the running counts.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

from analytics_sql.click_files import numbered_records, shown
from contract.count import COUNT_COLUMNS
from contract.limits import PUT_RECORD_BATCH
from contract.sink import CLICK_COUNTS
from settings import SettingsError, load

ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.2

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class NoCountsError(Exception):
    """There are no counts to put; the message says where."""


class NotTakenError(Exception):
    """Firehose kept refusing counts; the message says how many were put before."""


def put_counts(client: Any, delivery_stream: str, counts: Path, *, per_second: float) -> int:
    """Put every line of the files below `counts`. Returns how many. Raises NotTakenError."""
    put, began = 0, time.monotonic()
    for batch in _batches(_lines(counts)):
        _put(client, delivery_stream, batch, put)
        put += len(batch)
        time.sleep(max(0.0, began + put / per_second - time.monotonic()))
    return put


def _put(client: Any, delivery_stream: str, batch: list[bytes], put_before: int) -> None:
    left = batch
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        left = _refused(client, delivery_stream, left)
        if not left:
            return
    raise NotTakenError(
        f"{delivery_stream} refused {len(left):,} counts {ATTEMPTS} times; {put_before:,} were put before. "
        "Look at its ThrottledRecords, then run this again: repeated counts do no harm."
    )


def _refused(client: Any, delivery_stream: str, lines: list[bytes]) -> list[bytes]:
    answer = client.put_record_batch(
        DeliveryStreamName=delivery_stream, Records=[{"Data": line} for line in lines]
    )
    return [
        line
        for line, response in zip(lines, answer["RequestResponses"], strict=True)
        if response.get("ErrorCode")
    ]


def _lines(counts: Path) -> Iterator[bytes]:
    for _, _, line in _numbered_lines(counts):
        yield line + b"\n"


def _numbered_lines(counts: Path) -> Iterator[tuple[Path, int, bytes]]:
    """Skips names that begin with a dot or an underscore: files that a run did not complete."""
    for path in sorted(counts.rglob("*")):
        if path.is_file() and not any(part[0] in "._" for part in path.relative_to(counts).parts):
            yield from ((path, number, line) for number, line in numbered_records(path))


def check_counts(counts: Path) -> None:
    """Raises NoCountsError if there is no count, or a line that is not one."""
    lines = 0
    for path, number, line in _numbered_lines(counts):
        lines += 1
        if not _is_count(line):
            raise NoCountsError(
                f"{shown(path)}, line {number} is not a count, so nothing was put: give the folder "
                f"{CLICK_COUNTS.table} of a bounded run"
            )
    if not lines:
        raise NoCountsError(f"{shown(counts)} holds no counts: give the folder {CLICK_COUNTS.table} of a run")


def _is_count(line: bytes) -> bool:
    try:
        count = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(count, dict) and count.keys() == {*COUNT_COLUMNS} and isinstance(count["clicks"], int)


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    limits = PUT_RECORD_BATCH
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == limits.records or size + len(line) > limits.request_bytes):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch


@app.command()
def main(
    counts: Annotated[Path, typer.Option(exists=True, file_okay=False, help="`click_counts` of a run.")],
    environment: Annotated[str, typer.Option(help="of environments/<NAME>.toml")],
) -> None:
    """Put the counts of a bounded run into the counts delivery stream of an environment."""
    try:
        check_counts(counts)
        settings = load(environment)
        stream = settings.names.delivery_stream(CLICK_COUNTS.name)
        client = boto3.client("firehose", region_name=settings.regions.oregon)
        put = put_counts(client, stream, counts, per_second=settings.peak.counts_per_second)
    except (SettingsError, NoCountsError, NotTakenError, BotoCoreError, ClientError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{put:,} counts put into {stream}")


if __name__ == "__main__":
    app()
