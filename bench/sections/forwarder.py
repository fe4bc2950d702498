"""The forwarder: records a second, and the cost of a million records, by round trip and by record size."""

import json
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

from bench.forwarder import RECORDS
from bench.report import Benchmark, Block, Curve, Figures, Plot, Table, spread, verdict
from bench.scale import Scale
from bench.subprocesses import output
from settings.capacity import ONE_VCPU_MIB, PAYLOAD_BYTES, SHARD_BYTES_PER_SECOND
from settings.forwarder import ForwarderSettings

GOAL_SECONDS = 1.5
GOAL_ROUND_TRIP, GOAL_RECORD_BYTES = 150, 300

# fluent-plugin-kinesis and fluentd as documented: 500 records a request, one request after the
# other, one flush thread, a flush every 60 s.
# https://github.com/awslabs/aws-fluent-plugin-kinesis#configuration-batch-request
# https://docs.fluentd.org/configuration/buffer-section#flushing-parameters
FLUENTD_RECORDS_PER_REQUEST = 500
FLUENTD_FLUSH_SECONDS = 60


def one(round_trip: int, record_bytes: int, in_flight: int, *, orjson: bool = False) -> dict[str, Any]:
    """One run in a fresh process, like a new Lambda environment."""
    command = [
        *(sys.executable, "-m", "bench.forwarder", "--round-trip", str(round_trip)),
        *("--record-bytes", str(record_bytes), "--in-flight", str(in_flight)),
        *(["--orjson"] if orjson else []),
    ]
    figures: dict[str, Any] = json.loads(output(command).splitlines()[-1])
    return {"round_trip": round_trip, "record_bytes": record_bytes, "in_flight": in_flight} | figures


def measure(scale: Scale) -> dict[str, Any]:
    in_flight = ForwarderSettings().requests_in_flight
    by_round_trip = [
        one(round_trip, GOAL_RECORD_BYTES, number)
        for round_trip in scale.round_trips_milliseconds
        for number in (in_flight, 1)
    ]
    by_size = [one(GOAL_ROUND_TRIP, size, in_flight) for size in scale.record_bytes]
    libraries: dict[str, list[float]] = {"json": [], "orjson": []}
    for _ in range(scale.runs):
        for name, processor in libraries.items():
            run = one(0, GOAL_RECORD_BYTES, in_flight, orjson=name == "orjson")
            processor.append(min(run["processor"]))
    return {"by_round_trip": by_round_trip, "by_size": by_size, "libraries": libraries}


def gigabyte_seconds(seconds: float) -> float:
    """That a million records are billed for, from the seconds of a batch."""
    return seconds * ONE_VCPU_MIB / 1024 / RECORDS * 1e6


def report(figures: Figures) -> Sequence[Block]:
    runs = figures["by_round_trip"]
    at_goal = next(run for run in runs if run["round_trip"] == GOAL_ROUND_TRIP and run["in_flight"] > 1)
    libraries = {name: median(values) for name, values in figures["libraries"].items()}
    return (
        f"One invocation with {RECORDS:,} records on one core and {ONE_VCPU_MIB} MiB; half of the records "
        "are reformatted. A stand-in for Oregon answers every request after the round trip, over plain HTTP: "
        "TLS adds two round trips to an environment's first invocation. Lambda hands over smaller batches "
        f"where {RECORDS:,} records exceed its {PAYLOAD_BYTES // 2**20} MiB.",
        _table(runs, "round trip, ms", "round_trip"),
        _picture(runs),
        f"A batch of {GOAL_RECORD_BYTES}-byte records at {GOAL_ROUND_TRIP} ms takes "
        f"{median(at_goal['seconds']):.2f} s "
        f"({verdict(median(at_goal['seconds']), GOAL_SECONDS, at_most=True, unit=' s')}), "
        f"{RECORDS / median(at_goal['seconds']) * GOAL_RECORD_BYTES / SHARD_BYTES_PER_SECOND:.1f} times "
        "what a shard takes in by bytes, on one of its lanes. For comparison, fluentd's defaults allow at "
        f"most {FLUENTD_RECORDS_PER_REQUEST / GOAL_ROUND_TRIP * 1000:,.0f} records/s (calculated: "
        f"{FLUENTD_RECORDS_PER_REQUEST} records a request, one request per round trip) and add up to "
        f"{FLUENTD_FLUSH_SECONDS} s until the flush.",
        f"By record size, with a round trip of {GOAL_ROUND_TRIP} ms:",
        _table(figures["by_size"], "bytes a record", "record_bytes"),
        "With a compiled JSON library (orjson) the forwarder needs "
        f"{libraries['orjson']:.3f} s of CPU a batch instead of {libraries['json']:.3f}, "
        f"{1 - libraries['orjson'] / libraries['json']:.0%} less "
        "([decision](../decisions/forwarder-json-of-the-standard-library.md)).",
    )


def _table(runs: Sequence[Figures], name: str, key: str) -> Table:
    return Table(
        head=(name, "in flight", "first, s", "seconds a batch", "processor s", "records/s", "GB-s a million"),
        rows=tuple(
            (
                f"{run[key]:,}",
                f"{run['in_flight']}",
                f"{run['first']:.2f}",
                spread(run["seconds"]),
                f"{median(run['processor']):.2f}",
                f"{RECORDS / median(run['seconds']):,.0f}",
                f"{gigabyte_seconds(median(run['seconds'])):,.0f}",
            )
            for run in runs
        ),
    )


def _picture(runs: Sequence[Figures]) -> Plot:
    curves = [
        Curve(
            label=f"{number} in flight",
            points=tuple(
                (run["round_trip"], gigabyte_seconds(median(run["seconds"])))
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
        y="GB-seconds a million records",
        curves=tuple(curves),
        logarithmic=False,
    )


SECTION = Benchmark(name="forwarder", title="The forwarder", measure=measure, report=report)
