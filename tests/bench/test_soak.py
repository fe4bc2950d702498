"""The verdict of a soak from made records: what grows, what does not, and what is not known."""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.soak import __main__ as command
from bench.soak.day_shape import DAY, DayShape, ShapeError, day_shape
from bench.soak.record import Line, RecordFile, SoakError, SoakRecord, read_record, record_of
from bench.soak.series import MILLION_CLICKS, SERIES, WatchedSeries
from bench.soak.slope import blocks, slope
from bench.soak.usage_of_parts import OTHERS, STORES, TWIN, disk_of_stores, memory_of_parts, part_of
from bench.soak.verdict import Growth, SeriesVerdict, SoakVerdict, series_verdict, verdict
from bench.soak.watch import SoakPlan, planned_drills
from bench.twin_cpu import EMULATOR, FLINK, FUNCTIONS, OPENSEARCH
from twin.drills.faults import FAULTS

HOURS = 2.0
RATE = 40.0
CLOSED = {
    "sent": 10,
    "counted": 7,
    "rejected": 2,
    "unparseable": 1,
    "missing": 0,
    "unexplained": 0,
    "waiting_documents": 0,
}
MEMORY_OF_TWIN = next(series for series in SERIES if series.name == f"memory of {TWIN}")


def sample(at: float, mib: float | None, **others: Any) -> Line:
    """With the memory of the twin's own process, and steady values of everything else."""
    names = (FLINK, OPENSEARCH, FUNCTIONS, EMULATOR)
    memory = dict.fromkeys(names, 500.0) | ({} if mib is None else {TWIN: mib})
    sent = round(at * RATE)
    state = {
        "sent": sent,
        "counted": sent - 10,
        "rejected": 5,
        "unparseable": 1,
        "ended": [],
        "newest_count_seconds": 3.0,
        "complete_minute_seconds": 100.0,
        "application_behind_seconds": 0.0,
        "forwarder_behind_seconds": 0.1,
        "flink_heap_percent": 20.0,
        "opensearch_heap_percent": 40.0,
        "clicks_a_second": RATE,
    }
    return {
        "kind": "sample",
        "at": at,
        "state": state,
        "memory": memory,
        "processes": {part: number for number, part in enumerate((*names, TWIN), 100)},
        "disk": {
            "checkpoints": 1.0,
            "logs": 2.0,
            "delivered records": sent / 1e4,
            "index data": 9.0,
            "files of the transport": 3.0,
        },
        **others,
    }


def samples(mib: Callable[[float], float | None], hours: float = HOURS) -> list[Line]:
    """mib: memory of the twin's own process at an hour."""
    return [sample(at, mib(at / 3600)) for at in range(0, round(hours * 3600), 10)]


def record(seen: Sequence[Line], drills: Sequence[Line] = (), close: Line = CLOSED) -> SoakRecord:
    return SoakRecord(
        start={}, samples=seen, drills=drills, close=close, end={"interrupted": False, "at": 7200.0}
    )


def drill(began: float, ended: float, *, passed: bool = True) -> Line:
    return {"fault": "poison", "began": began, "ended": ended, "passed": passed, "said": ["first", "last"]}


def memory_verdict(seen: Sequence[Line]) -> SeriesVerdict:
    return series_verdict(MEMORY_OF_TWIN, seen)


def noisy(mib: Callable[[float], float], seed: int = 1) -> Callable[[float], float]:
    rng = random.Random(seed)
    return lambda hour: mib(hour) + rng.gauss(0, 10)


