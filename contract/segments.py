"""What a version of the segments may hold: what the application's reader accepts, and rules of the publisher.

The reader is connectors/.../reference/VersionReader.java; whatever this module accepts, the reader loads.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract.count import SEGMENT_COLUMNS
from contract.gunzip import NotGzipError, gunzip
from contract.segment_rows import Reason, Refusal, Rows

MAX_REASONS = 100
"""Of a refused file, in the order of its lines; the others are counted."""
SHRINK, NEW_VALUES, GONE_VALUES = "shrink", "new-values", "gone-values"
ALLOWANCES = frozenset({SHRINK, NEW_VALUES, GONE_VALUES})
"""What a publisher may allow a version to do to the one before."""

_BLOCK_BYTES = 1 << 20
_NAMED_VALUES = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}(?<!\.csv)\.csv(\.gz)?")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A valid file. users: its rows; plain_bytes and sha256: of the unpacked file; values: those of each
    segment column, sorted."""

    users: int
    plain_bytes: int
    sha256: str
    values: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, Any]:
        return {
            "users": self.users,
            "plain_bytes": self.plain_bytes,
            "sha256": self.sha256,
            "values": {column: list(values) for column, values in self.values.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Summary":
        """Raises KeyError, TypeError or ValueError if `document` is none of to_json()."""
        return cls(
            users=int(document["users"]),
            plain_bytes=int(document["plain_bytes"]),
            sha256=str(document["sha256"]),
            values={str(column): tuple(map(str, values)) for column, values in document["values"].items()},
        )


@dataclass(frozen=True, kw_only=True)
class SegmentsRules:
    """max_plain_bytes: of the unpacked file; max_users: rows; max_shrink_percent: users that a version may
    lack of the one before; previous: that version, None for the first; allow: of ALLOWANCES."""

    max_plain_bytes: int
    max_users: int
    max_shrink_percent: int
    previous: Summary | None
    allow: frozenset[str]


class RefusedSegments(Exception):  # noqa: N818
    """The file is refused. reasons: the first MAX_REASONS; number: of all that were found."""

    def __init__(self, reasons: Iterable[Reason], number: int) -> None:
        self.reasons = tuple(reasons)
        self.number = number
        super().__init__(str(self.reasons[0]))


def problem_of_name(name: str) -> Reason | None:
    """What is wrong with the name of an upload, without its prefix; None if nothing is."""
    if _NAME.fullmatch(name):
        return None
    return Reason(
        None,
        "the file's name must be at most 200 letters, digits, dots, underscores and hyphens, begin with"
        " a letter or a digit, and end in .csv or .csv.gz; rename it",
    )


def allowances(text: str) -> frozenset[str]:
    """Of an upload's metadata `allow`: a list parted by commas, such as `shrink,new-values`; may be empty.

    Raises RefusedSegments if it names another.
    """
    names = frozenset(filter(None, (name.strip() for name in text.split(","))))
    if names <= ALLOWANCES:
        return names
    wrong = ", ".join(sorted(names - ALLOWANCES))[:100]
    reason = Reason(None, f"allow names {wrong!a}; it takes only {', '.join(sorted(ALLOWANCES))}")
    raise RefusedSegments([reason], 1)


def validate(
    chunks: Iterable[bytes],
    rules: SegmentsRules,
    *,
    gzipped: bool,
    plain: Callable[[bytes], object] | None = None,
) -> Summary:
    """What the file of these chunks holds. `plain` gets the unpacked bytes, chunk by chunk, as they are.

    Raises RefusedSegments, and whatever `chunks` or `plain` raise.
    """
    rows = Rows(max_users=rules.max_users)
    digest = hashlib.sha256()
    size = 0
    try:
        for block in _blocks(_plain(chunks, rules.max_plain_bytes, gzipped), rules.max_plain_bytes):
            size += len(block)
            digest.update(block)
            if plain is not None:
                plain(block)
            rows.add(block)
        rows.finish()
    except Refusal as refusal:
        rows.reasons.append(refusal.reason)
    except NotGzipError as error:
        rows.reasons.append(Reason(None, f"the file {error}"))
    if not rows.reasons.number:
        values = {column: tuple(sorted(rows.values[column])) for column in SEGMENT_COLUMNS}
        summary = Summary(users=rows.users, plain_bytes=size, sha256=digest.hexdigest(), values=values)
        for reason in _changes(summary, rules):
            rows.reasons.append(reason)
        if not rows.reasons.number:
            return summary
    raise RefusedSegments(rows.reasons.first(), rows.reasons.number)


def _plain(chunks: Iterable[bytes], max_bytes: int, gzipped: bool) -> Iterator[bytes]:
    return gunzip(_at_most(chunks, max_bytes)) if gzipped else iter(chunks)


def _at_most(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """So that endless members of gzip with nothing in them end too."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes + _BLOCK_BYTES:
            raise Refusal(None, f"the file has more bytes packed than the {max_bytes:,} it may have unpacked")
        yield chunk


def _blocks(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """The same bytes in blocks of about 1 MiB. Raises Refusal beyond max_bytes."""
    held: list[bytes] = []
    size = held_bytes = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise Refusal(
                None,
                f"the file has more than {max_bytes:,} bytes unpacked; leave out"
                " columns that nothing counts by, or raise the setting",
            )
        held.append(chunk)
        held_bytes += len(chunk)
        if held_bytes >= _BLOCK_BYTES:
            yield b"".join(held)
            held, held_bytes = [], 0
    if held:
        yield b"".join(held)


def _changes(new: Summary, rules: SegmentsRules) -> Iterator[Reason]:
    """What the version does to the one before that nobody has allowed."""
    old = rules.previous
    if old is None:
        return
    kept = 100 - rules.max_shrink_percent
    if SHRINK not in rules.allow and new.users * 100 < old.users * kept:
        yield Reason(
            None,
            f"{new.users:,} users, where the version before has {old.users:,}: it may lack"
            f" {rules.max_shrink_percent} % of them; {_how(SHRINK)}",
        )
    for column, values in new.values.items():
        before = set(old.values.get(column, values))
        came, went = sorted(set(values) - before), sorted(before - set(values))
        if came and NEW_VALUES not in rules.allow:
            yield Reason(None, f"{column} has values that are new: {_named(came)}; {_how(NEW_VALUES)}")
        if went and GONE_VALUES not in rules.allow:
            yield Reason(
                None, f"{column} lacks values of the one before: {_named(went)}; {_how(GONE_VALUES)}"
            )


def _named(values: list[str]) -> str:
    more = len(values) - _NAMED_VALUES
    return ", ".join(map(repr, values[:_NAMED_VALUES])) + (f" and {more:,} more" if more > 0 else "")


def _how(allowance: str) -> str:
    return f"if that is meant, publish it again with --allow {allowance}"
