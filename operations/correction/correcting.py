"""One correction: its days and generation are settled, the days counted, loaded, compared, then switched."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from contract.sink import SINKS, Sink
from lambdas.replay.click_range import MARGIN
from names import delivery_index, generation_family, index_pattern
from operations.correction.counting import CountDays, Tell, counts_of
from operations.correction.generations import Generations, Switched
from operations.operator import OperatorError, RefusedError, Standing
from operations.replay.domain import CountsDomain
from operations.replay.served import final_at
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class Plan:
    """days: to be counted again, in order; live: whether the application counts into this generation;
    live_since: the first of the days that it has counted, or may still count."""

    days: tuple[date, ...]
    generation: int
    live: bool
    live_since: date | None = None


def day_text(day: date) -> str:
    """As in the name of an index."""
    return f"{day:%Y.%m.%d}"


def _day(text: str) -> date:
    return datetime.strptime(text, "%Y.%m.%d").date()


def check_days(first: date, last: date, settings: Settings, *, now: datetime) -> None:
    """Raises RefusedError for days that no generation can be corrected for."""
    if last < first:
        raise RefusedError(f"--to {last} is before --from {first}: give the first day, then the last")
    if last > now.date():
        raise RefusedError(f"--to {last} is in the future: give a day that has begun, in UTC")
    if settings.analytics.drop_repeated_click_ids_hours is not None:
        raise RefusedError(
            "this environment drops repeated click ids (analytics.drop_repeated_click_ids_hours), and a "
            "correction counts each distinct click: its counts would be larger"
        )
    kept_since = now - timedelta(days=settings.delivery.raw_retention_days)
    if datetime.combine(first, time(), UTC) - MARGIN < kept_since:
        raise RefusedError(
            f"raw clicks of {first} may be expired, so its counts would become too small: give days after "
            f"{kept_since + MARGIN:%Y-%m-%d}"
        )


def plan(first: date, last: date, generations: Generations, settings: Settings, *, now: datetime) -> Plan:
    """Raises RefusedError where a correction could lose clicks or change what readers see before its end."""
    check_days(first, last, settings, now=now)
    counted_into = settings.analytics.counts_generation
    family = SINKS[0].index_family
    served, made = generations.served(), generations.made()
    days = {first + timedelta(days=number) for number in range((last - first).days + 1)}
    # Where the days to come were switched, and the days that are there were not, or were switched back.
    left = {
        _day(day)
        for day, there in made.items()
        if counted_into in there and 0 < served.get(day, 0) < counted_into
    }
    # Once all of these are final, days need not be joined with what the application counted.
    live = generations.served_pattern() != index_pattern(generation_family(family, counted_into)) or (
        bool(left) and any(final_at(day, settings.analytics) > now for day in days | left)
    )
    if not live:
        final = final_at(last, settings.analytics)
        if final > now:
            raise RefusedError(
                f"{last} may get clicks until {final:%Y-%m-%d %H:%M} UTC: wait for it; or raise "
                "analytics.counts_generation by one, deploy, and give the command then"
            )
        return Plan(
            days=tuple(sorted(days)), generation=max(counted_into, *served.values(), 0) + 1, live=False
        )
    counted = {
        _day(day)
        for day, generations_ in made.items()
        if counted_into in generations_ and served.get(day) != counted_into
    }
    if not counted:
        raise RefusedError(
            f"the application has counted nothing into generation {counted_into} yet: deploy with this "
            "analytics.counts_generation and wait for its first counts"
        )
    days |= counted  # their clicks of before the stream's oldest record are in the raw backup only
    if merged := sorted(day for day in days if served.get(day_text(day)) == counted_into):
        raise RefusedError(
            f"readers see generation {counted_into} of {merged[0]} already: raise "
            "analytics.counts_generation by one, deploy, and give the command then"
        )
    open_days = {day for day in days if final_at(day, settings.analytics) > now}
    return Plan(
        days=tuple(sorted(days)), generation=counted_into, live=True, live_since=min(counted | open_days)
    )


def carry_out(
    wanted: Plan,
    domain: CountsDomain,
    families: dict[str, Generations],
    count_days: CountDays,
    tell: Tell,
    *,
    standing: Standing | None = None,
) -> list[Switched]:
    """families: by that of each sink. Readers see nothing before the last step, then all of a family at once.
    standing: is told what an interruption leaves.

    Raises OperatorError.
    """
    standing = standing or Standing()
    standing.says = "readers see the former counts: give the command again"
    with tempfile.TemporaryDirectory() as work:
        out = Path(work)
        tell(count_days(wanted.days[0], wanted.days[-1], out))
        for sink in SINKS:
            _load(wanted, sink, domain, families[sink.index_family], out)
    days = [day_text(day) for day in wanted.days]
    standing.says = "readers may see new counts, of some tables perhaps the former: give the command again"
    return [families[sink.index_family].switch(days, wanted.generation, live=wanted.live) for sink in SINKS]


def _load(wanted: Plan, sink: Sink, domain: CountsDomain, generations: Generations, out: Path) -> None:
    days = {day_text(day) for day in wanted.days}
    if not wanted.live:
        # Of an attempt that failed: its counts may have been wrong too, and the larger ones would win.
        for day in days:
            domain.ask("DELETE", f"/{generations.index(wanted.generation, day)}")
    counted: Counter[str] = Counter()

    def counts() -> Iterator[bytes]:
        for day, clicks, document in counts_of(out, sink, days):
            counted[day] += clicks
            yield document

    domain.put_counts(delivery_index(generation_family(sink.index_family, wanted.generation)), counts())
    for day, clicks in sorted(counted.items()):
        found = domain.clicks(generations.index(wanted.generation, day))
        if found < clicks or (found > clicks and not wanted.live):
            raise OperatorError(
                f"{generations.index(wanted.generation, day)} has {found:,} clicks, and {clicks:,} were "
                "counted: readers see nothing of it. Give the command again"
            )
