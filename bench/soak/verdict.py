"""Whether anything grew without bound in a soak, and whether its sum of clicks closed: from its record alone.

Of each series the longest time counts in which its part was not started again, without the first quarter of
that: caches fill, a heap takes its room. Growth is told by the slope and its interval: above the bound as a
whole, it grows; below as a whole, it does not; else it is unknown.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.soak.record import Line, SoakRecord
from bench.soak.series import HOUR, SERIES, WatchedSeries
from bench.soak.slope import Slope, blocks, slope
from bench.soak.usage_of_parts import TWIN
from bench.twin_cpu import EMULATOR, FLINK, OPENSEARCH

WARM_UP_SHARE = 0.25
MIN_SECONDS = 900.0
"""After warming up: in less time, what comes and goes looks like growth."""
UNKNOWN_OUTCOME = "the outcome is unknown"
"""As twin/drills/asking.py and control.py say it."""
WATCHED_PROCESSES = (FLINK, OPENSEARCH, EMULATOR, TWIN)
"""Parts of one process each; functions come and go."""


class Growth(StrEnum):
    GROWS = "grows"
    STEADY = "does not grow"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class SeriesVerdict:
    """largest: of all samples, None if none was seen. slope: None where too little was seen; reason: then."""

    series: WatchedSeries
    growth: Growth
    slope: Slope | None
    largest: float | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class SoakVerdict:
    """clicks: where they went, in a sentence; closes: None where it is not known. deaths: parts that ended
    outside of a drill; failed_drills: in a sentence each."""

    series: Sequence[SeriesVerdict]
    clicks: str
    closes: bool | None
    deaths: Sequence[str]
    failed_drills: Sequence[str]

    @property
    def exit_code(self) -> int:
        """1 if anything failed, 2 if anything is unknown, else 0."""
        grows = any(each.growth is Growth.GROWS for each in self.series)
        if grows or self.closes is False or self.deaths or self.failed_drills:
            return 1
        unknown = any(each.growth is Growth.UNKNOWN for each in self.series)
        return 2 if unknown or self.closes is None else 0


def verdict(record: SoakRecord) -> SoakVerdict:
    clicks, closes = _where_clicks_went(record.close)
    return SoakVerdict(
        series=[series_verdict(series, record.samples) for series in SERIES],
        clicks=clicks,
        closes=closes,
        deaths=list(_deaths(record)),
        failed_drills=[
            f"drill {drill['fault']} at {drill['began']:,.0f} s: {' '.join(drill['said'][-1:])}"
            for drill in record.drills
            if not drill["passed"]
        ],
    )


def series_verdict(series: WatchedSeries, samples: Sequence[Line]) -> SeriesVerdict:
    seen = [value for sample in samples if (value := series.value(sample)) is not None]

    def found(growth: Growth, slope: Slope | None = None, reason: str = "") -> SeriesVerdict:
        return SeriesVerdict(
            series=series, growth=growth, slope=slope, largest=max(seen, default=None), reason=reason
        )

    span = _longest_span(series, samples)
    span = span[round(len(span) * WARM_UP_SHARE) :]
    seconds = span[-1]["at"] - span[0]["at"] if span else 0.0
    if seconds < MIN_SECONDS:
        return found(Growth.UNKNOWN, reason=f"only {seconds:,.0f} s after warming up, of {MIN_SECONDS:,.0f}")
    points = [(_x(series, sample), series.value(sample)) for sample in span]
    known = [(x, y if x is not None else None) for x, y in points]
    slope_found = slope(blocks([(x or 0.0, y) for x, y in known], lowest=series.lowest))
    if slope_found is None:
        return found(Growth.UNKNOWN, reason="too few samples: gaps, or nothing was sent")
    if slope_found.low > series.bound:
        return found(Growth.GROWS, slope_found)
    if slope_found.high <= series.bound:
        return found(Growth.STEADY, slope_found)
    return found(Growth.UNKNOWN, slope_found, reason="it varies too much for the time that was watched")


def _x(series: WatchedSeries, sample: Line) -> float | None:
    """Hours, or millions of clicks sent; None where that was not seen."""
    if series.per == HOUR:
        return float(sample["at"]) / 3600
    state = sample.get("state")
    return None if not state else float(state["sent"]) / 1e6


def _longest_span(series: WatchedSeries, samples: Sequence[Line]) -> Sequence[Line]:
    """The samples between two starts of the series' part. Samples without the part belong to what was before
    them."""
    spans: list[list[Line]] = [[]]
    process = None
    for sample in samples:
        now = None if series.part is None else sample["processes"].get(series.part)
        if now is not None:
            if process not in (None, now):
                spans.append([])
            process = now
        spans[-1].append(sample)
    return max(spans, key=lambda span: span[-1]["at"] - span[0]["at"] if span else 0.0)


def _where_clicks_went(close: Line) -> tuple[str, bool | None]:
    problem = str(close.get("problem", "not asked"))
    if "missing" not in close and (not close or UNKNOWN_OUTCOME in problem):
        return f"not known whether every click is accounted for: {problem}", None
    if "missing" not in close:
        return f"NOT every click is accounted for: {problem}", False
    closes = close["missing"] == 0 and close["unexplained"] == 0
    said = (
        f"sent {close['sent']:,} = counted {close['counted']:,} + rejected {close['rejected']:,} "
        f"+ unparseable {close['unparseable']:,}"
    )
    if closes:
        return f"every click is accounted for: {said}", True
    return (
        f"NOT every click is accounted for: {said} + missing {close['missing']:,}; unexplained "
        f"{close['unexplained']:,}, counts that wait {close['waiting_documents']:,}",
        False,
    )


def _deaths(record: SoakRecord) -> Iterator[str]:
    """Parts whose process is another one than before, or that say so, while no drill went on."""
    told: set[str] = set()
    for before, after in itertools.pairwise(record.samples):
        if _is_drilled(record, before["at"], after["at"]):
            continue
        for part in WATCHED_PROCESSES:
            was, now = before["processes"].get(part), after["processes"].get(part)
            if was is not None and was != now:
                yield f"{part} ended between {before['at']:,.0f} s and {after['at']:,.0f} s"
        for text in (after["state"] or {}).get("ended", []):
            if text not in told:
                told.add(text)
                yield f"{after['at']:,.0f} s: {text}"


def _is_drilled(record: SoakRecord, begin: float, end: float) -> bool:
    return any(drill["began"] <= end and begin <= drill["ended"] for drill in record.drills)
