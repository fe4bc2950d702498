"""Every decision has one form: its date, its status, its parts in order; a replaced one leads to the next."""

import re
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import PROJECT

FOLDER = PROJECT / "docs" / "decisions"
RECORDS = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")
HEAD = re.compile(r"# (?P<title>.+)\n\nDate: (?P<date>\d{4}-\d\d-\d\d)\\\nStatus: (?P<status>.+)\n\n")
REPLACED = re.compile(r"replaced by \[(?P<title>[^\]]+)\]\((?P<file>[^)]+)\)")
PARTS = re.compile(r"^\*\*(Context|Decision|Measured|Not chosen|Consequences)\b", re.MULTILINE)


def head(record: Path) -> re.Match[str]:
    """Raises AssertionError where a record does not begin with its title, date and status."""
    found = HEAD.match(record.read_text(encoding="utf-8"))
    assert found, f"{record.name} begins with its title, then `Date: 2026-01-31\\`, then `Status: accepted`"
    return found


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_has_a_date_and_an_allowed_status(record: Path) -> None:
    date.fromisoformat(head(record)["date"])
    status = head(record)["status"]
    assert status == "accepted" or REPLACED.fullmatch(status)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_replaced_decision_links_to_the_accepted_one(record: Path) -> None:
    following = record
    for _ in RECORDS:
        replaced = REPLACED.fullmatch(head(following)["status"])
        if not replaced:
            break
        following = FOLDER / replaced["file"]
        assert following in RECORDS
        assert head(following)["title"] == replaced["title"]
    assert head(following)["status"] == "accepted"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_gives_context_then_decision_then_evidence(record: Path) -> None:
    parts = PARTS.findall(record.read_text(encoding="utf-8"))
    assert parts[:2] == ["Context", "Decision"]
    assert {"Measured", "Consequences"} & {*parts[2:]}
    assert len(parts) == len({*parts})
