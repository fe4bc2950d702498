"""What readers see of each day: the generation of its counts, and the segments that it was counted with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from lambdas.replay.click_range import ClickRange
from lambdas.replay.objects import Correction, Stored, in_force, last_before
from names import counts_alias
from operations.operator import OperatorError, RefusedError
from operations.replay.domain import CountsDomain
from settings.analytics import AnalyticsSettings

CREATED = "index.creation_date"
DAY = timedelta(days=1)
DELIVERY = timedelta(hours=1)
"""Until the last clicks of a day are in the raw backup and counted, after the allowed lateness: Firehose
collects raw objects for 15 minutes at most, the rest is margin."""


def final_at(day: date, analytics: AnalyticsSettings) -> datetime:
    """From when a day gets no more clicks."""
    lateness = timedelta(hours=analytics.allowed_lateness_hours)
    return datetime.combine(day, time(), UTC) + DAY + lateness + DELIVERY


@dataclass(frozen=True, kw_only=True)
class ServedIndex:
    """made_at: a correction of the segments that was published before is counted in it, and no later one."""

    generation: int
    made_at: datetime


def parts_of(index: str, family: str) -> tuple[int, str]:
    """(generation, day) of an index of this family."""
    found, _, day = index.partition(".")
    suffix = found.removeprefix(family)
    if suffix and not suffix[1:].isdigit():
        raise OperatorError(
            f"{index} is no index of counts: delete or rename it, then give the command again"
        )
    return int(suffix[1:] or 1), day


def served_indices(domain: CountsDomain, family: str) -> dict[str, ServedIndex]:
    """By day, as in the name of an index. Raises OperatorError."""
    found = {}
    for index, described in domain.ask("GET", f"/{counts_alias(family)}/_settings/{CREATED}").items():
        generation, day = parts_of(index, family)
        made_at = int(described["settings"]["index"]["creation_date"]) / 1000
        found[day] = ServedIndex(generation=generation, made_at=datetime.fromtimestamp(made_at, UTC))
    return found


def other_generations(
    asked: ClickRange, served: Mapping[str, ServedIndex], *, counted_into: int
) -> dict[str, int]:
    """Of the days of the range that readers see in another generation than the application counts into."""
    return {
        day: served[day].generation
        for day, _, _ in _days(asked)
        if day in served and served[day].generation != counted_into
    }


def corrections_to_read(
    asked: ClickRange,
    versions: list[Stored],
    found: list[Correction],
    served: Mapping[str, ServedIndex],
    analytics: AnalyticsSettings,
    *,
    now: datetime,
) -> dict[str, str]:
    """By the key of a version, the key of what is read in its place: as the counts of its days were counted.

    A day whose index was made before the day was final was counted by the application, with the corrections
    that its settings name; a later index by `click-trends correct`, with those published before.

    versions: of the range, in order. Raises RefusedError if some days of a version were counted with a
    correction and some without.
    """
    chosen: dict[str, str | None] = {}
    for day, begin, end in _days(asked):
        index = served.get(day) or ServedIndex(generation=analytics.counts_generation, made_at=now)
        if index.made_at < final_at(begin.date(), analytics):
            known = analytics.corrections_counted_with(index.generation)
        else:
            known = last_before(found, index.made_at)
        for version in in_force(versions, begin, end):
            correction = known.get(version.key)
            if chosen.setdefault(version.key, correction) != correction:
                raise RefusedError(
                    f"{version.key} was corrected, and only some of these days were counted again since: "
                    f"give the days before {begin:%Y-%m-%d} and those from it on apart"
                )
    return {version: correction for version, correction in chosen.items() if correction}


def _days(asked: ClickRange) -> list[tuple[str, datetime, datetime]]:
    """Day, and the part of the range in it: begin, end."""
    days, begin = [], asked.begin
    while begin < asked.end:
        next_day = begin.replace(hour=0, minute=0) + DAY
        days.append((f"{begin:%Y.%m.%d}", begin, min(next_day, asked.end)))
        begin = next_day
    return days
