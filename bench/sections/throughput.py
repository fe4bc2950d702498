"""The most clicks a second that the whole path in the twin holds, and which part is at its limit.

The rate rises in short steps until one does not hold. Four fifths of the highest that held then runs for ten
minutes, and a fifth less each time that it does not hold. Short steps with one click in each record follow,
for comparison. At the end every click sent is reconciled.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from bench.report import Benchmark, Block, Curve, Figures, Plot, Table
from bench.scale import Scale
from bench.throughput_run import (
    MAX_LAG_GROWTH_SECONDS,
    MAX_LAG_SECONDS,
    ONE_CLICK,
    Runs,
    segments,
)
from bench.twin_cpu import BENCHMARK, DEPLOYED, EMULATOR, IN_PROCESS, PARTS
from clients.mobile_app.pack import PACK_BYTES
from twin.twin import chosen_transport, running_twin

STEP_FACTOR = 1.5
LONG_FACTOR = 0.8
NEAR_LIMIT = 0.85
"""Share of a core, or of all: on a shared machine a part hardly gets more than this."""


def measure(scale: Scale) -> dict[str, Any]:
    if not scale.throughput_steps:
        return {"transport": chosen_transport(), "steps": [], "long_runs": [], "accounts": None}
    with running_twin() as twin:
        twin.deploy()
        twin.publish_segments(segments(), datetime.now(UTC) - timedelta(days=2))
        run = Runs(twin)
        run(rate=100, seconds=20)  # until everything is warm
        steps = _rising(run, scale, scale.throughput_steps, PACK_BYTES)
        held = [step["rate"] for step in steps if step["holds"]]
        long_runs: list[dict[str, Any]] = []
        rate = _round((held[-1] if held else steps[0]["rate"]) * LONG_FACTOR)
        while len(long_runs) < scale.throughput_long_runs and not (long_runs and long_runs[-1]["holds"]):
            long_runs.append(run(rate=rate, seconds=scale.throughput_long_seconds))
            rate = _round(rate * LONG_FACTOR)
        return {
            "transport": chosen_transport(),
            "machine_cores": len(os.sched_getaffinity(0)),
            "pack_bytes": PACK_BYTES,
            "steps": steps,
            "long_runs": long_runs,
            "one_click_a_record": _rising(run, scale, scale.throughput_one_click_steps, ONE_CLICK),
            "accounts": run.reconciliation(),
        }


def _rising(run: Runs, scale: Scale, most_steps: int, pack_bytes: int) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    rate = scale.throughput_first_rate
    while len(steps) < most_steps and not _failed_twice(steps):
        steps.append(run(rate=rate, seconds=scale.throughput_seconds, pack_bytes=pack_bytes))
        if steps[-1]["holds"]:
            rate = _round(rate * STEP_FACTOR)
    return steps


def _failed_twice(steps: Sequence[Figures]) -> bool:
    """Other load can fail a short step, so each rate has two attempts."""
    return len(steps) > 1 and not steps[-1]["holds"] and not steps[-2]["holds"]


def _round(rate: float) -> int:
    return round(rate / 10) * 10


def report(figures: Figures) -> Sequence[Block]:
    steps, long_runs, sums = figures["steps"], figures["long_runs"], figures["accounts"]
    if not steps:
        return ("Not part of a quick run.",)
    runs = [*steps, *long_runs]
    last = long_runs[-1]
    minutes = f"{last['seconds'] / 60:g} minutes"
    held = (
        f"**{last['rate']:,} clicks/s** hold for {minutes}, {_found(steps, last['rate'])}"
        if last["holds"]
        else f"no rate held for {minutes}, down to {last['rate']:,} clicks/s"
    )
    balance = "nothing is lost" if not sums["missing"] else f"{sums['missing']:,} MISSING"
    return (
        f"On one machine with the whole twin, transport `{figures['transport']}`, {held}. A rate holds if "
        "every click is sent in time and counted, the lag grows by less than "
        f"{MAX_LAG_GROWTH_SECONDS:g} s over the run, and the last click is counted within "
        f"{MAX_LAG_SECONDS:g} s. The lag is the time since the streams had acknowledged as many clicks as "
        f"OpenSearch has now. Half of the clicks come from apps, through the forwarder. {_records(figures)}",
        f"All runs together: sent {sums['sent']:,} = counted {sums['counted']:,} + rejected "
        f"{sums['rejected']:,} + unparseable {sums['unparseable']:,}; {balance}.",
        Table(
            head=("clicks/s", "seconds", "sent/s", "lag, s", "its growth, s", "last counted after, s"),
            rows=tuple(
                (
                    f"{run['rate']:,}{'' if run['holds'] else ' (does not hold)'}",
                    f"{run['seconds']:,}",
                    f"{run['sent_per_second']:,.0f}",
                    f"{median(seconds for _, seconds in run['lags']):.1f}",
                    f"{run['lag_growth']:.1f}",
                    f"{run['end_lag']:.1f}",
                )
                for run in runs
            ),
        ),
        Plot(
            name="throughput-lag",
            title="How far the counts are behind, in the twin",
            x="seconds since the first click",
            y="lag, s",
            curves=tuple(
                Curve(
                    label=f"{run['rate']:,} clicks/s{'' if run['holds'] else ', does not hold'}",
                    points=tuple((at, seconds) for at, seconds in run["lags"]),
                )
                for run in runs[-4:]
            ),
            logarithmic=False,
        ),
        _bottleneck(runs[-1], figures["machine_cores"]),
        _parts(runs[-1], _highest(figures.get("one_click_a_record", ()))),
    )


def _records(figures: Figures) -> str:
    """What the producers put into a record, and the rate with one click in each."""
    if "pack_bytes" not in figures:
        return "Each record holds one click."
    packs = f"Web servers, apps and the forwarder send records of up to {figures['pack_bytes']:,} bytes."
    one_click = figures["one_click_a_record"]
    if not one_click:
        return packs
    highest = _highest(one_click)
    if highest is None:
        return f"{packs} With one click in each, not even {one_click[0]['rate']:,} clicks/s hold."
    more = "" if _failed_twice(one_click) else ", the highest rate tried"
    return f"{packs} With one click in each, {highest['rate']:,} hold for {highest['seconds']} s{more}."


def _highest(steps: Sequence[Figures]) -> Figures | None:
    return max((step for step in steps if step["holds"]), key=lambda step: step["rate"], default=None)


def _found(steps: Sequence[Figures], rate: int) -> str:
    """How the rate of the long run follows from the short runs, and whether a higher one may hold."""
    highest = _highest(steps)
    if highest is None:
        return "though no short run did"
    found = f"{rate / highest['rate']:.0%} of the {highest['rate']:,} that hold for {highest['seconds']} s"
    if _failed_twice(steps):
        return f"{found}; {steps[-1]['rate']:,} failed twice"
    return f"{found}, the highest rate tried: more may hold"


def _bottleneck(run: Figures, machine_cores: int) -> str:
    cores, rate = run["cores"], run["sent_per_second"]
    all_, python = sum(cores.values()), sum(cores[part] for part in IN_PROCESS)
    first = max(DEPLOYED, key=lambda part: cores[part])
    limits = [
        *(["all cores of the machine"] if all_ >= NEAR_LIMIT * machine_cores else []),
        *(
            ["the one core that the Python process of workers and sender can have"]
            if python >= NEAR_LIMIT
            else []
        ),
        *(["the one core that the emulator can have"] if cores[EMULATOR] >= NEAR_LIMIT else []),
    ]
    return (
        f"In the last run, {rate:,.0f} clicks/s used {all_:.2f} of the machine's {machine_cores} cores. Of "
        f"these, the Python process of the twin's workers and the sender used {python:.2f} and the emulated "
        f"AWS {cores[EMULATOR]:.2f}; neither exists on AWS. "
        + (f"At its limit: {', '.join(limits)}. " if limits else "")
        + f"Of the deployed parts, {first} uses most: {cores[first]:.2f} cores, {rate / cores[first]:,.0f} "
        "clicks/s a core, including its fixed load. The first section shows counting alone."
    )


def _parts(run: Figures, one_click: Figures | None) -> Table:
    """one_click: a run with one click in each record."""
    runs = (run, one_click) if one_click else (run,)
    return Table(
        head=(
            "part",
            "cores",
            "clicks/s a core",
            *(("the same, one click a record",) if one_click else ()),
            "on AWS",
        ),
        rows=tuple(
            (
                part,
                f"{run['cores'][part]:.2f}",
                *(_clicks_a_core(each, part) for each in runs),
                "deployed" if part in DEPLOYED else "not there" if part in BENCHMARK else "a service",
            )
            for part in PARTS
        ),
    )


def _clicks_a_core(run: Figures, part: str) -> str:
    cores = run["cores"][part]
    return f"{run['sent_per_second'] / cores:,.0f}" if cores >= 0.01 else ""


SECTION = Benchmark(
    name="throughput", title="What the whole path holds", measure=measure, report=report, on_demand=True
)
