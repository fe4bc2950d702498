"""The clicks of a range that the live path rejected by its clock, and that a replay counts."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable

from contract.click import ID_FIELDS, MAX_ID_BYTES
from contract.event_time import parse_time
from lambdas.replay.click_range import ClickRange

BY_THE_CLOCK = frozenset({"too_old", "clock_ahead"})


class LiveRejects:
    """Each reject is known by its bytes: after a restart the application repeats some.

    Holds 16 bytes for each distinct reject of the range.
    """

    def __init__(self, asked: ClickRange) -> None:
        self._asked = asked
        self._seen: set[bytes] = set()
        self.by_reason: Counter[str] = Counter()

    def read(self, lines: Iterable[bytes]) -> None:
        """lines: of objects of rejected clicks."""
        for line in lines:
            if not any(reason.encode() in line for reason in BY_THE_CLOCK):
                continue
            reason = self._reason(line)
            digest = hashlib.sha256(line.strip()).digest()[:16]
            if reason and digest not in self._seen:
                self._seen.add(digest)
                self.by_reason[reason] += 1

    def _reason(self, line: bytes) -> str | None:
        """Of a click that a replay counts; None for any other."""
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(row, dict) or row.get("reason") not in BY_THE_CLOCK:
            return None
        at = parse_time(str(row.get("clicked_at")))
        ids = [str(row.get(field)) for field in ID_FIELDS]
        inside = at is not None and self._asked.begin <= at < self._asked.end
        counted = inside and all(len(each.encode()) <= MAX_ID_BYTES for each in ids)
        return str(row["reason"]) if counted else None

    def __str__(self) -> str:
        parts = [f"{number:,} as {reason}" for reason, number in sorted(self.by_reason.items())]
        return (
            f"of them the live path had rejected {' and '.join(parts)}"
            if parts
            else "the live path had rejected none of them by its clock"
        )
