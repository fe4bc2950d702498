"""CPU of the SQL job and of its decoder by the form of records, and the decoder's for the worst records.

Slopes of the real job (bench/flink_counts.py), as in bench/sections/counting.py: all forms take turns, so
that they meet the same load of the machine. The decoder alone is measured on a thread of its own. Both get
whole records by bench/framed/.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any

from analytics_sql.local_flink import JAR, find_java
from bench.clicks import write_clicks, write_segments
from bench.records import Form, aggregated, glued, lines, packed, worst_records, write_framed
from bench.report import Benchmark, Block, Figures, Table, spread, verdict
from bench.scale import Scale
from bench.sections.counting import slope
from bench.subprocesses import BenchmarkError, output
from bench.usage import Usage, usage
from contract.click import OPTIONAL_FIELDS, REQUIRED_FIELDS

SOURCES = Path(__file__).parent.parent / "framed"
FORMAT, TIMES = "clicktrends.bench.FramedFormatFactory", "clicktrends.json.DecoderTimes"
COLUMNS = ",".join((*REQUIRED_FIELDS, *OPTIONAL_FIELDS, "unparseable"))
CLICKS = "clicks"
ONE_CLICK = "one click"
FORMS: Mapping[str, tuple[Form, int]] = {
    ONE_CLICK: (lines, 1),
    "10 lines": (lines, 10),
    "100 lines": (lines, 100),
    "100 in one line": (glued, 100),
    "10 aggregated": (aggregated, 10),
    "100 aggregated": (aggregated, 100),
}
"""A record's clicks -> its form, and their number."""
PACKED = "100 lines"
COPIES = 8
"""Of a record of 1 MiB of clicks, with which the decoder alone is measured in each form."""


def classpath() -> str:
    """Flink's libraries and the project's connectors. Raises BenchmarkError without either."""
    pyflink = find_spec("pyflink")
    if pyflink is None or pyflink.origin is None or not JAR.is_file():
        raise BenchmarkError("Flink or the connectors are missing: run `make setup`")
    return os.pathsep.join((f"{Path(pyflink.origin).parent / 'lib'}/*", str(JAR)))


