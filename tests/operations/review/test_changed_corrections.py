"""Corrections of the segments change only with the generation that the application counts into."""

import pytest

from operations.review.findings import Kind
from operations.review.settings_changes import CORRECTIONS, Setting, setting_changes, setting_findings

FIRST, SECOND = "20260128T000000Z/0001", "20260129T000000Z/0001"


def of(generation: int, corrections: dict[str, int]) -> dict[str, Setting]:
    return {
        "analytics.counts_generation": Setting(value=generation, default=1, meaning=""),
        CORRECTIONS: Setting(value=corrections, default={}, meaning=""),
    }


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        (of(2, {}), of(2, {FIRST: 2}), f"`{FIRST}`"),
        (of(2, {FIRST: 2}), of(2, {}), f"`{FIRST}`"),
        (of(2, {FIRST: 2}), of(2, {FIRST: 2, SECOND: 3}), None),  # ahead of the generation that reads it
        (of(2, {FIRST: 2}), of(3, {FIRST: 2, SECOND: 3}), None),
    ],
)
def test_segments_that_change_within_a_generation_are_found(
    old: dict[str, Setting], new: dict[str, Setting], moved: str | None
) -> None:
    counted_into = new["analytics.counts_generation"].value
    found = list(setting_findings(setting_changes(old, new), counted_into=counted_into))
    assert [finding.kind for finding in found] == ([Kind.BROKEN] if moved else [])
    assert all(moved in finding.text for finding in found if moved)
