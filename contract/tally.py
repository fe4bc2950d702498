"""Tallies of erased clicks: how many left an object of raw/ or rejected/, for reconciliation.

They hold no id. `click-trends erase` writes them below `erased/` in the raw bucket, as NDJSON, before it
rewrites an object; reconciliation adds those in effect to what it reads of the object.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ErasedTally:
    """What one rewriting took out of one object, of one minute.

    object: its key, which begins with raw/ or rejected/; etag: the object's before; becomes: the one after;
    minute: the start of the minute of `clicked_at`, as counts write it; None if it has none that can be read;
    received: clicks and unread rests taken out of a raw object; rejected: rejects taken out of a rejected
    one; repeated: of these, those in lines that may be repetitions, as they stand in another object too. So
    what is not repeated of a line adds up to what the object with the most of it holds.
    """

    object: str
    etag: str
    becomes: str
    minute: str | None
    received: int
    rejected: int
    repeated: int = 0

    def line(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"


def tallies(content: bytes) -> Iterator[ErasedTally]:
    """Of an object below erased/. Raises ValueError, KeyError or TypeError for what is none."""
    for line in content.splitlines():
        found: dict[str, Any] = json.loads(line)
        yield ErasedTally(
            object=str(found["object"]),
            etag=str(found["etag"]),
            becomes=str(found["becomes"]),
            minute=None if found["minute"] is None else str(found["minute"]),
            received=int(found["received"]),
            rejected=int(found["rejected"]),
            repeated=int(found["repeated"]),
        )


def in_effect(found: Iterable[ErasedTally], etags: Mapping[str, str]) -> list[ErasedTally]:
    """Those of rewritings that took place. etags: of each object that exists, by its key.

    A tally is written first, so a crash, or another erasure that was faster, leaves some of rewritings that
    never happened: no chain of `etag` and `becomes` leads from them to the object as it is.
    """
    by_result: dict[tuple[str, str], dict[tuple[str, str | None], ErasedTally]] = {}
    for tally in found:
        by_result.setdefault((tally.object, tally.becomes), {})[tally.etag, tally.minute] = tally
    effective: list[ErasedTally] = []
    for key, etag in etags.items():
        at: str | None = etag
        seen = set()
        while at is not None and at not in seen:
            seen.add(at)
            step = list(by_result.get((key, at), {}).values())
            effective += step
            at = step[0].etag if step else None
    return effective