@pytest.mark.parametrize("seed", range(5))
def test_memory_that_rises_by_twice_its_bound_grows(seed: int) -> None:
    found = memory_verdict(samples(noisy(lambda hour: 300 + 2 * MEMORY_OF_TWIN.bound * hour, seed)))
    assert found.growth is Growth.GROWS
    assert found.slope is not None
    assert found.slope.middle == pytest.approx(2 * MEMORY_OF_TWIN.bound, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_memory_that_stays_with_noise_does_not_grow(seed: int) -> None:
    assert memory_verdict(samples(noisy(lambda _: 300, seed))).growth is Growth.STEADY


def test_memory_that_rises_while_it_warms_up_does_not_grow() -> None:
    assert memory_verdict(samples(lambda hour: 300 + min(hour, 0.4) * 1000)).growth is Growth.STEADY


def test_memory_that_falls_does_not_grow() -> None:
    assert memory_verdict(samples(lambda hour: 900 - 200 * hour)).growth is Growth.STEADY


def test_growth_that_its_noise_hides_is_unknown_not_fine() -> None:
    rng = random.Random(2)
    wanders = [rng.gauss(300, 200) for _ in range(20)]
    found = memory_verdict(samples(lambda hour: wanders[int(hour * 10)]))
    assert found.growth is Growth.UNKNOWN
    assert found.slope is not None
    assert "varies too much" in found.reason


def test_spikes_of_drills_neither_hide_nor_make_growth() -> None:
    def spiked(base: Callable[[float], float]) -> Callable[[float], float]:
        return lambda hour: base(hour) + (900 if hour % 0.25 < 0.05 else 0)

    assert memory_verdict(samples(spiked(lambda _: 300))).growth is Growth.STEADY
    assert memory_verdict(samples(spiked(lambda hour: 300 + 150 * hour))).growth is Growth.GROWS


def test_a_run_too_short_to_tell_is_unknown_and_says_why() -> None:
    found = memory_verdict(samples(lambda hour: 300 + 1000 * hour, hours=0.3))
    assert (found.growth, found.slope) == (Growth.UNKNOWN, None)
    assert found.reason.startswith("only 8")


def test_short_gaps_are_bridged_and_a_series_mostly_of_gaps_is_unknown() -> None:
    def gaps(share: float) -> Callable[[float], float | None]:
        rng = random.Random(3)
        return lambda hour: None if rng.random() < share else 300 + 200 * hour

    assert memory_verdict(samples(gaps(0.2))).growth is Growth.GROWS
    assert memory_verdict(samples(gaps(0.8))).growth is Growth.UNKNOWN
    nothing = memory_verdict(samples(lambda _: None))
    assert (nothing.growth, nothing.largest) == (Growth.UNKNOWN, None)


def test_no_sample_at_all_is_unknown() -> None:
    found = verdict(record([], close={}))
    assert {each.growth for each in found.series} == {Growth.UNKNOWN}
    assert found.exit_code == 2


def test_a_part_that_starts_again_hides_no_growth_before() -> None:
    seen = [
        {**one, "processes": {**one["processes"], TWIN: 7 if one["at"] > 6000 else 8}}
        for one in samples(lambda hour: 300 + 200 * (hour if hour < 1.7 else hour - 1.7))
    ]
    assert memory_verdict(seen).growth is Growth.GROWS


def test_a_part_started_again_and_again_is_unknown() -> None:
    seen = [
        {**one, "processes": {**one["processes"], TWIN: one["at"] // 600}} for one in samples(lambda _: 300)
    ]
    assert memory_verdict(seen).growth is Growth.UNKNOWN


def test_the_floor_of_a_heap_decides_not_its_teeth() -> None:
    heap = next(series for series in SERIES if series.lowest)

    def teeth(floor: Callable[[float], float]) -> list[Line]:
        key = "flink_heap_percent"
        return [
            {
                **one,
                "state": {
                    **one["state"],
                    key: floor(hour := one["at"] / 3600) + hour * (one["at"] % 300) / 10,
                },
            }
            for one in samples(lambda _: 300)
        ]

    assert series_verdict(heap, teeth(lambda _: 20)).growth is Growth.STEADY
    assert series_verdict(heap, teeth(lambda hour: 20 + 15 * hour)).growth is Growth.GROWS


def test_what_is_kept_by_design_is_measured_by_the_clicks() -> None:
    kept = next(series for series in SERIES if series.name == "disk of delivered records")
    assert kept.per == MILLION_CLICKS
    found = series_verdict(kept, samples(lambda _: 300))
    assert found.growth is Growth.STEADY
    assert found.slope is not None
    assert found.slope.middle == pytest.approx(100)
    assert series_verdict(replace(kept, bound=50), samples(lambda _: 300)).growth is Growth.GROWS
    idle = [{**one, "state": {**one["state"], "sent": 5}} for one in samples(lambda _: 300)]
    assert series_verdict(kept, idle).growth is Growth.UNKNOWN


def test_a_quiet_run_whose_clicks_add_up_ends_with_zero() -> None:
    found = verdict(record(samples(lambda _: 300), [drill(1000, 1100)]))
    assert [each.series.name for each in found.series if each.growth is not Growth.STEADY] == []
    assert (found.closes, found.exit_code) == (True, 0)
    assert found.clicks.startswith("every click is accounted for: sent 10 = counted 7")


def test_one_series_that_grows_fails_the_run() -> None:
    assert verdict(record(samples(lambda hour: 300 + 200 * hour))).exit_code == 1


@pytest.mark.parametrize(
    "wrong",
    [{"missing": 1}, {"missing": -1}, {"unexplained": 1}],
    ids=["missing", "counted twice", "unexplained"],
)
def test_clicks_that_do_not_add_up_fail_the_run(wrong: dict[str, int]) -> None:
    found = verdict(record(samples(lambda _: 300), close={**CLOSED, **wrong}))
    assert (found.closes, found.exit_code) == (False, 1)
    assert found.clicks.startswith("NOT every click")


def test_a_sum_that_did_not_close_in_time_fails_and_one_not_asked_for_is_unknown() -> None:
    late = {"problem": "every click accounted for: not within 600 s; sent 10; counted 6"}
    assert verdict(record(samples(lambda _: 300), close=late)).exit_code == 1
    for unknown in ({}, {"problem": "the connection broke, [Errno 32]; the outcome is unknown"}):
        found = verdict(record(samples(lambda _: 300), close=unknown))
        assert (found.closes, found.exit_code) == (None, 2)


def test_a_failed_drill_is_said_and_fails_the_run() -> None:
    found = verdict(record(samples(lambda _: 300), [drill(1000, 1100, passed=False)]))
    assert found.failed_drills == ["drill poison at 1,000 s: last"]
    assert found.exit_code == 1


def died_at(at: float, drills: Sequence[Line] = ()) -> SoakVerdict:
    seen = [
        {**one, "processes": {**one["processes"], FLINK: 1 if one["at"] < at else 2}}
        for one in samples(lambda _: 300)
    ]
    return verdict(record(seen, drills))


def test_a_part_that_dies_outside_of_a_drill_is_said_and_fails_the_run() -> None:
    assert died_at(3000).deaths == [f"{FLINK} ended between 2,990 s and 3,000 s"]
    assert died_at(3000).exit_code == 1
    assert died_at(3000, [drill(2950, 3050)]).deaths == []
    assert died_at(3000, [drill(100, 2980)]).deaths != []


def test_an_ended_part_that_the_twin_names_is_said_once() -> None:
    seen = samples(lambda _: 300)
    for number in (300, 301):
        seen[number] = sample(3000 + number, 300, state={**seen[number]["state"], "ended": ["a lane ended"]})
    assert [death.partition(": ")[2] for death in verdict(record(seen)).deaths] == ["a lane ended"]


def test_the_interval_of_sen_is_the_published_one() -> None:
    """Gilbert, Statistical Methods for Environmental Pollution Monitoring, 1987: rank by rank."""
    points = [(float(x), float(y)) for x, y in enumerate((10, 22, 21, 30, 22, 30, 40, 40))]
    found = slope(points)
    assert found is not None
    every = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(points, 2))
    assert found.middle == pytest.approx((every[13] + every[14]) / 2)
    assert (found.low, found.high) == (every[6], every[21])  # (28 - 15.85) / 2, floored, from each end


def test_the_interval_holds_the_true_slope_as_often_as_it_says() -> None:
    held = 0
    for seed in range(400):
        rng = random.Random(seed)
        found = slope([(float(x), 5.0 * x + rng.gauss(0, 3)) for x in range(12)])
        assert found is not None
        held += found.low <= 5 <= found.high
    assert 0.93 <= held / 400 <= 0.99


def test_a_block_is_a_gap_without_half_of_its_samples() -> None:
    points = [(float(x), 1.0 if x % 12 < 6 or x < 60 else None) for x in range(144)]
    assert len(blocks(points, lowest=False)) == 12
    points = [(x, None if x == 143 or (x >= 132 and x % 2 == 0) else y) for x, y in points]
    assert len(blocks(points, lowest=False)) == 11


def test_a_record_is_read_back_without_a_line_that_was_cut_off(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "made" / "soak.jsonl")
    file.write("start", hours=2)
    for one in samples(lambda _: 300, hours=0.1):
        file.write(**one)
    file.write("drill", **drill(10, 20))
    file.write("close", **CLOSED)
    with file.path.open("a") as end:
        end.write('{"kind":"end","interr')
    found = read_record(file.path)
    assert (found.start["hours"], len(found.samples), len(found.drills)) == (2, 36, 1)
    assert (found.close["sent"], found.end) == (10, None)


@pytest.mark.parametrize("text", ["no JSON\n", "[1]\n", "{}\n", "\x00\n", "5\n"])
def test_what_is_no_record_is_said_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "soak.jsonl"
    path.write_text(text)
    with pytest.raises(SoakError, match="line 1"):
        read_record(path)
    done = CliRunner().invoke(command.app, ["verdict", str(path)])
    assert (done.exit_code, type(done.exception)) == (2, SystemExit)


def test_the_command_prints_the_verdict_of_a_record_and_draws_it(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "soak.jsonl")
    for one in samples(lambda hour: None if 0.5 < hour < 0.6 else 300 + 200 * hour):
        file.write(**one)
    file.write("drill", **drill(1000, 1100))
    done = CliRunner().invoke(command.app, ["verdict", str(file.path)])
    assert done.exit_code == 1, done.output
    assert f"memory of {TWIN}" in done.output
    assert "grows" in done.output
    assert "did not come to its end" in done.output
    assert file.path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("hours", ["0", "-1", "12", "nan", "much"])
def test_hours_that_cannot_be_are_refused_before_anything_starts(hours: str) -> None:
    done = CliRunner().invoke(command.app, ["run", f"--hours={hours}"])
    assert done.exit_code == 2


def test_a_day_passes_through_its_shape_at_the_mean_rate() -> None:
    shape = DayShape("made", [1.0, 3.0])
    times = list(itertools.takewhile(lambda at: at < 200, shape.times(day_seconds=100, rate=8)))
    assert times == sorted(times)
    by_half = [sum(1 for at in times if begin <= at < begin + 50) for begin in (0, 50, 100, 150)]
    assert by_half == pytest.approx([200, 600, 200, 600], abs=1)


def test_without_the_data_set_a_made_day_is_named_as_such(tmp_path: Path) -> None:
    shape = day_shape(tmp_path)
    assert "made day" in shape.source
    assert max(shape.weights) / min(shape.weights) == pytest.approx(4)


def test_a_broken_data_set_is_said(tmp_path: Path) -> None:
    file = tmp_path / "worldcup98" / "invocation_count_per_minute.csv"
    file.parent.mkdir()
    for text in (f"period,count\n{DAY} 00:00:00,1\n", f"period,count\n{DAY} 00:00:00,x\n", "a,b\n1,2\n"):
        file.write_text(text)
        with pytest.raises(ShapeError, match="fetch it again"):
            day_shape(tmp_path)


def test_the_day_of_the_data_set_is_whole(shared_data: Path) -> None:
    shape = day_shape(shared_data)
    assert "WorldCup98" in shape.source
    assert sum(shape.weights) == 75_207_657


def test_drills_are_drawn_by_the_seed_and_leave_the_end_alone() -> None:
    plan = SoakPlan(hours=2, rate=40, seed=1)
    planned = planned_drills(plan)
    assert planned == planned_drills(plan) != planned_drills(replace(plan, seed=2))
    assert len({fault for _, fault in planned}) == len(planned) == 6
    assert [at for at, _ in planned] == sorted(at for at, _ in planned)
    assert all(720 <= at <= 4_680 and fault in FAULTS for at, fault in planned)
    assert len(planned_drills(replace(plan, hours=0.1))) == 1


def test_memory_is_seen_by_part_and_disk_by_store(tmp_path: Path) -> None:
    import os

    assert memory_of_parts(os.getpid())[TWIN].mib > 10
    assert part_of("java -cp x org.opensearch.bootstrap.OpenSearch") == OPENSEARCH
    assert part_of("aws lambda list-functions") == OTHERS
    checkpoint = tmp_path / "click-trends-twin-1" / "flink" / "checkpoints" / "a" / "chk-1"
    checkpoint.mkdir(parents=True)
    (checkpoint / "_metadata").write_bytes(b"x" * 2**20)
    assert disk_of_stores(tmp_path)["checkpoints"] == pytest.approx(1, abs=0.1)
    assert disk_of_stores(tmp_path)["logs"] == 0


def test_records_keep_the_order_of_their_lines() -> None:
    found = record_of([{"kind": "sample", "at": 1}, {"kind": "sample", "at": 2}])
    assert [one["at"] for one in found.samples] == [1, 2]


def test_every_series_has_a_bound_with_its_reason() -> None:
    def is_whole(series: WatchedSeries) -> bool:
        return series.bound > 0 and bool(series.why)

    assert all(map(is_whole, SERIES))
    assert len({series.name for series in SERIES}) == len(SERIES)
    assert {series.name for series in SERIES} >= {f"disk of {store}" for store in STORES}
