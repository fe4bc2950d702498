"""The volumes are compared with the counts that they must hold; the remedy of each message is enough."""

import re
from typing import Any

import pytest

from names import TWIN_ACCOUNT
from settings import Settings, load
from settings.capacity import problems, warnings
from settings.disks import FULLEST_DISK, filled_gib_a_day, largest_volume_gib
from settings.peak import PeakSettings
from settings.search import SearchSettings
from stacks.search.alarms import FREE_STORAGE_ALARM_SHARE


def settings_of(**search: Any) -> Settings:
    """1,000 clicks a second at most, each a count of its own; 200 to 400 on the mean."""
    wanted = {"volume_gib": 100, "retention_days": 90, **search}
    return Settings(environment="trial", account="111111111111", search=SearchSettings(**wanted))


def refused(settings: Settings) -> list[str]:
    return [text for text in problems(settings) if "search.volume_gib" in text]


def warned(settings: Settings) -> list[str]:
    return [warning.text for warning in warnings(settings) if warning.id == "volumes-are-small"]


def test_the_volumes_of_a_day_equal_a_calculation_by_hand() -> None:
    documents = 1_000 * 60 * 60 * 24
    low, high = filled_gib_a_day(settings_of(), replicas=1)
    assert low == pytest.approx(documents * 0.2 * 45 * 2 / 0.75 / 1024**3)
    assert high == pytest.approx(documents * 0.4 * 70 * 2 / 0.75 / 1024**3)
    assert high * 90 == pytest.approx(541, abs=1)


def test_ten_gibibytes_for_ten_years_are_refused_with_the_remedy() -> None:
    [text] = refused(settings_of(volume_gib=10, retention_days=3_650))
    assert "search.volume_gib (10) on 3 nodes holds the counts of 4 to 15 days" in text
    assert "but they are kept 3,650 days (search.retention_days)" in text
    assert "raise search.volume_gib and search.instance_count" in text


def test_volumes_that_may_be_too_small_give_a_warning_with_the_remedy() -> None:
    small = settings_of()
    assert refused(small) == []
    [text] = warned(small)
    assert "holds the counts of 49 to 155 days" in text
    for key, number in re.findall(r"search\.([a-z_]+) = (\d+)", text):
        assert warned(settings_of(**{key: int(number)})) == []
        step = 1 if key == "retention_days" else -1
        assert warned(settings_of(**{key: int(number) + step})) != []


def test_a_domain_that_never_deletes_is_told_when_it_is_full() -> None:
    [text] = warned(settings_of(retention_days=None))
    assert "kept for ever (search.retention_days)" in text
    assert "set search.retention_days = 49" in text


def test_a_node_alone_holds_each_count_once() -> None:
    alone = settings_of(instance_count=1, availability_zones=1, volume_gib=300, retention_days=200)
    assert "99 to 310 days" in warned(alone)[0]


def test_no_retention_is_advised_that_a_late_count_would_outlive() -> None:
    busier = {"peak": PeakSettings(clicks_per_second=2_000)}
    [text] = refused(settings_of(volume_gib=10, retention_days=3_650).model_copy(update=busier))
    assert "retention_days =" not in text
    busy = settings_of(retention_days=None, volume_gib=10).model_copy(update=busier)
    assert "retention_days =" not in warned(busy)[0]


def test_the_twin_has_no_volumes() -> None:
    twin = settings_of(volume_gib=10, retention_days=3_650).model_copy(update={"account": TWIN_ACCOUNT})
    assert refused(twin) == warned(twin) == []


def test_fewer_counts_a_click_need_smaller_volumes() -> None:
    few = settings_of().model_copy(update={"peak": PeakSettings(counts_per_click=0.2)})
    assert warned(few) == []


def test_the_check_on_volumes_fails_before_the_alarm_on_free_space() -> None:
    assert FULLEST_DISK <= 1 - FREE_STORAGE_ALARM_SHARE
    assert FULLEST_DISK <= 0.95 * 0.8  # AWS's formula


@pytest.mark.parametrize(
    ("instance_type", "gib"),
    [
        ("t3.small.search", 100),
        ("t3.medium.search", 200),
        ("m7g.medium.search", 768),
        ("m7g.large.search", 1_024),
        ("m7g.xlarge.search", 1_536),
        ("r7g.12xlarge.search", 3_072),
    ],
)
def test_each_node_size_has_its_largest_volume(instance_type: str, gib: int) -> None:
    assert largest_volume_gib(instance_type) == gib


def test_production_has_room_for_its_own_traffic() -> None:
    production = load("production")
    assert refused(production) == warned(production) == []
    assert production.search.volume_gib <= largest_volume_gib(production.search.instance_type)
