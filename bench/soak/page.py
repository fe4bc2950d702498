"""What a soak found, kept with the project: docs/reference/soak.json, .md and .png.

python -m bench.soak.page makes the page from the JSON; `python -m bench.soak keep RECORD` writes all three.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.soak.picture import draw
from bench.soak.record import SoakRecord
from bench.soak.slope import CONFIDENCE
from bench.soak.verdict import SeriesVerdict, verdict

FILE = Path(__file__).parents[2] / "docs" / "reference" / "soak.json"

HEAD = """# Soak

This page shows, for whoever lets the pipeline run for weeks, what a day of clicks with drills did to its
memory, disk, lag and clicks. `make soak HOURS=2` runs it in the twin, `python -m bench.soak keep RECORD`
keeps a record; `make docs` generates this page. All figures are the twin's.

"""
TABLE = f"""
![Memory, disk, lag and clicks over time](soak.png)

*Growth*: the slope after warming up, with its {CONFIDENCE:.0%} interval (Theil and Sen), by the hour or by
the million clicks sent. *Bound*: the most that is taken for none.

| series | largest | growth | interval | bound | verdict | why this bound |
|---|---|---|---|---|---|---|
"""
DRILLS = """
| drill | began | took | outcome |
|---|---|---|---|
"""


def kept(record: SoakRecord, remark: str = "") -> dict[str, Any]:
    """What the page shows of a record; JSON. remark: what was found out about it."""
    found = verdict(record)
    end = record.end or {"at": record.samples[-1]["at"] if record.samples else 0.0, "interrupted": True}
    return {
        "start": dict(record.start),
        "seconds": end["at"],
        "whole": not end["interrupted"],
        "samples": len(record.samples),
        "clicks": found.clicks,
        "exit_code": found.exit_code,
        "remark": remark,
        "faults": [*found.deaths, *found.failed_drills],
        "series": [_series(each) for each in found.series],
        "drills": [
            {
                "fault": drill["fault"],
                "began": drill["began"],
                "ended": drill["ended"],
                "passed": drill["passed"],
            }
            for drill in record.drills
        ],
    }


def _series(each: SeriesVerdict) -> dict[str, Any]:
    series, slope = each.series, each.slope
    return {
        "name": series.name,
        "unit": series.unit,
        "per": series.per,
        "bound": series.bound,
        "why": series.why,
        "largest": each.largest,
        "growth": None if slope is None else [slope.middle, slope.low, slope.high],
        "verdict": f"{each.growth}{f': {each.reason}' if each.reason else ''}",
    }


def keep(record: SoakRecord, file: Path = FILE, remark: str = "") -> None:
    """Write the JSON, the page and the picture."""
    found = kept(record, remark)
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    file.with_suffix(".md").write_text(page(found), encoding="utf-8")
    draw(record, file.with_suffix(".png"))


def page(found: Mapping[str, Any]) -> str:
    """found: what `kept` returned."""
    start = found["start"]
    machine = start["machine"]
    ended = "to its end" if found["whole"] else "not to its end"
    lines = [
        f"{start['hours']:g} hours were asked for, and ran {ended}, {found['seconds']:,.0f} s with the "
        f"closing of the sum: the day shape of {start['shape']}, {start['rate']:g} clicks a second on the "
        f"mean, seed {start['seed']}, on {machine['cores']} cores of {machine['processor']} with "
        f"{machine['memory_gib']} GiB, {machine['measured_at']}. {found['samples']:,} samples; "
        f"{found['clicks']}.\n",
    ]
    if found["faults"]:
        lines.append("\nFailed:\n\n")
        lines += [f"- {fault}\n" for fault in found["faults"]]
    if found["remark"]:
        lines.append(f"\n{found['remark']}\n")
    lines.append(TABLE)
    lines += [_row(each) for each in found["series"]]
    lines.append(DRILLS)
    for drill in found["drills"]:
        outcome = "every click accounted for" if drill["passed"] else "failed"
        took = drill["ended"] - drill["began"]
        lines.append(f"| `{drill['fault']}` | {drill['began'] / 60:,.0f} min | {took:,.0f} s | {outcome} |\n")
    return HEAD + "".join(lines)


def _row(each: Mapping[str, Any]) -> str:
    unit = each["unit"]
    largest = "-" if each["largest"] is None else f"{each['largest']:,.1f} {unit}"
    growth = interval = "-"
    if each["growth"] is not None:
        middle, low, high = each["growth"]
        growth, interval = f"{middle:+,.1f}", f"{low:+,.1f} to {high:+,.1f}"
    bound = f"{each['bound']:,.0f} {unit} per {each['per']}"
    cells = (each["name"], largest, growth, interval, bound, each["verdict"], each["why"])
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    FILE.with_suffix(".md").write_text(page(json.loads(FILE.read_text(encoding="utf-8"))), encoding="utf-8")
