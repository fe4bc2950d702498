"""Makes docs/reference/drills.md from the faults and the record of `make drills`.

python -m twin.drills.page > docs/reference/drills.md
"""

import re
from collections.abc import Mapping

from twin.drills.fault import Fault
from twin.drills.faults import FAULTS
from twin.drills.record import DrillRecord, read_records

HEAD = """# Drills

This page shows what each fault does to the twin, for whoever practises an outage. `make drills`
causes them all under traffic, writes `docs/reference/drills.json` and says whether every click is accounted
for; `make docs` generates this page. The seconds, from the fault until then, are the twin's on that machine,
not AWS's, and hold the length of the fault itself.

| fault | what happens | what is seen | seconds | ends | lost |
|---|---|---|---|---|---|
"""
ROW = "| `{name}` | {what} | {seen} | {seconds} | {ends} | {lost} |\n"


def page(faults: Mapping[str, Fault] = FAULTS, records: Mapping[str, DrillRecord] | None = None) -> str:
    """records: by fault; those of the file if omitted."""
    found = read_records() if records is None else records
    return HEAD + "".join(_row(fault, found.get(name)) for name, fault in faults.items())


def _row(fault: Fault, record: DrillRecord | None) -> str:
    anchor = re.sub(r"[^\w\- ]", "", fault.runbook or "").lower().replace(" ", "-")  # as GitHub makes it
    section = fault.runbook and f"[{fault.runbook}](../operate/runbook.md#{anchor})"
    ends = "by itself" if fault.command is None else f"by `{fault.operation}`"
    return ROW.format(
        name=fault.name,
        what=fault.what,
        seen=fault.seen,
        seconds="not recorded" if record is None else record.seconds,
        ends=f"{ends}: {section}" if section else ends,
        lost="not recorded" if record is None else "nothing" if record.passed else "not known: it failed",
    )


if __name__ == "__main__":
    print(page(), end="")
