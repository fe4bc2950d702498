"""The page docs/reference/benchmarks.md and its pictures, from the recorded figures: python -m bench.page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.chart import draw
from bench.figures import FILE, recorded
from bench.report import Benchmark, Block, Plot, markdown
from bench.sections import SECTIONS

PAGE = FILE.parent.parent / "benchmarks.md"

HEAD = """# Benchmarks

This page shows how fast each part is and what it takes, for whoever sizes or changes it. `make bench`
measures most sections in about 50 minutes, writes `docs/reference/benchmarks/figures.json` and generates this
page from it. `python -m bench --record NAME` measures one section: `growth` and `throughput` only this way,
as each takes 20 minutes or more. `make bench-quick` measures a little of each in 5 minutes and records
nothing. Absolute figures hold for the machine named, on that day; ratios of jobs that took turns are more
portable. **None was measured on AWS**: like the seconds of drills and alarm faults, all are of the twin and
its machine only. [Cost](../operate/cost.md) and the [latency budget](latency.md) are computed.
"""


EARLIER_FORM = "These figures were recorded in an earlier form"


def page(figures: Mapping[str, Any]) -> str:
    return "\n".join([HEAD, *_parts(figures)])


def _parts(figures: Mapping[str, Any]) -> Iterator[str]:
    above = None
    for section in SECTIONS:
        yield f"## {section.title}\n"
        if section.name not in figures:
            yield f"Not recorded yet: `python -m bench --record {section.name}` measures it.\n"
            continue
        entry = figures[section.name]
        yield measured_on(section, entry, above=above) + "\n"
        above = entry["machine"]
        for block in blocks(section, entry):
            yield markdown(block) + "\n"


def blocks(section: Benchmark, entry: Mapping[str, Any]) -> Sequence[Block]:
    """What a section shows; figures in an earlier form must not break the other sections."""
    try:
        return section.report(entry["figures"])
    except (KeyError, TypeError):
        return (f"{EARLIER_FORM}: `python -m bench --record {section.name}` measures them anew.",)


def measured_on(
    section: Benchmark, entry: Mapping[str, Any], *, above: Mapping[str, Any] | None = None
) -> str:
    """When and on which machine the section was measured, and under what other load.

    above: the machine of the section above.
    """
    machine = entry["machine"]
    setup = ("cores", "processor", "memory_gib", "versions")
    same = above is not None and all(machine[key] == above[key] for key in setup)
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    busy = (
        "other load below half a core"
        if machine["other_load"] < 0.5
        else f"other work wanted {machine['other_load']:g} cores, so times are too high"
    )
    command = f"python -m bench --scale {entry['scale']} --record {section.name}"
    smaller = "" if entry["scale"] == "full" else f"; less than a full run (`{command}`)"
    if same:
        return f"*{machine['measured_at']}, machine and versions as above; {busy}{smaller}.*"
    return (
        f"*{machine['measured_at']}, {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_gib']} GiB; {busy}{smaller}. {versions}.*"
    )


def write(figures: Mapping[str, Any], file: Path = PAGE) -> None:
    """Writes the page and every picture that it shows, and deletes all other pictures there."""
    folder = file.parent / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        draw(block, folder)
        for section in SECTIONS
        if section.name in figures
        for block in blocks(section, figures[section.name])
        if isinstance(block, Plot)
    }
    for old in set(folder.glob("*.png")) - drawn:
        old.unlink()
    file.write_text(page(figures), encoding="utf-8")


if __name__ == "__main__":
    write(recorded())
