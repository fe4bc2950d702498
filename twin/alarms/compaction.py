"""Keeps CloudWatch's memory small in a long run: of each metric one statistic set a minute, for a day.

Statistics of a minute or more stay the same; percentiles do not, which no alarm or graph here uses.
"""

from collections.abc import Callable
from itertools import groupby
from typing import Any

KEPT_SECONDS = 26 * 3600
"""An alarm may evaluate a day at most (CloudWatch API reference, PutMetricAlarm, EvaluationPeriods)."""
YOUNG_SECONDS = 180
"""Datapoints younger than this stay as they are: more may come."""

Point = dict[str, Any]
Statistics = tuple[float, float, float, float]


def compact(
    points: list[Point],
    now: float,
    *,
    at: Callable[[float], float],
    statistics: Callable[[Point], Statistics],
) -> None:
    """Change MiniStack's points of a metric in place, the oldest first, while others append to them.

    at: the clock's time of a timestamp; now: by the clock; statistics: number, sum, lowest and highest.
    """
    count = len(points)
    old = next((n for n in range(count) if now - at(points[n]["Timestamp"]) < YOUNG_SECONDS), count)
    if not old:
        return
    kept = [point for point in points[:old] if now - at(point["Timestamp"]) <= KEPT_SECONDS]
    minutes = groupby(kept, key=lambda point: (at(point["Timestamp"]) // 60, point["Unit"]))
    points[:old] = [_merged(list(group), statistics) for _, group in minutes]


def _merged(group: list[Point], statistics: Callable[[Point], Statistics]) -> Point:
    if len(group) == 1:
        return group[0]
    numbers, totals, lowest, highest = zip(*map(statistics, group), strict=True)
    number, total = sum(numbers), sum(totals)
    first = {key: value for key, value in group[0].items() if key != "Count"}
    merged = {"SampleCount": number, "Sum": total, "Minimum": min(lowest), "Maximum": max(highest)}
    return {**first, "Value": total / number, "_stat": merged}
