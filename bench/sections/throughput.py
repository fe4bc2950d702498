"""The most clicks a second that the whole path in the twin holds, and which part is at its limit.

The rate rises in short steps until one does not hold. Four fifths of the highest that held then runs for ten
minutes, and a fifth less each time that it does not hold. At the end every click sent is reconciled.
"""

import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count, takewhile
from statistics import linear_regression, median
from typing import Any

from bench.report import Benchmark, Block, Curve, Figures, Plot, Table
from bench.scale import Scale
from bench.twin_cpu import BENCHMARK, DEPLOYED, EMULATOR, IN_PROCESS, PARTS, SENDER, PartTimes
from contract.count import SEGMENT_COLUMNS, SEGMENT_FILE_HEADER
from contract.event_time import format_time
from settings import load
from twin.processes import TwinError, wait_for
from twin.traffic.record import EntryPoint, Record
from twin.traffic.send import TrafficTally, send
from twin.twin import ENVIRONMENT, Twin, chosen_transport, running_twin

USERS, ARTICLES = 10_000, 2_000
GOOD, BAD_TIME, NO_JSON = "good", "bad time", "no JSON"
ONE_BAD_OF = 200
"""Of this many clicks one has a bad time, and one line is not JSON."""
SAMPLE_SECONDS = 2.0
MAX_LAG_SECONDS = 15.0
MAX_LAG_GROWTH_SECONDS = 3.0
"""Over a run, by least squares: how much the lag varies at a rate that holds."""
MAX_SENDING = 1.05
GIVE_UP_LAG_SECONDS = 45.0
GIVE_UP_LAG_GROWTH_SECONDS = 3 * MAX_LAG_GROWTH_SECONDS
"""A run this far behind, or falling behind this fast, is ended: it does not hold."""
SETTLE_SECONDS = 300
STEP_FACTOR = 1.5
LONG_FACTOR = 0.8
MAX_LONG_RUNS = 3
NEAR_LIMIT = 0.85
"""Share of a core, or of all: on a shared machine a part hardly gets more than this."""


def measure(scale: Scale) -> dict[str, Any]:
    if not scale.throughput_steps:
        return {"transport": chosen_transport(), "steps": [], "long_runs": [], "accounts": None}
    with running_twin() as twin:
        twin.deploy()
        twin.publish_segments(_segments(), datetime.now(UTC) - timedelta(days=2))
        run = _Runs(twin)
        run(rate=100, seconds=20)  # until everything is warm
        steps: list[dict[str, Any]] = []
        rate = scale.throughput_first_rate
        while len(steps) < scale.throughput_steps and not _failed_twice(steps):
            steps.append(run(rate=rate, seconds=scale.throughput_seconds))
            if steps[-1]["holds"]:
                rate = _round(rate * STEP_FACTOR)
        held = [step["rate"] for step in steps if step["holds"]]
        long_runs: list[dict[str, Any]] = []
        rate = _round((held[-1] if held else steps[0]["rate"]) * LONG_FACTOR)
        while len(long_runs) < MAX_LONG_RUNS and not (long_runs and long_runs[-1]["holds"]):
            long_runs.append(run(rate=rate, seconds=scale.throughput_long_seconds))
            rate = _round(rate * LONG_FACTOR)
        return {
            "transport": chosen_transport(),
            "machine_cores": len(os.sched_getaffinity(0)),
            "steps": steps,
            "long_runs": long_runs,
            "accounts": run.reconciliation(),
        }


def _failed_twice(steps: Sequence[Figures]) -> bool:
    """Other load can fail a short step, so each rate has two attempts."""
    return len(steps) > 1 and not steps[-1]["holds"] and not steps[-2]["holds"]


def _round(rate: float) -> int:
    return round(rate / 10) * 10


def _segments() -> bytes:
    others = ["any"] * (len(SEGMENT_COLUMNS) - 1)
    rows = (",".join([f"user-{user:05}", ("a", "b")[user % 2], *others]) for user in range(USERS))
    return "\n".join([",".join(SEGMENT_FILE_HEADER), *rows, ""]).encode()


