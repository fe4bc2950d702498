"""The page of each typical change, as recorded in golden/: read there what a reviewer would see."""

import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from operations.review.page import page
from operations.review.report import review
from tests.operations.review.revision_pairs import RevisionBuilder
from tests.operations.review.scenarios import ALL, Scenario


class OnePageAChange(SingleFileSnapshotExtension):
    file_extension = "md"
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / "golden")

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:  # noqa: ARG003
        return str(index)


_PART_OF_COST = r"^\| \w+ \| ([\d,]+) to ([\d,]+) \| ([\d,]+) to ([\d,]+) \|\n"


def _more_than_a_dollar(row: re.Match[str]) -> str:
    low, high, new_low, new_high = (int(number.replace(",", "")) for number in row.groups())
    return row.group() if max(abs(new_low - low), abs(new_high - high)) > 1 else ""


def lasting(text: str) -> str:
    """Without what any other change of the tree would change too: digests, the cost of the whole, and of a
    part that changes by a dollar, which may be an alarm's cents rounded (and the table, where that is all it
    has), and where in a template a line is."""
    text = re.sub(r"\b[0-9a-f]{16}\b", "<digest>", text)
    text = re.sub(r"Cost ([+-])\d+ %", r"Cost \1<n> %", text)
    text = re.sub(r"[\d,]+ to [\d,]+ → [\d,]+ to [\d,]+ USD a month", "<low to high> USD a month", text)
    text = re.sub(r"^\| total \|.*$", "| total | <low to high> | <low to high> |", text, flags=re.MULTILINE)
    text = re.sub(
        r"^\| (\w+) \| — \| [\d,]+ to [\d,]+ \|$", r"| \1 | — | <low to high> |", text, flags=re.MULTILINE
    )
    text = re.sub(_PART_OF_COST, _more_than_a_dollar, text, flags=re.MULTILINE)
    text = re.sub(
        r"## Monthly cost in USD, low to high\n\n\| \| before \| after \|\n[|-]+\n(?:\| total \|.*\n)?\n",
        "",
        text,
    )
    head, summary, diff = text.partition("<details><summary>The templates")
    if not diff:
        return text
    first, *lines = diff.splitlines()
    changed = [line for line in lines if line[:1] in ("+", "-", "`")]
    return "\n".join([head + summary + first, "", *changed, "", "</details>", ""])


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.__name__)
def test_the_page_of_a_typical_change_is_as_recorded(
    scenario: Scenario, builder: RevisionBuilder, snapshot: SnapshotAssertion
) -> None:
    report = review("production", *scenario(builder))
    assert lasting(page(report)) == snapshot(name=scenario.__name__, extension_class=OnePageAChange)
