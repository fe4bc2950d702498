"""The application's properties fit the service; tests/analytics_sql/test_main.py compares all of them."""

import pytest
from pydantic import ValidationError

from settings import Settings
from settings.analytics import MAX_CORRECTIONS, AnalyticsSettings
from tests.deployed import deployed_properties

PROPERTIES = deployed_properties(Settings(environment="trial", account="111111111111"))
MAX_VALUE_LENGTH = 2_048


def test_every_value_fits_a_property_of_the_service() -> None:
    values = [value for group in PROPERTIES.values() for value in group.values()]
    assert max(map(len, values)) <= MAX_VALUE_LENGTH
    assert all(PROPERTIES.values())


def corrected(corrections: dict[str, int], *, generation: int) -> str | None:
    analytics = AnalyticsSettings(counts_generation=generation, segments_corrections=corrections)
    found = deployed_properties(Settings(environment="trial", account="111111111111", analytics=analytics))
    return found["segments"].get("corrections")


def test_the_application_reads_the_corrections_of_its_generation_and_of_those_before() -> None:
    named = {"20260131T000000Z/0002": 3, "20260131T000000Z/0001": 2, "20260130T000000Z/0001": 3}
    folder = "s3://click-trends-trial-segments-111111111111/corrections"
    assert corrected(named, generation=1) is None
    assert corrected(named, generation=2) == f"{folder}/20260131T000000Z/0001.csv"
    assert sorted((corrected(named, generation=3) or "").split(";")) == [
        f"{folder}/20260130T000000Z/0001.csv",
        f"{folder}/20260131T000000Z/0002.csv",
    ]


def test_as_many_corrections_as_the_settings_take_fit_a_property() -> None:
    most = {f"202601{day:02}T000000Z/0001": 2 for day in range(1, MAX_CORRECTIONS + 1)}
    assert len(corrected(most, generation=2) or "") <= MAX_VALUE_LENGTH - MAX_CORRECTIONS * 20  # longer names


@pytest.mark.parametrize("wrong", [{"20260131T000000Z": 2}, {"a/0001": 2}, {"20260131T000000Z/0001": 1}])
def test_a_name_that_no_correction_has_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        AnalyticsSettings(segments_corrections=wrong)
