"""Lists over several days where many articles have as many clicks as the last one listed."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from clients.batch_server import ALL_READERS, TrendingReader, TrendsError, aggregations, top_articles
from clients.batch_server.question import Question
from tests.clients.batch_server.counts import AddCounts, count

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LISTED_A_DAY = 4 * 1 + top_articles.SPARE_CANDIDATES  # of a question for one article


def test_an_article_in_no_days_list_wins_a_tie_by_its_id(
    reader: TrendingReader, add_counts: AddCounts, day: datetime
) -> None:
    first = {"z1": 10, "z2": 10, **{f"b{n:03}": 5 for n in range(LISTED_A_DAY - 2)}, "m": 5}
    second = {**{f"c{n:03}": 5 for n in range(LISTED_A_DAY)}, "m": 5}
    add_counts(count(day, article_id, clicks) for article_id, clicks in first.items())
    add_counts(count(day + DAY, article_id, clicks) for article_id, clicks in second.items())
    [top] = reader.top(2 * DAY, limit=1, until=day + DAY + MINUTE).articles
    assert (top.article_id, top.clicks) == ("m", 10)


def test_articles_that_come_while_flat_counts_are_listed_have_room(
    reader: TrendingReader, add_counts: AddCounts, day: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_counts(count(day, f"a{number:03}", 1) for number in range(3 * LISTED_A_DAY))
    batches = top_articles._batches

    def more_come(counts: Mapping[top_articles.Key, int]) -> Iterator[list[top_articles.Key]]:
        add_counts(count(day, f"b{number:03}", 1) for number in range(100))
        return batches(counts)

    monkeypatch.setattr(top_articles, "_batches", more_come)
    top = reader.top(2 * DAY, limit=1, until=day + DAY + MINUTE)
    assert [article.article_id for article in top.articles] == ["a000"]


@pytest.mark.parametrize("bound", [-1, 1])
def test_a_list_that_a_shard_may_have_cut_is_an_error(bound: int) -> None:
    """Below 0 OpenSearch cannot tell by how much."""
    articles = {"doc_count_error_upper_bound": bound, "buckets": []}
    answer = {"0": {"segments": {"articles": articles}}}
    question = cast(Question, SimpleNamespace(ask=lambda _: answer, segment=ALL_READERS))
    with pytest.raises(TrendsError, match="grew while they were listed"):
        top_articles._lists_of(question, [((), ALL_READERS)], aggregations.articles(size=1))
