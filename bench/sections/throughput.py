"""The most clicks a second that the whole path in the twin holds, and which part is at its limit."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from bench.report import Benchmark, Block, Figures, Table
from bench.scale import Scale
from contract.event_time import format_time
from traffic.record import EntryPoint, Record
from traffic.send import TrafficTally, send
from twin.processes import TwinError, wait_for
from twin.twin import Twin, chosen_transport, running_twin

USERS, ARTICLES = 10_000, 2_000
MAX_LAG_SECONDS = 10.0
"""A rate holds if everything sent is counted this soon after the last click."""
GIVE_UP_SECONDS = 180
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(scale: Scale) -> dict[str, Any]:
    with running_twin() as twin:
        twin.deploy()
        twin.publish_segments(_segments(), datetime.now(UTC) - timedelta(days=2))
        counted = _run(twin, rate=100, seconds=20, counted=0)["counted"]  # until everything is warm
        steps: list[dict[str, Any]] = []
        for rate in scale.path_rates:
            steps.append(_run(twin, rate=rate, seconds=scale.path_seconds, counted=counted))
            counted = steps[-1]["counted"]
            if not steps[-1]["holds"]:
                break
        held = [step["rate"] for step in steps if step["holds"]]
        long_run = None
        if held and scale.path_long_seconds:
            long_run = _run(twin, rate=held[-1], seconds=scale.path_long_seconds, counted=counted)
    return {"transport": chosen_transport(), "steps": steps, "long_run": long_run}


def _segments() -> bytes:
    rows = (f"user-{user:05},{('female', 'male')[user % 2]},20s,tokyo" for user in range(USERS))
    return "\n".join(["user_id,gender,age_band,region", *rows, ""]).encode()


def _clicks(rate: float, seconds: float) -> Iterator[Record]:
    """From web servers, each clicked as it is taken from here."""

    def click(number: int) -> Record:
        data = (
            f'{{"click_id":"{rate}-{number}","clicked_at":"{format_time(datetime.now(UTC))}",'
            f'"user_id":"user-{number % USERS:05}","article_id":"article-{number * 7919 % ARTICLES:05}"}}\n'
        ).encode()
        return Record(data, sha256(data).hexdigest()[:16], EntryPoint.WEB, number / rate, "counted")

    return takewhile(lambda record: record.due < seconds, map(click, count()))


def _run(twin: Twin, *, rate: float, seconds: float, counted: int) -> dict[str, Any]:
    """Send at a rate; how far the counts were behind on the way, and when the last click was counted."""
    tally, stop = TrafficTally(), threading.Event()
    sender = threading.Thread(
        target=send, args=(_clicks(rate, seconds), twin.producers(), tally, stop), daemon=True
    )
    behind: list[int] = []
    before, began = processor_seconds(), time.monotonic()
    sender.start()
    while sender.is_alive():
        sender.join(5)
        twin.check()
        behind.append(tally.totals().sent - (twin.counted() - counted))
    sent, sending = tally.totals().sent, time.monotonic() - began
    used = {name: (now - before[name]) / sending for name, now in processor_seconds().items()}

    def all_counted() -> bool:
        twin.check()
        return twin.counted() - counted >= sent

    try:
        wait_for(all_counted, what="every click counted", timeout_seconds=GIVE_UP_SECONDS, poll_seconds=0.5)
        lag = time.monotonic() - began - sending
    except TwinError:
        lag = float(GIVE_UP_SECONDS)
    now_counted = twin.counted()
    return {
        "rate": rate,
        "seconds": seconds,
        "sent": sent,
        "sent_per_second": sent / sending,
        "behind": behind,
        "lag_seconds": lag,
        "missing": sent - (now_counted - counted),
        "holds": lag <= MAX_LAG_SECONDS and sending <= seconds * 1.05 and now_counted - counted == sent,
        "cores": used,
        "counted": now_counted,
    }


PARTS: dict[str, Callable[[str], bool]] = {
    "Flink": lambda command: "flink" in command.lower(),
    "OpenSearch": lambda command: "org.opensearch.bootstrap" in command,
    "emulated AWS": lambda command: "ministack" in command or "microburst" in command,
}
WORKERS = "the twin's workers and the sender"


def processor_seconds() -> dict[str, float]:
    """User and system time so far of this process's children by part, and of this process with its "
    "threads."""
    me = os.getpid()
    seconds = dict.fromkeys(PARTS, 0.0)
    for process, command in _descendants(me):
        for part, is_of in PARTS.items():
            if is_of(command):
                seconds[part] += _seconds_of(process)
                break
    return seconds | {WORKERS: _seconds_of(me)}


def _descendants(ancestor: int) -> Iterator[tuple[int, str]]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(_fields(int(folder.name))[1])
        except OSError:
            continue  # it has just ended
    for process in parents:
        above: int | None = process
        while above is not None and above != ancestor:
            above = parents.get(above)
        if above == ancestor and process != ancestor:
            try:
                command = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            yield process, command


def _fields(process: int) -> list[str]:
    """Of /proc/<process>/stat after the name, which may hold anything: state, parent, ..."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _seconds_of(process: int) -> float:
    try:
        fields = _fields(process)
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def report(figures: Figures) -> Sequence[Block]:
    steps, long_run = figures["steps"], figures["long_run"]
    if not steps:
        return ("Not part of a quick run.",)
    runs = [*steps, *([long_run] if long_run else [])]
    held = [step for step in runs if step["holds"]]
    parts = list(runs[0]["cores"])
    busiest = max(runs[-1]["cores"].items(), key=lambda item: item[1])
    highest = f"{held[-1]['rate']:,} clicks/s for {held[-1]['seconds']:,} s" if held else "none of these"
    return (
        f"Clicks from web servers at a steady rate, transport `{figures['transport']}`, on one "
        "machine with everything "
        f"else of the twin. A rate holds if nothing is lost and the last click is counted "
        f"{MAX_LAG_SECONDS:g} s "
        f"after it was sent: {highest}. At the last one the busiest part is: {busiest[0]}. Flink "
        "counts far more than "
        "this alone (see above); the emulated AWS, the twin's workers and the sender are of this "
        "machine only and do "
        "not exist on AWS.",
        Table(
            head=(
                "clicks/s",
                "seconds",
                "sent/s",
                "lag at the end, s",
                "missing",
                *(f"cores: {part}" for part in parts),
            ),
            rows=tuple(
                (
                    f"{run['rate']:,}{'' if run['holds'] else ' (does not hold)'}",
                    f"{run['seconds']:,}",
                    f"{run['sent_per_second']:,.0f}",
                    f"{run['lag_seconds']:.1f}",
                    f"{run['missing']:,}",
                    *(f"{run['cores'][part]:.2f}" for part in parts),
                )
                for run in runs
            ),
        ),
    )


SECTION = Benchmark(
    name="throughput", title="What the whole path holds", measure=measure, report=report, on_demand=True
)
