"""Validate one file of the segments, as the publisher does: python -m bench.validate_segments FILE."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from contract.segments import SegmentsRules, validate

CHUNK_BYTES = 1 << 20
RULES = SegmentsRules(
    max_plain_bytes=1 << 30, max_users=20_000_000, max_shrink_percent=20, previous=None, allow=frozenset()
)


def main(file: Path) -> None:
    summary = validate(_chunks(file), RULES, gzipped=file.suffix == ".gz")
    print(json.dumps({"users": summary.users, "plain_bytes": summary.plain_bytes}))


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while chunk := content.read(CHUNK_BYTES):
            yield chunk


if __name__ == "__main__":
    main(Path(sys.argv[1]))
