"""What the sections that take long to measure show of figures in their recorded form."""

import json
from dataclasses import replace
from typing import Any

from bench.report import Plot, Table
from bench.scale import FULL, QUICK
from bench.sections import board, growth, mobile_client, segments
from bench.usage import Usage


def point(case: growth.Case) -> dict[str, Any]:
    return {
        "curve": case.curve,
        "x": case.x,
        "cpu_seconds_per_million": 4.0,
        "seconds_per_million": 3.0,
        "heap_mb": 90.0,
        "state_mb": case.x / 1e5,
        "peak_mib": 900.0,
    }


GROWTH = {"clicks": [1, 2], "temporal_clicks": [1, 2], "managed_mib_a_task": 512, "users": 3}


def test_growth_has_a_curve_for_each_dimension_and_a_row_for_each_point() -> None:
    cases = list(growth.cases(FULL))
    blocks = growth.report(GROWTH | {"points": [point(case) for case in cases]})
    plots = {block.name: block for block in blocks if isinstance(block, Plot)}
    for axis in ("users", "articles"):
        assert {f"{axis}-cpu", f"{axis}-heap", f"{axis}-state"} <= plots.keys()
    assert [curve.label for curve in plots["users-cpu"].curves] == ["SQL job", "Flink's temporal join"]
    assert [x for x, _ in plots["users-cpu"].curves[0].points] == list(FULL.curve_users)
    assert [x for x, _ in plots["state-cpu"].curves[0].points] == [40, 80]
    assert [x for x, _ in plots["parallelism"].curves[0].points] == [1, 2]
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert len(table.rows) == len(cases)
    assert growth.report({"points": []}) == ("Not part of a quick run.",)


def test_what_two_curves_share_is_run_once() -> None:
    ran = []

    def run(load: growth.Load, clicks: int) -> Usage:
        ran.append((load, clicks))
        answer = {"seconds": clicks / 1e6, "heap_bytes": 1e6, "state_bytes": 2e6}
        return Usage(cpu_seconds=4 * clicks / 1e6, wall_seconds=1, peak_mib=5, output=json.dumps(answer))

    points = growth.points(FULL, run)
    assert len(ran) == len(set(ran)) < 2 * len(points)
    assert {round(each["cpu_seconds_per_million"], 6) for each in points} == {4.0}


def test_the_mobile_client_is_measured_against_a_stream_that_takes_little() -> None:
    figures = mobile_client.measure(replace(QUICK, mobile_client_seconds=2))
    little = figures["runs"][0]
    assert little["taken"] > 0
    assert little["put"] < 500 + 3 * little["taken"]  # the first call holds as many as a call may
    (_, table, *_) = mobile_client.report(figures)
    assert isinstance(table, Table)
    assert table.rows[0][0] == mobile_client.LITTLE


def test_the_validation_of_the_segments_is_measured_plain_and_packed() -> None:
    figures = segments.measure(replace(QUICK, reference_users=(1_000,)))
    (table,) = (block for block in segments.report(figures) if isinstance(block, Table))
    assert [row[:2] for row in table.rows] == [("1,000", "`.csv`"), ("1,000", "`.csv.gz`")]


def test_the_time_of_ten_million_users_is_compared_with_the_goal() -> None:
    file = {"users": segments.GOAL_USERS, "gzip": True, "bytes": 3e7, "cpu_seconds": 130.0, "peak_mib": 200.0}
    assert "at most 120 s: MISSED" in str(segments.report({"files": [file]})[-1])


def test_the_board_names_a_refresh_that_is_too_slow_and_clicks_that_are_missing() -> None:
    def asked(question: str, p95: float) -> dict[str, Any]:
        times = {"p50": p95 / 2, "p95": p95, "cpu": 9.0}
        return {"question": question, "range": "10m", "asked": 20, "searches": 1, **times}

    parts = {
        "hours": 24, "segments": 707, "parts": 14, "searches": 15, "seconds": 21.0, "longest": 11.0,
        "cpu_seconds": 20.0, "missing": 3,
    }  # fmt: skip
    figures = {"counts": 10, "minutes": 60, "in_parts": parts}
    refresh = [asked("heat map", 300.0), asked("rising", 1_200.0)]
    _, goal, _, in_parts = map(str, board.report(figures | {"refresh": refresh}))
    assert "heat map of 10m 300 ms (at most 1000 ms: reached)" in goal
    assert "the slowest of all, rising of 10m 1,200 ms (at most 1000 ms: MISSED)" in goal
    assert "at most 10 s: MISSED" in in_parts
    assert "3 clicks MISSING" in in_parts
    unanswered = [*refresh, {"question": "compare", "range": "24h", "asked": 1, "error": "away"}]
    _, goal, *_ = map(str, board.report(figures | {"refresh": unanswered}))
    assert "compare of 24h found no answer" in goal