def compiled(folder: Path) -> Path:
    """The jar of bench/framed/. Raises BenchmarkError without a Java compiler."""
    find_java()
    compiler = shutil.which("javac")
    if compiler is None:
        raise BenchmarkError("the records of this section need a Java compiler: install a JDK, not only Java")
    classes = folder / "classes"
    done = subprocess.run(
        [compiler, "--release", "17", "-cp", classpath(), "-d", classes, *sorted(SOURCES.glob("*.java"))],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{SOURCES} was not compiled: {done.stderr[-2000:]}")
    jar = folder / "framed.jar"
    with zipfile.ZipFile(jar, "w") as written:
        for file in classes.rglob("*.class"):
            written.write(file, str(file.relative_to(classes)))
        written.writestr("META-INF/services/org.apache.flink.table.factories.Factory", f"{FORMAT}\n")
    return jar


def run(data: Path, segments: Path, jar: Path) -> Usage:
    with tempfile.TemporaryDirectory(dir=data.parent) as temporary:
        checkpoints = Path(temporary) / "checkpoints"
        checkpoints.mkdir()
        command = [
            *(sys.executable, "-m", "bench.flink_counts", str(data), str(segments), str(checkpoints)),
            *("--framed", str(jar)),
        ]
        return usage(command, log=Path(temporary) / "log")


def measure(scale: Scale) -> dict[str, Any]:
    clicks = (scale.decoder_small_clicks, scale.decoder_large_clicks)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        jar = compiled(folder)
        alone = _alone(folder, jar, scale)
        segments = write_segments(folder, users=scale.users)
        return {
            "clicks": clicks,
            "cpu_seconds_per_million": _by_form(folder, segments, jar, clicks, scale) if all(clicks) else {},
            **alone,
        }


def _alone(folder: Path, jar: Path, scale: Scale) -> dict[str, Any]:
    """The decoder's CPU: seconds per million clicks by form, and of each of the worst records."""
    worst = worst_records()
    clicks = worst[CLICKS].splitlines() * COPIES
    files = {form: packed(clicks, number, make) for form, (make, number) in FORMS.items()}
    files |= {name: repeat(record, 1) for name, record in worst.items()}
    for position, records in enumerate(files.values()):
        write_framed(folder / str(position), records)
    java = [str(Path(os.environ["JAVA_HOME"]) / "bin" / "java") if "JAVA_HOME" in os.environ else "java"]
    printed = output(
        [
            *(*java, "-cp", os.pathsep.join((classpath(), str(jar))), TIMES),
            *(str(scale.decoder_turns), str(scale.decoder_seconds), COLUMNS),
            *(str(folder / str(position)) for position in range(len(files))),
        ]
    )
    seconds: dict[str, list[float]] = {name: [] for name in files}
    rows: dict[str, int] = {}
    for position, nanoseconds, number in (map(int, line.split()) for line in printed.splitlines()):
        name = list(files)[position]
        seconds[name].append(nanoseconds / 1e9)
        rows[name] = number
    return {
        "decoder_seconds_per_million": {
            form: [each / len(clicks) * 1e6 for each in seconds[form]] for form in FORMS
        },
        "worst": [
            {"record": name, "bytes": len(record), "rows": rows[name], "seconds": seconds[name]}
            for name, record in worst.items()
        ],
    }


def _by_form(
    folder: Path, segments: Path, jar: Path, clicks: tuple[int, int], scale: Scale
) -> dict[str, list[float]]:
    data = {(form, number): folder / f"{number}-{form}" for form in FORMS for number in clicks}
    for number in clicks:
        made = write_clicks(folder / str(number), clicks=number, users=scale.users)
        for form in FORMS:
            _write_form(made, data[form, number], form)
        shutil.rmtree(made)
    cpu: dict[str, list[float]] = {form: [] for form in FORMS}
    for _ in range(scale.runs):
        for form in FORMS:
            small, large = (run(data[form, number], segments, jar).cpu_seconds for number in clicks)
            cpu[form].append(slope(small, large, clicks))
    return cpu


def _write_form(made: Path, target: Path, form: str) -> None:
    """The clicks of each file in `made`, in records of this form."""
    target.mkdir()
    make, number = FORMS[form]
    for file in made.iterdir():
        with file.open("rb") as clicks:
            write_framed(target / file.stem, packed(clicks, number, make))


def report(figures: Figures) -> Sequence[Block]:
    job, alone = figures["cpu_seconds_per_million"], figures["decoder_seconds_per_million"]
    of_one = median(alone[ONE_CLICK])
    return (
        *_of_the_job(figures),
        "CPU s per million clicks by what a record holds; the decoder alone runs on one thread. A click "
        f"among {PACKED} takes {median(alone[PACKED]) / of_one:.2f} times the decoder's CPU of one alone "
        f"({verdict(median(alone[PACKED]) / of_one, 1, at_most=True)}). An aggregated record is digested "
        "whole, which takes longer than its clicks.",
        Table(
            head=("a record holds", *(["the job"] if job else []), "the decoder alone"),
            rows=tuple(
                (form, *([spread(job[form])] if job else []), spread(alone[form], ".3f")) for form in FORMS
            ),
        ),
        "The most work that one record of up to 1 MiB makes for the decoder; each row is a click or a reject "
        "for the job:",
        Table(
            head=("the record", "bytes", "rows", "the decoder, ms"),
            rows=tuple(
                (
                    each["record"],
                    f"{each['bytes']:,}",
                    f"{each['rows']:,}",
                    spread([seconds * 1e3 for seconds in each["seconds"]], ".1f"),
                )
                for each in figures["worst"]
            ),
        ),
    )


def _of_the_job(figures: Figures) -> Sequence[Block]:
    job = figures["cpu_seconds_per_million"]
    if not job:
        return ()
    small, large = figures["clicks"]
    return (
        f"The job is the one above: slope between {small:,} and {large:,} clicks, the forms in turn, "
        f"{len(job[ONE_CLICK])} runs each, over files of whole records, without the stream's connector.",
    )


SECTION = Benchmark(name="decoder", title="Clicks in a record", measure=measure, report=report)
