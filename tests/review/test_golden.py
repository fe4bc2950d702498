"""The page of each typical change, as recorded in golden/: read there what a reviewer would see."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from review.page import page
from review.report import review
from tests.review.laboratory import Laboratory
from tests.review.scenarios import ALL, Scenario


class OnePageAChange(SingleFileSnapshotExtension):
    file_extension = "md"
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / "golden")

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:  # noqa: ARG003
        return str(index)


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.__name__)
def test_the_page_of_a_typical_change_is_as_recorded(
    scenario: Scenario, laboratory: Laboratory, snapshot: SnapshotAssertion
) -> None:
    report = review("production", *scenario(laboratory))
    assert page(report) == snapshot(name=scenario.__name__, extension_class=OnePageAChange)
