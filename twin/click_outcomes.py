"""The fate of the clicks that entered the source stream, each accounted for once.

A job that starts at the oldest record without its state reads clicks again. That doubles no count, because
the largest wins. But it repeats rejects, and a click that was counted may be too old at the second reading:
it is then both in a count and among the rejects.
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

Key = tuple[str, str]  # minute and article_id of counts, in any segment
ClicksOf = Callable[[Key], int]


@dataclass(frozen=True)
class ClickOutcomes:
    """rejected: clicks in no count, by reason; counted_and_rejected: those that are also in a count;
    rejected_again: a click's rejects beyond its first."""

    unparseable: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_again: int = 0
    counted_and_rejected: int = 0


def outcomes_of_clicks(
    records: Iterable[bytes], rejects: Iterable[bytes], clicks_of: ClicksOf
) -> ClickOutcomes:
    """records: of the raw backup, each once; rejects: as delivered, oldest first; clicks_of: the clicks
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
    return ClickOutcomes(unparseable, +rejected, again, both)


def _text(value: Any) -> str | None:
    """A field as a reject shows it: as text, whatever its type."""
    if value is None or isinstance(value, str):
        return value if value is None else in_a_reject(value[:MAX_REJECTED_TEXT])
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))[:MAX_REJECTED_TEXT]


def _key(click: dict[str, Any]) -> Key | None:
    """None for a click that no count can contain."""
    at, article = _text(click.get("clicked_at")), _text(click.get("article_id"))
    time = parse_time(at) if at else None
    if time is None or not article:
        return None
    return format_time(start_of_count(time)), article
