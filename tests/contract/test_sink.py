"""Sinks: their names and index families."""

from datetime import date
from fnmatch import fnmatchcase

import pytest

from contract.sink import CLICK_COUNTS, SINKS, Sink
from names import day_index, delivery_index, generation_family, generation_patterns, index_pattern


def test_a_new_generation_has_its_own_index_family() -> None:
    first, second = (
        Sink(table="t", name="counts", family="click-counts", key=("minute",), generation=generation)
        for generation in (1, 2)
    )
    assert (first.index_family, second.index_family) == ("click-counts", "click-counts-2")


@pytest.mark.parametrize("part", ["table", "name", "index_family"])
def test_no_two_sinks_share_a_name(part: str) -> None:
    assert len({getattr(sink, part) for sink in SINKS}) == len(SINKS)


@pytest.mark.parametrize("other", ["click-counts-platform", "click-counts2", "click", "click-counts-2026"])
def test_the_pattern_of_an_index_family_matches_no_index_of_another(other: str) -> None:
    for family, stranger in ((CLICK_COUNTS.index_family, other), (other, CLICK_COUNTS.index_family)):
        for index in (day_index(stranger, date(2026, 1, 31)), delivery_index(stranger)):
            assert not any(fnmatchcase(index, pattern) for pattern in generation_patterns(family))
        assert fnmatchcase(delivery_index(family), index_pattern(family))


@pytest.mark.parametrize("name", ["click.counts", "", "Click", "click--counts", "-click", "click-", "click*"])
def test_a_name_that_could_match_anothers_indices_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="in lower case, with single hyphens"):
        Sink(table="t", name="counts", family=name, key=("minute",))


def test_the_patterns_of_a_family_match_each_generation_of_its_counts() -> None:
    family = CLICK_COUNTS.index_family
    for generation in (1, 2, 30):
        index = day_index(generation_family(family, generation), date(2026, 1, 31))
        assert [fnmatchcase(index, pattern) for pattern in generation_patterns(family)].count(True) == 1
