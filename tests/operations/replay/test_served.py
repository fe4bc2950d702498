"""A replay counts a day as the counts that readers see of it were counted, and puts them there."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.event_time import format_time
from lambdas.replay.click_range import ClickRange
from lambdas.replay.generations import in_generations
from lambdas.replay.objects import Correction, Stored, corrections
from operations.operator import RefusedError
from operations.replay.served import ServedIndex, corrections_to_read, other_generations, served_indices
from settings import load

NOW = datetime(2026, 2, 10, 9, tzinfo=UTC)
FIRST, SECOND = datetime(2026, 1, 29, tzinfo=UTC), datetime(2026, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKED = ClickRange(begin=FIRST + HOUR, end=SECOND + HOUR, arrived_until=NOW)
FAULTY = Stored("segments/20260128T000000Z.csv", 1)
LATER = Stored("segments/20260129T120000Z.csv", 1)
CORRECTED = Correction(FAULTY.key, "corrections/20260128T000000Z/0001.csv", NOW - 3 * HOUR)
ANALYTICS = load("production").analytics
AGAIN = Correction(FAULTY.key, "corrections/20260128T000000Z/0002.csv", NOW - HOUR)


def served(first: datetime | None, second: datetime | None) -> dict[str, ServedIndex]:
    """When the indices of the two days were made."""
    found = {"2026.01.29": first, "2026.01.30": second}
    return {day: ServedIndex(generation=1, made_at=at) for day, at in found.items() if at}


def test_a_correction_is_read_for_days_that_were_counted_again_since() -> None:
    versions = [FAULTY, LATER]
    for first, read in ((FIRST, {}), (NOW - 2 * HOUR, CORRECTED), (NOW, AGAIN), (None, AGAIN)):
        found = corrections_to_read(
            ASKED, versions, [CORRECTED, AGAIN], served(first, SECOND), ANALYTICS, now=NOW + HOUR
        )
        assert found == ({FAULTY.key: read.key} if isinstance(read, Correction) else {})


def test_days_of_a_version_with_and_without_its_correction_are_refused() -> None:
    with pytest.raises(RefusedError, match="the days before 2026-01-30 and those from it on apart"):
        corrections_to_read(ASKED, [FAULTY], [CORRECTED], served(NOW, SECOND), ANALYTICS, now=NOW)


@pytest.mark.parametrize(
    ("generation", "made_at", "read"),
    [
        (1, FIRST, None),  # counted before the settings named any
        (2, FIRST, CORRECTED),
        (2, FIRST + 40 * HOUR, CORRECTED),  # still before the day is final
        (3, FIRST, AGAIN),
        (2, NOW, AGAIN),  # counted again by a correction of a day that was over
    ],
)
def test_a_day_that_the_application_counted_is_replayed_with_its_corrections(
    generation: int, made_at: datetime, read: Correction | None
) -> None:
    named = {"20260128T000000Z/0002": 3, "20260128T000000Z/0001": 2}
    analytics = ANALYTICS.model_copy(update={"segments_corrections": named, "counts_generation": 3})
    days = {"2026.01.29": ServedIndex(generation=generation, made_at=made_at)}
    asked = replace(ASKED, end=SECOND)
    now = NOW + HOUR
    found = corrections_to_read(asked, [FAULTY], [CORRECTED, AGAIN], days, analytics, now=now)
    assert found == ({FAULTY.key: read.key} if read else {})


def test_days_that_another_generation_serves_are_found() -> None:
    days = {
        "2026.01.29": ServedIndex(generation=2, made_at=NOW),
        "2026.01.30": ServedIndex(generation=1, made_at=NOW),
        "2026.01.31": ServedIndex(generation=2, made_at=NOW),
    }
    assert other_generations(ASKED, days, counted_into=1) == {"2026.01.29": 2}
    assert other_generations(ASKED, days, counted_into=2) == {"2026.01.30": 1}


def test_served_indices_are_read_with_their_age() -> None:
    class Domain:
        def ask(self, method: str, path: str) -> dict[str, object]:
            assert (method, path) == ("GET", "/click-counts/_settings/index.creation_date")
            return {
                f"click-counts{suffix}": {"settings": {"index": {"creation_date": "1770714000000"}}}
                for suffix in (".2026.01.30", "_12.2026.01.29")
            }

    found = served_indices(Domain(), "click-counts")  # type: ignore[arg-type]
    assert found == {
        "2026.01.30": ServedIndex(generation=1, made_at=NOW),
        "2026.01.29": ServedIndex(generation=12, made_at=NOW),
    }


def test_a_count_says_its_generation_only_where_it_is_another() -> None:
    lines = [
        json.dumps({"minute": format_time(day + HOUR), "clicks": 3}).encode() + b"\n"
        for day in (FIRST, SECOND)
    ]
    assert list(in_generations(lines, {})) == lines
    put = list(in_generations(lines, {"2026.01.29": 2}))
    assert json.loads(put[0]) == {**json.loads(lines[0]), "generation": 2}
    assert put[1] == lines[1]


def test_corrections_are_listed_by_their_version_and_other_objects_are_not() -> None:
    class Bucket:
        def get_paginator(self, _: str) -> "Bucket":
            return self

        def paginate(self, **_: str) -> list[dict[str, object]]:
            keys = (CORRECTED.key, "corrections/20260128T000000Z/", "corrections/note.txt")
            return [{"Contents": [{"Key": key, "LastModified": CORRECTED.published_at} for key in keys]}]

    assert corrections(Bucket(), "segments") == [CORRECTED]
