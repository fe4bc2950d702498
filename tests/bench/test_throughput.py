"""The rate that the whole path in the twin holds: its clicks, its lag, and what is shown of it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from bench.report import markdown
from bench.scale import TEN_MINUTES
from bench.sections import throughput
from bench.throughput_run import BAD_TIME, GOOD, NO_JSON, clicks, lag, lag_growth
from bench.twin_cpu import EMULATOR, FLINK, PARTS
from contract.click import REQUIRED_FIELDS, clicks_in
from twin.traffic.record import EntryPoint


def run_at(rate: int, holds: bool, *, seconds: int = 30) -> dict[str, Any]:
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


def report_text(missing: int, *, holds: bool = True, failed: int = 2, **more: Any) -> str:
    figures = more | {
        "transport": "files",
        "machine_cores": 2,
        "steps": [run_at(300, True), *[run_at(450, False)] * failed],
        "long_runs": [run_at(240, holds, seconds=600)],
        "accounts": {"sent": 90, "counted": 80, "rejected": 6, "unparseable": 4, "missing": missing},
    }
    return "\n".join(map(markdown, throughput.report(figures)))


def test_the_highest_rate_that_holds_is_named_with_what_limits_it() -> None:
    text = report_text(0)
    assert "**240 clicks/s** hold for 10 minutes, 80% of the 300 that hold for 30 s; 450 failed twice" in text
    assert "At its limit: all cores of the machine, the one core that the emulator can have." in text
    assert "Of the deployed parts, Flink uses most: 0.40 cores, 600 clicks/s a core" in text
    assert "| 450 (does not hold) |" in text
    assert "sent 90 = counted 80 + rejected 6 + unparseable 4; nothing is lost" in text


def test_a_run_that_ends_before_a_rate_fails_says_that_more_may_hold() -> None:
    assert "80% of the 300 that hold for 30 s, the highest rate tried: more may hold" in report_text(
        0, failed=0
    )


def test_a_loss_and_a_rate_that_does_not_hold_are_reported() -> None:
    assert "3 MISSING" in report_text(3)
    assert "no rate held for 10 minutes, down to 240 clicks/s" in report_text(0, holds=False)


def test_the_lag_is_the_time_since_the_counted_clicks_were_sent() -> None:
    positions = [(0.0, 0, 0), (2.0, 200, 50), (4.0, 400, 150)]
    assert lag(positions) == pytest.approx(2.5)
    assert lag([(0.0, 0, 0), (2.0, 200, 200)]) == 0.0
    assert lag([(0.0, 0, 0)]) == 0.0


def test_the_lag_is_known_after_a_run_that_lost_clicks() -> None:
    assert lag([(0.0, 0, 0), (2.0, 0, -7)]) == 0.0
    assert lag([(0.0, 0, 0), (2.0, 200, -7)]) == 2.0


def test_a_lag_that_varies_does_not_grow_but_one_that_creeps_does() -> None:
    swinging = [(second * 2.0, 5.0 + second % 3) for second in range(300)]
    creeping = [(moment, lag + moment * 0.01) for moment, lag in swinging]
    assert abs(lag_growth(swinging)) < 0.5
    assert lag_growth(creeping) == pytest.approx(0.8 * 598 * 0.01, abs=0.5)


def test_clicks_are_spread_over_both_entry_points_and_a_known_part_is_bad() -> None:
    records = list(clicks(1, rate=2_000, seconds=1, mobile_share=0.5))
    labels = Counter(record.label for record in records)
    assert labels == {GOOD: 1_980, BAD_TIME: 10, NO_JSON: 10}
    assert 0.4 < sum(record.entry_point is EntryPoint.MOBILE for record in records) / 2_000 < 0.6
    assert len({record.data for record in records}) == 2_000
    read = [clicks_in(record.data) for record in records]
    assert all(bool(found) == (record.label != NO_JSON) for found, record in zip(read, records, strict=True))
    assert {tuple(click) for found in read for click in found} == {REQUIRED_FIELDS}
    ids = {click["click_id"] for found in read for click in found}
    assert len(ids) == 1_990


def test_a_click_happens_when_it_is_taken() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    taken = islice(clicks(1, rate=1, seconds=9, mobile_share=0.5), 1, 3)
    (first,), (second,) = (clicks_in(record.data) for record in taken)
    times = [datetime.fromisoformat(click["clicked_at"]) for click in (first, second)]
    assert before <= times[0] <= times[1] <= datetime.now(UTC)


ONE_CLICK_A_RECORD = [run_at(100, True), run_at(150, False), run_at(150, False)]


def test_the_rate_of_packs_stands_beside_that_of_one_click_a_record() -> None:
    text = report_text(0, pack_bytes=25_000, one_click_a_record=ONE_CLICK_A_RECORD)
    assert "send records of up to 25,000 bytes. With one click in each, 100 hold for 30 s." in text
    assert "| Flink | 0.40 | 600 | 250 | deployed |" in text
    assert "not even 150 clicks/s hold" in report_text(
        0, pack_bytes=25_000, one_click_a_record=ONE_CLICK_A_RECORD[1:]
    )
    assert "100 hold for 30 s, the highest rate tried." in report_text(
        0, pack_bytes=25_000, one_click_a_record=ONE_CLICK_A_RECORD[:1]
    )

    text = report_text(0, pack_bytes=25_000, one_click_a_record=[])
    assert "send records of up to 25,000 bytes.\n" in text


def test_figures_from_before_packs_say_so() -> None:
    assert "Each record holds one click." in report_text(0)


def test_the_shortest_run_measures_20_000_clicks_a_second_for_ten_minutes() -> None:
    assert TEN_MINUTES.throughput_first_rate * throughput.LONG_FACTOR >= 20_000
    assert TEN_MINUTES.throughput_long_seconds == 600
