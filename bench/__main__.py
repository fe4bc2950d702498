"""Measure how fast everything is: python -m bench [--scale SCALE] [--record] [SECTION ...].

Each section is shown as soon as it is measured; with --record it also goes into docs/benchmarks/figures.json,
and docs/benchmarks.md is made anew. Exit code 1 if the SQL job has become slower than the guard allows.
"""

import argparse
import sys
import time

from rich.console import Console

from bench.figures import measured, record, recorded
from bench.guard import regression
from bench.page import measured_on, write
from bench.report import show
from bench.scale import SCALES
from bench.sections import SECTIONS, counting


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = [section.name for section in SECTIONS]
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(names))
    parser.add_argument("--scale", choices=SCALES, default="full", help="how much of each")
    parser.add_argument("--record", action="store_true", help="write the figures and the page")
    given = parser.parse_args()
    if unknown := set(given.sections) - set(names):
        parser.error(f"no section {', '.join(sorted(unknown))}: there are {', '.join(names)}")
    every = [section.name for section in SECTIONS if not section.on_demand]
    console = Console(width=130, highlight=False)
    scale = SCALES[given.scale]
    slower = None
    for section in SECTIONS:
        if section.name not in (given.sections or every):
            continue
        began = time.monotonic()
        console.rule(section.title)
        entry = measured(section, scale)
        if given.record:
            record(section.name, entry)
        console.print(measured_on(section, entry))
        for block in section.report(entry["figures"]):
            show(console, block)
        console.print(f"({section.name}: {time.monotonic() - began:.0f} s)")
        if section is counting.SECTION:
            slower = regression(counting.ratio_to(entry["figures"], counting.DUCKDB))
        if given.record:
            write(recorded())
    if slower:
        console.print(f"SLOWER: {slower}")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
