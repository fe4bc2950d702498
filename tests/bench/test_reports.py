"""What the sections that take long to measure show of figures in their recorded form."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from bench.report import Plot, Table, markdown
from bench.scale import FULL, QUICK
from bench.sections import growth, mobile_client, throughput
from bench.twin_cpu import EMULATOR, FLINK, PARTS
from bench.usage import Usage
from contract.click import is_parseable
from twin.traffic.record import EntryPoint


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


def throughput_run(rate: int, holds: bool, *, seconds: int = 30) -> dict[str, Any]:
    cores = dict.fromkeys(PARTS, 0.1) | {FLINK: 0.4, EMULATOR: 0.9}
    return {
        "rate": rate,
        "seconds": seconds,
        "sent_per_second": rate,
        "lags": [[2.0, 3.0], [4.0, 3.5]],
        "lag_growth": 0.5,
        "end_lag": 3.0,
        "holds": holds,
        "cores": cores,
    }


def throughput_report(missing: int, *, holds: bool = True, failed: int = 2) -> str:
    figures = {
        "transport": "files",
        "machine_cores": 2,
        "steps": [throughput_run(300, True), *[throughput_run(450, False)] * failed],
        "long_runs": [throughput_run(240, holds, seconds=600)],
        "accounts": {"sent": 90, "counted": 80, "rejected": 6, "unparseable": 4, "missing": missing},
    }
    return "\n".join(map(markdown, throughput.report(figures)))


def test_the_highest_rate_that_holds_is_named_with_what_limits_it() -> None:
    text = throughput_report(0)
    assert "**240 clicks/s** hold for 10 minutes, 80% of the 300 that hold for 30 s; 450 failed twice" in text
    assert "At its limit: all cores of the machine, the one core that the emulator can have." in text
    assert "Of the deployed parts, Flink uses most: 0.40 cores, 600 clicks/s a core" in text
    assert "| 450 (does not hold) |" in text
    assert "sent 90 = counted 80 + rejected 6 + unparseable 4; nothing is lost" in text


def test_a_run_that_ends_before_a_rate_fails_says_that_more_may_hold() -> None:
    assert "80% of the 300 that hold for 30 s, the highest rate tried: more may hold" in throughput_report(
        0, failed=0
    )


def test_a_loss_and_a_rate_that_does_not_hold_are_reported() -> None:
    assert "3 MISSING" in throughput_report(3)
    assert "no rate held for 10 minutes, down to 240 clicks/s" in throughput_report(0, holds=False)


def test_the_lag_is_the_time_since_the_counted_clicks_were_sent() -> None:
    positions = [(0.0, 0, 0), (2.0, 200, 50), (4.0, 400, 150)]
    assert throughput.lag(positions) == pytest.approx(2.5)
    assert throughput.lag([(0.0, 0, 0), (2.0, 200, 200)]) == 0.0
    assert throughput.lag([(0.0, 0, 0)]) == 0.0


def test_a_lag_that_varies_does_not_grow_but_one_that_creeps_does() -> None:
    swinging = [(second * 2.0, 5.0 + second % 3) for second in range(300)]
    creeping = [(moment, lag + moment * 0.01) for moment, lag in swinging]
    assert abs(throughput.lag_growth(swinging)) < 0.5
    assert throughput.lag_growth(creeping) == pytest.approx(0.8 * 598 * 0.01, abs=0.5)


def test_clicks_are_spread_over_both_entry_points_and_a_known_part_is_bad() -> None:
    records = list(throughput.clicks(1, rate=2_000, seconds=1, mobile_share=0.5))
    labels = Counter(record.label for record in records)
    assert labels == {throughput.GOOD: 1_980, throughput.BAD_TIME: 10, throughput.NO_JSON: 10}
    assert 0.4 < sum(record.entry_point is EntryPoint.MOBILE for record in records) / 2_000 < 0.6
    assert len({record.data for record in records}) == 2_000
    assert all(is_parseable(record.data) == (record.label != throughput.NO_JSON) for record in records)


def test_the_mobile_client_is_measured_against_a_stream_that_takes_little() -> None:
    figures = mobile_client.measure(replace(QUICK, mobile_client_seconds=2))
    little = figures["runs"][0]
    assert little["taken"] > 0
    assert little["put"] < 500 + 3 * little["taken"]  # the first call holds as many as a call may
    (_, table, *_) = mobile_client.report(figures)
    assert isinstance(table, Table)
    assert table.rows[0][0] == mobile_client.LITTLE
