"""The top articles of many segments over a long time, asked in parts that OpenSearch answers in time each.

A part holds whole segments, so its lists are as exact as those of one question about all of them: those of
some values of one column. One search tells how many counts each value has, and the parts follow from that.
The last part of a column holds all its other values, also those that were first counted meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clients.batch_server import aggregations
from clients.batch_server.aggregations import Aggregation
from clients.batch_server.answers import TopList, TopOfSegments
from clients.batch_server.question import Question
from clients.batch_server.segment import Grouping, Segment
from clients.batch_server.top_articles import Wanted, rank
from contract.count import SEGMENT_COLUMNS

MAX_COUNTS = 1_000_000
"""Of a part, where its segments can be divided. 10 M counts of a day took 24 parts, 0.4 s of CPU each on
average and 8 s at most on a machine that was very busy (bench `board`)."""

Told = Callable[[int, int], None]
"""Is called with the number of parts that are answered, and of all."""
CountsOf = Mapping[str, Mapping[str, int]]
"""Column to its values, each with its number of counts, largest first."""


@dataclass(frozen=True, kw_only=True)
class TopPart:
    """All segments of these groupings that the filters let through."""

    groupings: tuple[Grouping, ...]
    filters: tuple[Aggregation, ...] = ()


def top_in_parts(
    new_question: Callable[[tuple[Aggregation, ...]], Question], wanted: Wanted, told: Told
) -> TopOfSegments:
    """new_question(filters): about the same minutes and readers each time. Raises TrendsError.

    The answer's freshness is that before the first part: later parts hold at least as much.
    """
    plan = new_question(())
    columns = [column for column in SEGMENT_COLUMNS if any(column in each for each in wanted.groupings)]
    answer = plan.ask({column: aggregations.values_of(column) for column in columns}) if columns else {}
    counts_of = {column: _counts(column, answer, plan.segment) for column in columns} if answer else {}
    parts = [*divided(wanted.groupings, counts_of)]
    lists: dict[Segment, TopList] = {}
    searches = plan.searches
    told(0, len(parts))
    for number, part in enumerate(parts, start=1):
        question = new_question(part.filters)
        lists |= rank(question, replace(wanted, groupings=part.groupings))
        searches += question.searches
        told(number, len(parts))

    fixed = set(plan.segment.columns)
    groupings = [fixed | set(grouping) for grouping in wanted.groupings]

    def place(segment: Segment) -> tuple[int, tuple[tuple[str, str], ...]]:
        return groupings.index(set(segment.columns)), segment.fields

    in_order = {segment: lists[segment] for segment in sorted(lists, key=place)}
    return TopOfSegments(**plan.answer | {"lists": in_order, "searches": searches})


def _counts(column: str, answer: Mapping[str, Any], within: Segment) -> dict[str, int]:
    found = aggregations.each_segment((column,), answer[column], within)
    counts = {segment.as_dict()[column]: node["doc_count"] for segment, node in found}
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def divided(groupings: Sequence[Grouping], counts_of: CountsOf) -> Iterator[TopPart]:
    """Parts of MAX_COUNTS at most where segments can be divided so; each segment is in one of them."""
    total = max((sum(values.values()) for values in counts_of.values()), default=0)
    yield from _divided(tuple(groupings), counts_of, total, ())


def _divided(
    groupings: tuple[Grouping, ...], counts_of: CountsOf, counts: float, filters: tuple[Aggregation, ...]
) -> Iterator[TopPart]:
    """counts_of: of the columns that can still divide; counts: about as many are let through."""
    able = {
        column: sum(column in each for each in groupings)
        for column, values in counts_of.items()
        if len(values) > 1
    }
    if counts <= MAX_COUNTS or not any(able.values()):
        yield TopPart(groupings=groupings, filters=filters)
        return
    column = max(able, key=lambda each: (able[each], len(counts_of[each])))
    values, left = counts_of[column], {each: of for each, of in counts_of.items() if each != column}
    inside = tuple(each for each in groupings if column in each)
    share = counts / sum(values.values())
    batches = [*_batches(values, MAX_COUNTS / share)]
    for batch in batches:
        chosen: Aggregation = {"terms": {column: batch}}
        if batch is batches[-1]:
            others = [value for each in batches[:-1] for value in each]
            chosen = {"bool": {"must_not": [{"terms": {column: others}}]}}
        size = share * sum(values[value] for value in batch)
        yield from _divided(inside, left if len(batch) == 1 else {}, size, (*filters, chosen))
    if rest := tuple(each for each in groupings if column not in each):
        yield from _divided(rest, left, counts, filters)


def _batches(values: Mapping[str, int], room: float) -> Iterator[list[str]]:
    """Of values that have room together, largest first; a larger value is alone."""
    batch: list[str] = []
    size = 0
    for value, counts in values.items():
        if batch and size + counts > room:
            yield batch
            batch, size = [], 0
        batch.append(value)
        size += counts
    yield batch
