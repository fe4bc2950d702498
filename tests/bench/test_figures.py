"""What the benchmarks compute from their measurements, and how the page shows it."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench import regression_check
from bench.figures import FILE, record, recorded
from bench.flink_job import longest_gap
from bench.page import EARLIER_FORM, PAGE, page, write
from bench.report import verdict
from bench.sections import SECTIONS, counting
from bench.sections.path import STAGES, arrivals, budgeted, percentiles, served_budget
from bench.subprocesses import BenchmarkError
from bench.twin_cpu import CONNECTORS, FIREHOSE, LAMBDA_POLL, SENDER, WATCHING, PartTimes, part_of_thread
from settings import load
from settings.latency import budget
from twin.shards import ShardRecord
from twin.twin import ENVIRONMENT

MACHINE = {
    "measured_at": "2026-01-31 12:00 UTC",
    "cores": 2,
    "processor": "one",
    "memory_gib": 8,
    "other_load": 0.1,
    "versions": {"Flink": "2.3.0"},
}
COUNTING = {
    "clicks": [1_000_000, 3_000_000],
    "users": 1_000,
    "cpu_seconds_per_million": {"SQL job": [3.0, 4.0], "Spark": [10.0, 8.0], "DuckDB": [1.0, 0.8]},
    "peak_mib": {"SQL job": [900, 1_000], "Spark": [800, 800], "DuckDB": [200, 200]},
    "timed_clicks": 2_000_000,
    "seconds": {"SQL job": [10.0, 12.0, 11.0], "Spark": [22.0, 20.0, 24.0]},
}


def test_the_slope_leaves_out_what_every_run_has_once() -> None:
    assert counting.slope(20 + 2 * 3.5, 20 + 10 * 3.5, (2_000_000, 10_000_000)) == pytest.approx(3.5)


def test_a_ratio_is_taken_within_a_turn() -> None:
    assert counting.ratio_to(COUNTING, "DuckDB") == pytest.approx([3.0, 5.0])


def test_a_goal_not_reached_is_shown_as_missed() -> None:
    assert verdict(0.41, 0.4, at_most=True) == "at most 0.4: MISSED"
    assert verdict(1.39, 1.4, at_most=False) == "at least 1.4: MISSED"


def turned(spark: list[float], *, scale: str = "full") -> dict[str, Any]:
    cpu = {"SQL job": spark, "Spark": [10.0, 8.0], "DuckDB": [1.0, 1.0]}
    return {"machine": MACHINE, "scale": scale, "figures": COUNTING | {"cpu_seconds_per_million": cpu}}


def test_the_guard_allows_the_noise_of_a_shared_machine_and_stops_a_regression() -> None:
    recorded_before = {"counting": turned([4.0, 4.0])}
    assert regression_check.regression("counting", turned([4.4, 4.8]), recorded_before) is None
    slower = regression_check.regression("counting", turned([5.3, 5.6]), recorded_before)
    assert slower is not None
    assert "5.45 times DuckDB's CPU" in slower
    assert "bench.cpu_slope" in slower


def test_the_guard_compares_with_nothing_but_the_same_measurement() -> None:
    slow = turned([50.0, 50.0])
    assert regression_check.regression("counting", slow, {}) is None
    assert (
        regression_check.regression("counting", slow, {"counting": turned([4.0, 4.0], scale="quick")}) is None
    )
    assert regression_check.regression("growth", slow, {"growth": turned([4.0, 4.0])}) is None


def test_the_longest_gap_is_the_longest_time_without_growth() -> None:
    samples = [(0.0, 1), (0.1, 2), (0.2, 2), (0.45, 3), (0.5, 4)]
    assert longest_gap(samples) == pytest.approx(0.35)


def test_a_standstill_at_the_end_is_a_gap_too() -> None:
    assert longest_gap([(0.0, 1), (0.1, 2), (2.0, 2)]) == pytest.approx(1.9)
    assert longest_gap([]) == 0.0


def test_every_budget_stage_after_the_producer_lies_between_two_observed_times() -> None:
    (path,) = (each for each in budget(load(ENVIRONMENT)) if each.producer == "mobile apps")
    stages = [stage.name for stage in path.to_visible if stage.name != "producer buffer"]
    assert [part for parts in STAGES.values() for part in parts] == stages


def test_the_budget_follows_the_publish_interval() -> None:
    (_, at_1), (_, at_60) = (budgeted(seconds)["to the checkpoint"] for seconds in (1, 60))
    assert at_60 - at_1 == pytest.approx(59)


def test_the_served_budget_is_the_declared_one_without_the_producers_buffer() -> None:
    settings = load(ENVIRONMENT)
    (path,) = (each for each in budget(settings) if each.producer == "mobile apps")
    buffer = next(stage.seconds for stage in path.to_visible if stage.name == "producer buffer")
    typical, worst = served_budget(settings.analytics.publish_every_seconds)
    assert typical == pytest.approx(path.served.typical - buffer.typical)
    assert worst == pytest.approx(path.served.worst - buffer.worst)


def test_percentiles_are_those_of_the_values() -> None:
    assert percentiles(list(range(101))) == {"p50": 50, "p95": 95, "p99": 99}


def test_cpu_time_is_read_for_each_thread_and_kept_after_it_ends() -> None:
    def work() -> None:
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            pass
        worked.set()
        leave.wait()

    worked, leave = threading.Event(), threading.Event()
    thread = threading.Thread(target=work, name=SENDER)
    thread.start()
    worked.wait()
    times = PartTimes()
    leave.set()
    thread.join()
    times.sample()
    assert times.seconds()[SENDER] == pytest.approx(0.2, abs=0.1)


def test_the_twins_threads_are_told_apart() -> None:
    names = (
        "clicks to files",
        "event source reader",
        "delivery stream counts",
        "put-records_0",
        "MainThread",
    )
    assert [part_of_thread(name) for name in names] == [CONNECTORS, LAMBDA_POLL, FIREHOSE, SENDER, WATCHING]


def entry(figures: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"machine": MACHINE | changed, "scale": "full", "figures": figures}


def test_the_page_says_when_and_on_which_machine_each_section_was_measured() -> None:
    text = page({"counting": entry(COUNTING)})
    assert "*2026-01-31 12:00 UTC, 2 cores (one), 8 GiB; other load below half a core. Flink 2.3.0.*" in text
    assert "other work wanted 3.5 cores" in page({"counting": entry(COUNTING, other_load=3.5)})


def test_a_machine_is_described_again_only_if_it_differs_from_the_one_above() -> None:
    first, last = SECTIONS[0].name, SECTIONS[-1].name
    assert "machine and versions as above" in page({first: entry({}), last: entry({})})
    assert "as above" not in page({first: entry({}), last: entry({}, versions={"Flink": "2.4.0"})})


def test_a_section_without_figures_says_which_command_measures_it() -> None:
    text = page({})
    for section in SECTIONS:
        assert f"`python -m bench --record {section.name}` measures it" in text


def test_figures_in_an_earlier_form_break_only_their_section() -> None:
    text = page({"counting": entry(COUNTING), "growth": entry({"curves": []})})
    assert f"{EARLIER_FORM}: `python -m bench --record growth`" in text
    assert "| Spark | 9.00 (8.00-10.00) |" in text


def test_no_recorded_figures_are_of_an_earlier_form() -> None:
    assert EARLIER_FORM not in PAGE.read_text()


def test_recording_a_section_keeps_the_others(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    record("counting", entry(COUNTING), file)
    record("growth", entry({"points": []}), file)
    record("counting", entry(COUNTING, cores=4), file)
    assert recorded(file).keys() == {"counting", "growth"}
    assert recorded(file)["counting"]["machine"]["cores"] == 4


def test_damaged_figures_are_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    file.write_text('{"counting": {')
    with pytest.raises(BenchmarkError, match="restore it with git"):
        record("growth", entry({"points": []}), file)
    assert file.read_text() == '{"counting": {'


def test_the_committed_page_and_pictures_are_those_of_the_committed_figures(tmp_path: Path) -> None:
    write(recorded(), tmp_path / "benchmarks.md")
    assert (tmp_path / "benchmarks.md").read_text() == PAGE.read_text(), "run python -m bench.page"
    made = {file.name for file in (tmp_path / "benchmarks").glob("*.png")}
    assert made == {file.name for file in FILE.parent.glob("*.png")}, "run python -m bench.page"


def test_figures_are_json_that_a_person_can_compare() -> None:
    assert FILE.read_text() == json.dumps(recorded(), indent=1, sort_keys=True) + "\n"


def test_every_click_of_a_record_arrives_with_it() -> None:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    pack = b'{"article_id":"probe-1"}\n{"article_id":"probe-2"}\n'
    records = [
        ShardRecord("shard-0", "1", "key", pack, at),
        ShardRecord("shard-0", "2", "key", b'{"article_id":"probe-3"}', at + timedelta(seconds=1)),
    ]
    assert dict(arrivals(records)) == {
        "probe-1": at.timestamp(),
        "probe-2": at.timestamp(),
        "probe-3": at.timestamp() + 1,
    }
