"""The latency budget as a Markdown table. `python -m settings.latency_table` writes production's into
docs/reference/latency.md."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from settings import load
from settings.environment import Settings
from settings.latency import Seconds, Stage, budget

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "latency.md"
DOCUMENTED = "production"
BEGIN, END = "<!-- budget -->", "<!-- end budget -->"


def latency_table(settings: Settings) -> str:
    """A table for each kind of producer: its stages in order, and the two sums that have targets."""
    target = settings.latency
    parts = []
    for path in budget(settings):
        rows = [
            *_rows(path.to_visible),
            _sum("**click to visible**", path.visible, target.visible_seconds),
            *_rows(path.to_served),
            _sum("**click to served**", path.served, target.served_seconds),
        ]
        head = f"| {path.producer} | typical, s | worst, s | governed by |\n|---|---:|---:|---|"
        parts.append("\n".join([head, *rows]))
    return "\n\n".join(parts)


def _rows(stages: Iterable[Stage]) -> Iterator[str]:
    for stage in stages:
        governed = f"`{stage.setting}`" if stage.setting else ""
        yield f"| {stage.name} | {stage.seconds.typical:.2f} | {stage.seconds.worst:.2f} | {governed} |"


def _sum(name: str, seconds: Seconds, target: int) -> str:
    return f"| {name} | **{seconds.typical:.2f}** | **{seconds.worst:.2f}** | target {target} |"


def page(text: str, table: str) -> str:
    """docs/reference/latency.md with its table replaced by this one."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), latency_table(load(DOCUMENTED))), encoding="utf-8")
