"""The page docs/reference/benchmarks.md and its pictures, from the recorded figures: python -m bench.page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.figures import FILE, recorded
from bench.picture import draw
from bench.report import Benchmark, Block, Plot, markdown
from bench.sections import SECTIONS

PAGE = FILE.parent.parent / "benchmarks.md"

HEAD = """# Benchmarks

This page is made from `docs/reference/benchmarks/figures.json`, which `make bench` writes; nothing in it is
written by hand. `make bench` measures all sections but two in about 40 minutes,
`python -m bench --record NAME` one section; `growth` and `throughput` only so, as each takes about 20 minutes
more. `make bench-quick` measures a little of each in 5 minutes, recorded nowhere. Absolute figures are of the
machine named and of its mood that day; ratios of jobs that took turns hold better elsewhere.
"""


EARLIER_FORM = "These figures were recorded in an earlier form"


def page(figures: Mapping[str, Any]) -> str:
    return "\n".join([HEAD, *_parts(figures)])


def _parts(figures: Mapping[str, Any]) -> Iterator[str]:
    for section in SECTIONS:
        yield f"## {section.title}\n"
        if section.name not in figures:
            yield f"Not recorded yet: `python -m bench --record {section.name}` measures it.\n"
            continue
        entry = figures[section.name]
        yield measured_on(section, entry) + "\n"
        for block in blocks(section, entry):
            yield markdown(block) + "\n"


def blocks(section: Benchmark, entry: Mapping[str, Any]) -> Sequence[Block]:
    """What a section shows; figures of an earlier state of the section must not cost the page the others."""
    try:
        return section.report(entry["figures"])
    except (KeyError, TypeError):
        return (f"{EARLIER_FORM}: `python -m bench --record {section.name}` measures them anew.",)


def measured_on(section: Benchmark, entry: Mapping[str, Any]) -> str:
    """When and on what, and what else the machine was doing: a sentence or three."""
    machine = entry["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    busy = (
        "nothing else wanted a core"
        if machine["other_load"] < 0.5
        else f"other work wanted {machine['other_load']:g} cores meanwhile, so times are too high"
    )
    command = f"python -m bench --scale {entry['scale']} --record {section.name}"
    smaller = "" if entry["scale"] == "full" else f"; less than a full run (`{command}`)"
    return (
        f"*{machine['measured_at']}, {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_gib']} GiB; {busy}{smaller}. {versions}.*"
    )


def write(figures: Mapping[str, Any], file: Path = PAGE) -> None:
    """The page, and every picture that it shows in benchmarks/ beside it; no other picture stays there."""
    folder = file.parent / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        draw(block, folder)
        for section in SECTIONS
        if section.name in figures
        for block in blocks(section, figures[section.name])
        if isinstance(block, Plot)
    }
    for old in set(folder.glob("*.svg")) - drawn:
        old.unlink()
    file.write_text(page(figures), encoding="utf-8")


if __name__ == "__main__":
    write(recorded())
