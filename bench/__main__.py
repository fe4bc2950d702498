"""Measure how fast everything is: python -m bench [--scale SCALE] [--record] [SECTION ...].

Each section is shown as soon as it is measured. --record keeps it in docs/reference/benchmarks/figures.json
and generates docs/reference/benchmarks.md. The exit code is 1 if a section could not be measured, or if the
SQL job is slower than the guard allows; the other sections are still measured and recorded. Ctrl-C and
SIGTERM leave nothing running and keep what is recorded.
"""

import argparse
import signal
import sys
import time
import traceback
from typing import Any

from rich.console import Console

from bench.figures import measured, record, recorded
from bench.page import measured_on, write
from bench.regression_check import regression
from bench.report import Benchmark, show
from bench.scale import SCALES, Scale
from bench.sections import SECTIONS
from bench.subprocesses import BenchmarkError, adopt_orphans

INTERRUPTED = 130
"""Exit code of a shell after Ctrl-C."""


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
    chosen = [section for section in SECTIONS if section.name in (given.sections or every)]
    console, began = Console(width=130, highlight=False), time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        adopt_orphans()
        problems = [_run(section, SCALES[given.scale], console, keep=given.record) for section in chosen]
    except KeyboardInterrupt:
        console.print("interrupted: what was being measured is not recorded")
        return INTERRUPTED
    except BenchmarkError as error:
        parser.error(str(error))
    console.print(f"{(time.monotonic() - began) / 60:.1f} minutes in all")
    for problem in filter(None, problems):
        console.print(problem, style="bold red", markup=False)
    return 1 if any(problems) else 0


def _run(section: Benchmark, scale: Scale, console: Console, *, keep: bool) -> str | None:
    """Measure, show and record a section. Returns what went wrong."""
    console.rule(section.title)
    try:
        before = recorded()
        entry = measured(section, scale)
        return _keep(section, entry, before, console, keep=keep)
    except BenchmarkError as error:
        return f"{section.name} was not measured or recorded: {error}"
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        return f"{section.name} was not measured or recorded: {error!r}"


def _keep(
    section: Benchmark, entry: dict[str, Any], before: dict[str, Any], console: Console, *, keep: bool
) -> str | None:
    console.print(measured_on(section, entry))
    for block in section.report(entry["figures"]):
        show(console, block)
    machine = entry["machine"]
    console.print(
        f"({section.name}: {machine['minutes']:g} minutes, {machine['processor_minutes']:g} of a processor)"
    )
    if slower := regression(section.name, entry, before):
        return slower
    if keep:
        record(section.name, entry)
        write(recorded())
    return None


if __name__ == "__main__":
    sys.exit(main())
