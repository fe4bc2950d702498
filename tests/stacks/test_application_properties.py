"""The application's properties fit the service; tests/analytics_sql/test_main.py compares all of them."""

from settings import Settings
from tests.deployed import deployed_properties

PROPERTIES = deployed_properties(Settings(environment="trial", account="111111111111"))
MAX_VALUE_LENGTH = 2_048


def test_every_value_fits_a_property_of_the_service() -> None:
    values = [value for group in PROPERTIES.values() for value in group.values()]
    assert max(map(len, values)) <= MAX_VALUE_LENGTH
    assert all(PROPERTIES.values())
