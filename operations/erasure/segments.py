"""Has the newest version of the segments succeeded by one without a reader, through incoming/."""

import csv
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from contract.segments import GONE_VALUES, SHRINK
from contract.segments_receipt import ALLOW, SUCCEEDS, read_time, reasons_name
from names import INCOMING_SEGMENTS_PREFIX, REFUSED_SEGMENTS_PREFIX, SEGMENTS_PREFIX
from operations.erasure.reader import ErasedReader
from operations.operator import OperatorError
from operations.segments.versions import WITHOUT_A_READER

ALLOWED = f"{SHRINK},{GONE_VALUES}"
"""Said to the publisher: a version may lack one reader, and with him the last of a value."""
ATTEMPTS = 5
"""At a version, each after somebody else published one."""
WAIT_SECONDS = 900.0
"""For the publisher, which runs every minute and lets each version be read before the next."""
POLL_SECONDS = 5.0
_KEY_COLUMN = "user_id"


@dataclass(frozen=True, kw_only=True)
class Segments:
    """s3: client with the command's permissions. Its methods raise botocore's errors."""

    s3: Any
    bucket: str
    sleep: Callable[[float], None] = time.sleep
    wait_seconds: float = WAIT_SECONDS

    def newest(self) -> str | None:
        """The key of the version that holds last, in force or soon; None if there is none."""
        return max(filter(_valid_from, self._keys(SEGMENTS_PREFIX)), default=None)

    def holds(self, key: str, reader: ErasedReader) -> bool:
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]
        return any(goes for _, goes in _rows(body, reader))

    def succeed(self, reader: ErasedReader, run: str) -> str | None:
        """The key of the version without the reader; None if the newest has no such reader.

        The publisher takes a version only while the one that it was made from is the newest: what another
        erasure or a publisher of segments did meanwhile is not undone, and the next attempt begins with it.

        Raises OperatorError if other uploads do not end, or the publisher refuses this one.
        """
        published = None
        for attempt in range(1, ATTEMPTS + 1):
            self._wait(INCOMING_SEGMENTS_PREFIX, "uploads of segments still wait for the publisher")
            newest = self.newest()
            if newest is None or not self.holds(newest, reader):
                return published and newest
            name = f"{WITHOUT_A_READER}{run}-{attempt}.csv"
            upload = f"{INCOMING_SEGMENTS_PREFIX}{name}"
            try:
                self._upload_without(reader, newest, upload)
            except OSError as error:
                raise OperatorError(
                    f"the segments without the reader need their room in {tempfile.gettempdir()}:"
                    f" {error.strerror}. Make room, or set TMPDIR, and give the command again"
                ) from error
            self._wait(upload, f"the publisher has not taken {upload}")
            if not any(self._keys(f"{REFUSED_SEGMENTS_PREFIX}{reasons_name(name)}")):
                published = upload
            elif self.newest() == newest:
                raise OperatorError(
                    "the publisher refused the segments without the reader: see "
                    f"{REFUSED_SEGMENTS_PREFIX}{reasons_name(name)} in the bucket of the segments"
                )
        raise OperatorError(
            "the newest version of the segments still holds the reader, as somebody else published one "
            f"in each of {ATTEMPTS} attempts: stop what sends segments, and give the command again"
        )

    def _upload_without(self, reader: ErasedReader, newest: str, upload: str) -> None:
        """Raises OperatorError if nobody would be left, and OSError where the disk is full."""
        with tempfile.TemporaryFile() as file:
            body = self.s3.get_object(Bucket=self.bucket, Key=newest)["Body"]
            if _write_others(body, reader, file) == 0:
                raise OperatorError(
                    f"{newest} holds nobody but this reader, and a version must hold somebody: publish one "
                    "that does"
                )
            file.seek(0)
            metadata = {ALLOW: ALLOWED, SUCCEEDS: _valid_from(newest)}
            self.s3.upload_fileobj(file, self.bucket, upload, ExtraArgs={"Metadata": metadata})

    def _wait(self, prefix: str, what: str) -> None:
        """Until nothing is below the prefix. Raises OperatorError."""
        waited = 0.0
        while any(not key.endswith("/") for key in self._keys(prefix)):
            if waited >= self.wait_seconds:
                raise OperatorError(
                    f"{what} after {self.wait_seconds / 60:.0f} minutes: see the runbook, then give the "
                    "command again"
                )
            self.sleep(POLL_SECONDS)
            waited += POLL_SECONDS

    def _keys(self, prefix: str) -> Iterator[str]:
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield found["Key"]


def _valid_from(key: str) -> str | None:
    """As the key of a version names it; None if it is the key of none, which the application ignores too."""
    text = key.removeprefix(SEGMENTS_PREFIX).removesuffix(".csv")
    try:
        read_time(text)
    except ValueError:
        return None
    return text


def _rows(body: Any, reader: ErasedReader) -> Iterator[tuple[str, bool]]:
    """(line with its end, whether it is the reader's) of a valid version: no field holds a line break."""
    column: int | None = None
    for line in io.TextIOWrapper(io.BufferedReader(body), encoding="utf-8", newline=""):
        if column is None:
            header = next(csv.reader([line.removeprefix("\ufeff").rstrip("\r\n")]), [])
            column = header.index(_KEY_COLUMN) if header else None
            yield line, False
        elif reader.user_id in line or '"' in line:
            fields = next(csv.reader([line.rstrip("\r\n")]), [])
            yield line, len(fields) > column and fields[column] == reader.user_id
        else:
            yield line, False


def _write_others(body: Any, reader: ErasedReader, file: BinaryIO) -> int:
    """All other lines as they are; how many rows that are not blank."""
    rows = -1  # the header is none
    for line, goes in _rows(body, reader):
        if not goes:
            file.write(line.encode())
            rows += bool(line.strip("\r\n"))
    return rows
