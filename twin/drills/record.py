"""What `make drills` found, by fault: docs/reference/drills.json."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = Path(__file__).parents[2] / "docs" / "reference" / "drills.json"


@dataclass(frozen=True, kw_only=True)
class DrillRecord:
    """on: the day, as 2026-01-31; passed: whether all was well at last and every click accounted for;
    seconds: from the fault until then; reconciled: the sum of the clicks, or what failed."""

    on: str
    passed: bool
    seconds: int
    reconciled: str


def read_records(file: Path = FILE) -> dict[str, DrillRecord]:
    """By fault; empty before the first."""
    if not file.exists():
        return {}
    return {name: DrillRecord(**entry) for name, entry in json.loads(file.read_text("utf-8")).items()}


def write_records(records: dict[str, DrillRecord], known: Iterable[str], file: Path = FILE) -> None:
    """Beside those of other drills; of faults that are known no longer none stays."""
    kept = {**read_records(file), **records}
    entries = {name: asdict(kept[name]) for name in known if name in kept}
    file.write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
