"""What became of the clicks that entered the source stream, each one accounted for once.

A job that starts without its state from the oldest record reads clicks again. Counts are not doubled by that,
since the largest wins. But a rejected click is rejected again, and time has gone on: a click that was young
enough to be counted can be too old at the second reading, and then stands in a count and among the rejects.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from contract.click import clicks_in, in_a_reject
from contract.count import start_of_count
from contract.event_time import format_time, parse_time

MAX_REJECTED_TEXT = 4096
"""Characters of a field in a reject (analytics_sql/70_rejected_clicks.sql)."""
_BY_THE_CLOCK = {"too_old", "clock_ahead"}

Key = tuple[str, str]  # minute and article_id of counts, whatever the segment
ClicksOf = Callable[[Key], int]


@dataclass(frozen=True)
class Readings:
    """rejected: clicks that are in no count, by reason; counted_and_rejected: those that are in one too;
    rejected_again: rejects of a click beyond its first."""

    unparseable: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_again: int = 0
    counted_and_rejected: int = 0


def readings_of(records: Iterable[bytes], rejects: Iterable[bytes], clicks_of: ClicksOf) -> Readings:
    """records: of the raw backup, each once; rejects: as delivered, the oldest first; clicks_of: the clicks
    counted under a key."""
    unparseable = 0
    arrived: Counter[str | None] = Counter()
    arrived_keys: Counter[Key | None] = Counter()
    for record in records:
        clicks = clicks_in(record)
        unparseable += not clicks
        for click in clicks:
            arrived[_text(click.get("click_id"))] += 1
            arrived_keys[_key(click)] += 1

    rejected: Counter[str] = Counter()
    by_the_clock: Counter[tuple[Key, str]] = Counter()
    seen: Counter[str | None] = Counter()
    again = 0
    for line in rejects:
        reject = json.loads(line)
        click_id, reason, key = reject.get("click_id"), reject["reason"], _key(reject)
        seen[click_id] += 1
        if seen[click_id] > arrived[click_id] > 0:
            again += 1
            continue
        rejected[reason] += 1
        if key is None:
            continue
        if reason in _BY_THE_CLOCK:
            by_the_clock[key, reason] += 1
        else:
            arrived_keys[key] -= 1

    both = 0
    countable = {key: arrived_keys[key] - clicks_of(key) for key, _ in by_the_clock}
    for (key, reason), number in by_the_clock.items():
        in_no_count = min(number, max(countable[key], 0))
        countable[key] -= in_no_count
        rejected[reason] -= number - in_no_count
        both += number - in_no_count
    return Readings(unparseable, +rejected, again, both)


def _text(value: Any) -> str | None:
    """A field as a reject shows it: as text, whatever it was."""
    if value is None or isinstance(value, str):
        return value if value is None else in_a_reject(value[:MAX_REJECTED_TEXT])
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))[:MAX_REJECTED_TEXT]


def _key(click: dict[str, Any]) -> Key | None:
    """None for a click that no count can hold."""
    at, article = _text(click.get("clicked_at")), _text(click.get("article_id"))
    time = parse_time(at) if at else None
    if time is None or not article:
        return None
    return format_time(start_of_count(time)), article
