"""Old datapoints become one a minute, and their statistics stay."""

from typing import Any

from twin.alarms.compaction import KEPT_SECONDS, compact

NOW = 1_000_020.0  # a minute's beginning


def _point(age: float, value: float) -> dict[str, Any]:
    return {"Timestamp": NOW - age, "Value": value, "Unit": "Count", "Dimensions": {"a": "b"}}


def _statistics(point: dict[str, Any]) -> tuple[float, float, float, float]:
    found = point.get("_stat")
    if found:
        return found["SampleCount"], found["Sum"], found["Minimum"], found["Maximum"]
    return 1.0, point["Value"], point["Value"], point["Value"]


def test_a_minute_that_is_over_is_one_datapoint_of_the_same_statistics() -> None:
    ages = (420, 410, 361, 360, 200, 60, 1)
    points = [_point(age, float(age)) for age in ages]
    for _ in range(2):
        compact(points, NOW, at=lambda stamp: stamp, statistics=_statistics)
        assert [_statistics(point)[0] for point in points] == [3, 1, 1, 1, 1]
    assert _statistics(points[0]) == (3, 1191, 361, 420)
    assert points[0]["Timestamp"] == NOW - 420
    assert points[0]["Dimensions"] == {"a": "b"}


def test_after_a_day_datapoints_go() -> None:
    points = [_point(KEPT_SECONDS + 1, 1), _point(KEPT_SECONDS - 1, 2)]
    compact(points, NOW, at=lambda stamp: stamp, statistics=_statistics)
    assert [point["Value"] for point in points] == [2]
