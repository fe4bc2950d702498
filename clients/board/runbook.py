"""The runbook's sections, for alarms that name no address of it: where the source tree is at hand."""

import re
from pathlib import Path

FILE = "docs/operate/runbook.md"
PAGE = Path(__file__).parents[2] / FILE
_HEADING = re.compile(r"^(#{2,3}) (.+)$", re.MULTILINE)


def section(anchor: str, page: Path = PAGE) -> str | None:
    """The text of the section with this anchor, as GitHub makes it of a heading; None if there is none."""
    try:
        text = page.read_text(encoding="utf-8")
    except OSError:
        return None
    headings = [*_HEADING.finditer(text)]
    for number, heading in enumerate(headings):
        if _anchor(heading[2]) == anchor:
            after = (later.start() for later in headings[number + 1 :] if len(later[1]) <= len(heading[1]))
            return text[heading.start() : next(after, len(text))]
    return None


def link(runbook: str) -> str | None:
    """What the page links to; None for a text that is no address. runbook: of an alarm's description."""
    if re.match(r"https?://", runbook):
        return runbook
    file, _, anchor = runbook.partition("#")
    return f"/runbook/{anchor}" if file == FILE and re.fullmatch(r"[\w-]+", anchor, re.ASCII) else None


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
