"""Articles whose id holds a text, or that are among given ones: what a search box asks."""

from collections.abc import Sequence
from dataclasses import dataclass

from clients.batch_server import aggregations
from clients.batch_server.answers import Answer, TrendingArticle
from clients.batch_server.errors import QuestionError
from clients.batch_server.question import Question

MAX_FOUND = 1000
"""Articles that one search sums up. Where more are found, their sums could leave some out."""
MAX_TEXT = 100
"""Characters of a text to be found."""
MAX_TITLED = 1000


@dataclass(frozen=True, kw_only=True)
class FoundArticles(Answer):
    """articles: with their clicks in the time asked about, largest first; none when there are too many, as
    `too_many` says."""

    articles: tuple[TrendingArticle, ...]
    too_many: bool


def find(question: Question, text: str, titled: Sequence[str]) -> FoundArticles:
    """titled: ids that are found by something else, as their titles. 1 search. Raises TrendsError."""
    if not text or len(text) > MAX_TEXT:
        raise QuestionError(f"a text to find has 1 to {MAX_TEXT} characters, not {len(text)}")
    escaped = "".join(f"\\{each}" if each in "\\*?" else each for each in text)
    holding = {"wildcard": {"article_id": {"value": f"*{escaped}*", "case_insensitive": True}}}
    either = [[holding], [aggregations.among_articles(titled[:MAX_TITLED])]]
    answer = question.ask({"articles": aggregations.articles(size=MAX_FOUND)}, aggregations.any_of(either))
    too_many = len(titled) > MAX_TITLED or bool(answer and answer["articles"]["sum_other_doc_count"])
    clicks_of = aggregations.clicks_of_articles(answer["articles"]) if answer and not too_many else {}
    articles = tuple(TrendingArticle(*each) for each in clicks_of.items())
    return FoundArticles(articles=articles, too_many=too_many, **question.answer)
