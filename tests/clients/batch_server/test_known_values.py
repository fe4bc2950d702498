"""A value of a segment that no count has is told from one that only was not clicked."""

from datetime import datetime
from unittest import mock

import pytest

from clients.batch_server import Segment, TrendingReader
from clients.batch_server.errors import QuestionError
from contract.count import UNKNOWN
from tests.clients.batch_server.counts import AddCounts, count


def test_a_value_that_was_ever_counted_is_known(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day, "a", 1), count(day, "a", 1, age_band="70s"), count(day, "b", 2, gender="男性")])
    for known in (
        Segment(),
        Segment(age_band="70s"),
        Segment(age_band="20s", gender="男性"),  # each is, together they were not clicked
        Segment(gender=UNKNOWN, region=UNKNOWN),
    ):
        reader.check_values(known)


def test_another_value_is_refused_with_those_that_there_are(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day, "a", 1), count(day, "a", 1, age_band="70s")])
    with pytest.raises(QuestionError, match=r"has the age_band '2os': there are .*20s, .*70s"):
        reader.check_values(Segment(gender="female", age_band="2os"))


def found(*values: str, others: int = 0) -> dict[str, object]:
    return {"age_band": {"buckets": [{"key": value} for value in values], "sum_other_doc_count": others}}


@pytest.mark.parametrize("answer", [{}, found(), found("10s", others=1)])
def test_nothing_is_refused_while_the_values_are_not_known(
    reader: TrendingReader, answer: dict[str, object]
) -> None:
    with mock.patch.object(reader, "_search", return_value=answer):
        reader.check_values(Segment(age_band="2os"))


def test_of_many_values_some_are_told(reader: TrendingReader) -> None:
    answer = found(*(f"{number:03}" for number in range(60)))
    with (
        mock.patch.object(reader, "_search", return_value=answer),
        pytest.raises(QuestionError, match=r"000, 001, .*, 049 and 10 more$"),
    ):
        reader.check_values(Segment(age_band="2os"))