def clicks(run: int, rate: float, seconds: float, mobile_share: float) -> Iterator[Record]:
    """Clicks from apps and web servers; each happens when it is taken from here."""

    def click(number: int) -> Record:
        label = {0: BAD_TIME, ONE_BAD_OF // 2: NO_JSON}.get(number % ONE_BAD_OF, GOOD)
        id_ = f"{run}-{number}"
        text = json.dumps(
            {
                "click_id": id_,
                "clicked_at": "noon" if label == BAD_TIME else format_time(datetime.now(UTC)),
                "user_id": f"user-{number % USERS:05}",
                "article_id": f"article-{number * 7919 % ARTICLES:05}",
            }
        )
        key = sha256(id_.encode()).hexdigest()[:16]
        mobile = int(key[:4], 16) < mobile_share * 0x10000
        return Record(
            (f"noon {id_}" if label == NO_JSON else text).encode() + b"\n",
            key,
            EntryPoint.MOBILE if mobile else EntryPoint.WEB,
            number / rate,
            label,
        )

    return takewhile(lambda record: record.due < seconds, map(click, count()))


@dataclass
class _Sent:
    """What the streams have acknowledged, of all runs together."""

    records: int = 0
    good: int = 0


class _Runs:
    """Sends at a rate and tracks how far the counts are behind."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._number = 0
        self._sent = _Sent()
        self._mobile_share = load(ENVIRONMENT).peak.mobile_share

    def __call__(self, *, rate: int, seconds: int) -> dict[str, Any]:
        self._number += 1
        twin, tally, stop = self._twin, TrafficTally(), threading.Event()
        failed: list[Exception] = []
        records = clicks(self._number, rate, seconds, self._mobile_share)

        def sending() -> None:
            try:
                send(records, twin.producers(), tally, stop)
            except Exception as error:
                failed.append(error)

        sender = threading.Thread(target=sending, daemon=True, name=SENDER)
        times = PartTimes()
        before, began = times.seconds(), time.monotonic()
        positions = [(0.0, 0, 0)]  # seconds, good clicks acknowledged, of these counted
        lags: list[tuple[float, float]] = []
        sender.start()
        try:
            while sender.is_alive():
                sender.join(SAMPLE_SECONDS)
                twin.check()
                times.sample()
                counted = twin.counted() - self._sent.good
                good = tally.totals().sent_by_label.get(GOOD, 0)
                positions.append((time.monotonic() - began, good, counted))
                lags.append((positions[-1][0], lag(positions)))
                if lags[-1][1] > GIVE_UP_LAG_SECONDS or lag_growth(lags) > GIVE_UP_LAG_GROWTH_SECONDS:
                    stop.set()
        finally:
            stop.set()
        sender.join()
        if failed:
            raise failed[0]
        sent_seconds, after = time.monotonic() - began, times.seconds()
        totals = tally.totals()
        good = totals.sent_by_label.get(GOOD, 0)
        self._sent.records += totals.sent
        self._sent.good += good
        end_lag = self._settle(began + sent_seconds)
        cut_short = sent_seconds < seconds * 0.9
        growth = lag_growth(lags)
        missing = self._sent.good - twin.counted()
        return {
            "rate": rate,
            "seconds": seconds,
            "sent": totals.sent,
            "sent_per_second": totals.sent / sent_seconds,
            "possible_duplicates": totals.possible_duplicates,
            "lags": lags,
            "lag_growth": growth,
            "end_lag": end_lag,
            "missing": missing,
            "holds": not cut_short
            and missing == 0
            and sent_seconds <= seconds * MAX_SENDING + SAMPLE_SECONDS
            and growth <= MAX_LAG_GROWTH_SECONDS
            and end_lag <= MAX_LAG_SECONDS,
            "cores": {part: (after[part] - before[part]) / sent_seconds for part in PARTS},
        }

    def _settle(self, sent_at: float) -> float:
        """Seconds from the last click until every click is counted."""

        def all_counted() -> bool:
            self._twin.check()
            return self._twin.counted() >= self._sent.good

        try:
            wait_for(all_counted, what="all counted", timeout_seconds=SETTLE_SECONDS, poll_seconds=0.5)
        except TwinError:
            self._twin.check()
            return float(SETTLE_SECONDS)
        return time.monotonic() - sent_at

    def reconciliation(self) -> dict[str, int]:
        """The reconciliation of all that was sent to this twin."""

        def complete() -> bool:
            self._twin.check()
            return self._twin.reconciliation().accounted_for >= self._sent.records

        try:
            wait_for(complete, what="all accounted for", timeout_seconds=SETTLE_SECONDS, poll_seconds=5)
        except TwinError:
            self._twin.check()
        found = self._twin.reconciliation()
        return {
            "sent": self._sent.records,
            "counted": found.counted,
            "rejected": found.rejected.total() + found.rejected_by_forwarder.total(),
            "unparseable": found.unparseable,
            "missing": self._sent.records - found.accounted_for,
        }


def lag(positions: Sequence[tuple[float, int, int]]) -> float:
    """Seconds since as many clicks were acknowledged as are counted by now.

    positions: (seconds, acknowledged, counted) in turn from (0, 0, 0) on.
    """
    now, _, counted = positions[-1]
    earlier = (0.0, 0)
    for at, acknowledged, _ in positions:
        if acknowledged > counted:
            share = (counted - earlier[1]) / (acknowledged - earlier[1])
            return now - (earlier[0] + share * (at - earlier[0]))
        earlier = (at, acknowledged)
    return 0.0


def lag_growth(lags: Sequence[tuple[float, float]]) -> float:
    """Seconds by which the lag grew over a run, without its first fifth, in which it builds up."""
    steady = lags[len(lags) // 5 :]
    if len(steady) < 2:
        return 0.0
    slope = linear_regression(*zip(*steady, strict=True)).slope
    return slope * (steady[-1][0] - steady[0][0])


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
        "OpenSearch has now. Half of the clicks come from apps, through the forwarder.",
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
        _parts(runs[-1]),
    )


def _found(steps: Sequence[Figures], rate: int) -> str:
    """How the rate of the long run follows from the short runs, and whether a higher one may hold."""
    highest = max((step["rate"] for step in steps if step["holds"]), default=None)
    if highest is None:
        return "though no short run did"
    seconds = steps[0]["seconds"]
    found = f"{rate / highest:.0%} of the {highest:,} that hold for {seconds} s"
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


def _parts(run: Figures) -> Table:
    cores, rate = run["cores"], run["sent_per_second"]
    return Table(
        head=("part", "cores", "clicks/s a core", "on AWS"),
        rows=tuple(
            (
                part,
                f"{cores[part]:.2f}",
                f"{rate / cores[part]:,.0f}" if cores[part] >= 0.01 else "",
                "deployed" if part in DEPLOYED else "not there" if part in BENCHMARK else "a service",
            )
            for part in PARTS
        ),
    )


SECTION = Benchmark(
    name="throughput", title="What the whole path holds", measure=measure, report=report, on_demand=True
)
