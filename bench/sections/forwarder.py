"""The forwarder: the cost of a million clicks, by round trip, by clicks a record, and by their size."""

import json
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

from bench.forwarder import CLICKS
from bench.report import Benchmark, Block, Curve, Figures, Plot, Table, spread, verdict
from bench.scale import Scale
from bench.subprocesses import output
from lambdas.forwarder.reading import BYTES_A_CLICK, MAX_CLICKS
from settings.capacity import PAYLOAD_BYTES, SHARD_BYTES_PER_SECOND
from settings.forwarder import ONE_VCPU_MIB, ForwarderSettings

GOAL_ROUND_TRIP, GOAL_CLICK_BYTES, GOAL_CLICKS_PER_RECORD = 150, 300, 50
GOAL_CPU_SECONDS = 0.12
GOAL_GIGABYTE_SECONDS = 30
FIREHOSE_STEP_BYTES = 5 * 1024


def one(
    *,
    round_trip: int = GOAL_ROUND_TRIP,
    click_bytes: int = GOAL_CLICK_BYTES,
    clicks_per_record: int = GOAL_CLICKS_PER_RECORD,
    in_flight: int | None = None,
    orjson: bool = False,
) -> dict[str, Any]:
    """One run in a fresh process, like a new Lambda environment."""
    settings = ForwarderSettings()
    given = {
        "round_trip": round_trip,
        "click_bytes": click_bytes,
        "clicks_per_record": clicks_per_record,
        "record_bytes": settings.record_bytes,
        "in_flight": in_flight or settings.requests_in_flight,
    }
    options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    command = [sys.executable, "-m", "bench.forwarder", *options, *(["--orjson"] if orjson else [])]
    figures: dict[str, Any] = json.loads(output(command).splitlines()[-1])
    return given | figures


def measure(scale: Scale) -> dict[str, Any]:
    libraries: dict[str, list[float]] = {"json": [], "orjson": []}
    for _ in range(scale.runs):
        for name, processor in libraries.items():
            run = one(round_trip=0, clicks_per_record=1, orjson=name == "orjson")
            processor.append(min(run["processor"]))
    return {
        "by_round_trip": [
            one(round_trip=round_trip, in_flight=number)
            for round_trip in scale.round_trips_milliseconds
            for number in (None, 1)
        ],
        "by_clicks": [one(clicks_per_record=number) for number in scale.forwarder_clicks_per_record],
        "by_size": [one(click_bytes=size) for size in scale.click_bytes],
        "packed": one(round_trip=0),
        "libraries": libraries,
        "worst": json.loads(output([sys.executable, "-m", "bench.worst_records"]).splitlines()[-1]),
        "memory_mib": ForwarderSettings().memory_mib,
    }


def gigabyte_seconds(run: Figures, memory_mib: int) -> float:
    """That a million clicks are billed for. Processor time, measured with one vCPU, grows with a share."""
    processor: float = median(run["processor"])
    waiting: float = max(0.0, median(run["seconds"]) - processor)
    seconds = waiting + processor * max(1.0, ONE_VCPU_MIB / memory_mib)
    return seconds * memory_mib / 1024 / CLICKS * 1e6


