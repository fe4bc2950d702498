"""Fetches what a replay reads."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lambdas.replay.click_range import SUFFIX
from lambdas.replay.objects import Stored
from operations.operator import OperatorError

AT_ONCE = 8
"""Objects fetched at the same time."""
DAMAGED = ". Nothing was counted: restore it, or replay the hours before and after it"
CHUNK_BYTES = 1024 * 1024


def fetch(
    s3: Any, bucket: str, objects: list[Stored], folder: Path, corrections: Mapping[str, str] | None = None
) -> None:
    """Each into a file: raw objects numbered, versions under their names. Raises OperatorError.

    corrections: by key, the key of what is read in its place.

    Each raw object is read to its end: Java takes what follows a member of gzip and is none as the end.
    """

    def one(numbered: tuple[int, Stored]) -> None:
        number, stored = numbered
        name = Path(stored.key).name
        file = folder / (f"{number:08}{SUFFIX}" if name.endswith(SUFFIX) else name)
        key = (corrections or {}).get(stored.key, stored.key)
        try:
            s3.download_file(bucket, key, str(file))
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                raise
            raise OperatorError(
                f"s3://{bucket}/{key} is gone since it was listed: it expired or was deleted. Nothing "
                "was counted: give the command again, or a later begin"
            ) from error
        if name.endswith(SUFFIX):
            with _readable(bucket, stored, DAMAGED), gzip.open(file) as content:
                while content.read(CHUNK_BYTES):
                    pass

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(one, enumerate(objects)))
    except OSError as error:
        raise OperatorError(
            f"what the replay reads cannot be written below {folder}: {error}. Make room, or set TMPDIR"
        ) from error


def lines_of(s3: Any, bucket: str, stored: Stored) -> Iterator[bytes]:
    """Raises OperatorError if the object cannot be read."""
    with (
        _readable(bucket, stored),
        gzip.open(s3.get_object(Bucket=bucket, Key=stored.key)["Body"]) as content,
    ):
        yield from content


@contextmanager
def _readable(bucket: str, stored: Stored, advice: str = "") -> Iterator[None]:
    """Raises OperatorError with the object's name for damaged content."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise OperatorError(f"s3://{bucket}/{stored.key} cannot be read: {error}{advice}") from error
