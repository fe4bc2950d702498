"""The twin reports the segments' problems: the rule, and the application's log and metrics."""

import pytest

from twin.segments_monitor import segments_state

GOOD = {"segmentsUsers": 2000.0, "segmentsRefusedVersions": 0.0, "segmentsShrunkenVersions": 0.0}
LOG = [
    "2026-01-31 12:00:00,000 ERROR clicktrends.reference.VersionDirectory [] - Refused a version: "
    "file:/tmp/twin/segments/20260131T000000Z.csv, line 3: gender is empty; give it a value. The last good "
    "version, if any, stays in force. Publish the corrected file under a later valid_from.\n",
    "2026-01-31 12:00:10,000 ERROR clicktrends.reference.VersionDirectory [] - Refused "
    "file:///tmp/twin/segments: '2026-01-31T00:00:00Z.csv' is no file named like 20260131T000000Z.csv. "
    "Nobody gets a segment from it: publish it under such a name.\n",
    "another line\n",
]


def test_good_segments_are_no_problem() -> None:
    state = segments_state(GOOD, LOG)
    assert state is not None
    assert state.problem is None


def test_nothing_is_known_before_the_table_is_open() -> None:
    assert segments_state({}, LOG) is None
    assert segments_state({"segmentsUsers": 2000.0}, LOG) is None


@pytest.mark.parametrize(
    ("gauges", "log", "problem"),
    [
        ({"segmentsUsers": 0.0}, LOG, "no version is in force, so every reader counts as unknown"),
        (
            {"segmentsRefusedVersions": 1.0},
            LOG[:1],
            "1 refused, the last: 20260131T000000Z.csv, line 3: gender is empty; give it a value",
        ),
        (
            {"segmentsRefusedVersions": 2.0},
            LOG,
            "2 refused, the last: '2026-01-31T00:00:00Z.csv' is no file named like 20260131T000000Z.csv",
        ),
        ({"segmentsRefusedVersions": 1.0}, [], "1 refused"),
        (
            {"segmentsShrunkenVersions": 1.0, "segmentsUsers": 0.0},
            [],
            "no version is in force, so every reader counts as unknown; 1 with less than half of the readers "
            "of the former version",
        ),
    ],
)
def test_problems_are_reported_on_one_line(gauges: dict[str, float], log: list[str], problem: str) -> None:
    state = segments_state(GOOD | gauges, log)
    assert state is not None
    assert state.problem == f"segments: {problem}"