def report(figures: Figures) -> Sequence[Block]:
    runs, memory_mib = figures["by_round_trip"], figures["memory_mib"]
    at_goal = next(run for run in runs if run["round_trip"] == GOAL_ROUND_TRIP and run["in_flight"] > 1)
    libraries = {name: median(values) for name, values in figures["libraries"].items()}
    processor = median(at_goal["processor"])
    billed = gigabyte_seconds(at_goal, memory_mib)
    return (
        f"One invocation with {CLICKS:,} clicks of {GOAL_CLICK_BYTES} bytes, {GOAL_CLICKS_PER_RECORD} in a "
        f"record, on one core, the share of {ONE_VCPU_MIB} MiB; half are reformatted. A stand-in for Oregon "
        "answers every request after the round trip, over plain HTTP: TLS adds two round trips to an "
        f"environment's first invocation. GB-s are calculated for {memory_mib} MiB: a smaller share of a "
        "vCPU lengthens the processor time, not the waiting.",
        _table(runs, "round trip, ms", "round_trip", memory_mib),
        _picture(runs, memory_mib),
        f"At {GOAL_ROUND_TRIP} ms a batch takes {processor:.2f} s of processor time "
        f"({verdict(processor, GOAL_CPU_SECONDS, at_most=True, unit=' s')}), and a million clicks "
        f"{billed:.0f} GB-s ({verdict(billed, GOAL_GIGABYTE_SECONDS, at_most=True, unit=' GB-s')}). "
        f"With one vCPU, one lane carries "
        f"{CLICKS / median(at_goal['seconds']) * GOAL_CLICK_BYTES / SHARD_BYTES_PER_SECOND:.1f} times "
        "what a shard takes in.",
        f"By the clicks of a record, with a round trip of {GOAL_ROUND_TRIP} ms:",
        _table(figures["by_clicks"], "clicks a record", "clicks_per_record", memory_mib),
        f"By their size; Lambda hands over smaller batches where {CLICKS:,} exceed its "
        f"{PAYLOAD_BYTES // 2**20} MiB:",
        _table(figures["by_size"], "bytes a click", "click_bytes", memory_mib),
        "Anyone may send records that cost far more than a click's. A batch of nothing else:",
        _worst(figures["worst"]),
        f"A record causes at most {MAX_CLICKS:,} rejects in Oregon, billed by Firehose as "
        f"{MAX_CLICKS * FIREHOSE_STEP_BYTES / 1e6:.0f} MB, and a shard filled with the smallest clicks "
        f"{SHARD_BYTES_PER_SECOND // BYTES_A_CLICK:,} a second (calculated).",
        "With a compiled JSON library (orjson) the forwarder needs "
        f"{libraries['orjson']:.3f} s of CPU for {CLICKS:,} records of one click instead of "
        f"{libraries['json']:.3f}, {1 - libraries['orjson'] / libraries['json']:.0%} less "
        "([decision](../decisions/forwarder-json-of-the-standard-library.md)).",
    )


def _table(runs: Sequence[Figures], name: str, key: str, memory_mib: int) -> Table:
    return Table(
        head=(name, "in flight", "first, s", "seconds a batch", "processor s", "clicks/s", "GB-s a million"),
        rows=tuple(
            (
                f"{run[key]:,}",
                f"{run['in_flight']}",
                f"{run['first']:.2f}",
                spread(run["seconds"]),
                f"{median(run['processor']):.2f}",
                f"{CLICKS / median(run['seconds']):,.0f}",
                f"{gigabyte_seconds(run, memory_mib):,.0f}",
            )
            for run in runs
        ),
    )


def _worst(records: Figures) -> Table:
    return Table(
        head=(
            "record",
            "bytes",
            "in a batch",
            "processor s",
            "memory, MiB",
            "forwarded",
            "dead letters",
            "MiB",
        ),
        rows=tuple(
            (
                name,
                f"{run['record_bytes']:,}",
                f"{run['records']}",
                f"{run['processor']:.2f}",
                f"{run['memory_mib']:.0f}",
                f"{run['forwarded']:,}",
                f"{run['rejected']:,}",
                f"{run['letters_mib']:.1f}",
            )
            for name, run in records.items()
        ),
    )


def _picture(runs: Sequence[Figures], memory_mib: int) -> Plot:
    curves = [
        Curve(
            label=f"{number} in flight",
            points=tuple(
                (run["round_trip"], gigabyte_seconds(run, memory_mib))
                for run in runs
                if run["in_flight"] == number
            ),
        )
        for number in sorted({run["in_flight"] for run in runs}, reverse=True)
    ]
    return Plot(
        name="forwarder",
        title="What the forwarder is billed for",
        x="round trip, ms",
        y="GB-seconds a million clicks",
        curves=tuple(curves),
        logarithmic=False,
    )


SECTION = Benchmark(name="forwarder", title="The forwarder", measure=measure, report=report)
