"""What a version may do to the one before it, and what a publisher may say about it."""

from dataclasses import replace

import pytest

from contract.count import SEGMENT_COLUMNS
from contract.segments import (
    ALLOWANCES,
    GONE_VALUES,
    NEW_VALUES,
    SHRINK,
    RefusedSegments,
    allowances,
    problem_of_name,
)
from tests.contract.segment_files import FIRST, RULES, accepted, reason, refused, row
from tests.segments import segments_csv

PREVIOUS = accepted(segments_csv({f"u{i}": {FIRST: "a" if i % 2 else "b"} for i in range(100)}))
AFTER = replace(RULES, previous=PREVIOUS)


def version(users: int, *values: str) -> str:
    return segments_csv({f"u{i}": {FIRST: values[i % len(values)]} for i in range(users)})


def test_a_version_may_shrink_by_the_set_share_and_by_more_only_if_allowed() -> None:
    assert accepted(version(80, "a", "b"), AFTER).users == 80
    assert reason(version(79, "a", "b"), AFTER).startswith("79 users, where the version before has 100:")
    assert accepted(version(79, "a", "b"), replace(AFTER, allow=frozenset({SHRINK}))).users == 79


def test_values_come_and_go_only_if_allowed() -> None:
    both = refused(version(100, "a", "c"), AFTER).reasons
    assert [r.text.split(";")[0] for r in both] == [
        f"{FIRST} has values that are new: 'c'",
        f"{FIRST} lacks values of the one before: 'b'",
    ]
    new, gone = (replace(AFTER, allow=frozenset({name})) for name in (NEW_VALUES, GONE_VALUES))
    assert "lacks" in reason(version(100, "a", "c"), new)
    assert "new" in reason(version(100, "a", "c"), gone)
    assert accepted(version(100, "a", "c"), replace(AFTER, allow=ALLOWANCES)).users == 100


def test_only_a_few_values_are_named() -> None:
    many = version(100, "a", "b", *map("v{:02}".format, range(98)))
    assert "'v00', 'v01', 'v02', 'v03', 'v04' and 93 more;" in reason(many, AFTER)


def test_a_column_that_the_version_before_lacks_is_not_compared() -> None:
    values = {column: PREVIOUS.values[column] for column in SEGMENT_COLUMNS[1:]}
    rules = replace(RULES, previous=replace(PREVIOUS, values=values))
    assert accepted(version(100, "z"), rules).users == 100


def test_a_file_with_bad_rows_is_not_compared_with_the_version_before() -> None:
    assert refused(version(1, "z") + row(""), AFTER).number == 1


@pytest.mark.parametrize("name", ["a.csv", "2026-01-31.csv.gz", "A_b.c-d.csv", "0" * 196 + ".csv"])
def test_names_of_uploads_that_are_taken(name: str) -> None:
    assert problem_of_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("", ".csv", ".a.csv", "_a.csv", "-a.csv", "../a.csv", "a/b.csv", "a b.csv", "é.csv", "a.csv\n"),
        *("a.CSV", "a.txt", "a.gz", "a.csv.csv", "a.csv.gz.gz", "0" * 201 + ".csv"),
    ],
)
def test_names_of_uploads_that_are_refused(name: str) -> None:
    problem = problem_of_name(name)
    assert problem is not None
    assert problem.line is None


def test_what_is_allowed_is_a_list_of_known_words() -> None:
    assert allowances("") == frozenset()
    assert allowances(" shrink, new-values,") == {SHRINK, NEW_VALUES}
    with pytest.raises(RefusedSegments, match=r"allow names 'no\\nsuch'; it takes only gone-values"):
        allowances("shrink,no\nsuch")
