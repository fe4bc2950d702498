"""What a viewer looks at, as questions to the reader. Equal questions of several viewers are asked once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from clients.batch_server.answers import Answer
from clients.batch_server.errors import TrendsError
from clients.batch_server.reader import TrendingReader
from clients.batch_server.segment import ALL_READERS, EACH_VALUE, Grouping, Segment
from contract.click import MAX_ID_BYTES
from contract.count import SEGMENT_COLUMNS

ARTICLES_SHOWN = 12
DIFFERENCES_SHOWN = 6
DEFAULT_BY: Grouping = ("age_band",)


class QuestionKind(StrEnum):
    """What is asked. The value is the name of the event that brings the answer."""

    HEAT_MAP = "heat_map"
    SERIES = "series"
    CLICKS = "clicks"
    RISING = "rising"
    COMPARE = "compare"
    SEGMENTS = "segments"


SECONDS_BETWEEN: Mapping[QuestionKind, float] = {
    QuestionKind.HEAT_MAP: 2.0,
    QuestionKind.SERIES: 10.0,
    QuestionKind.CLICKS: 10.0,
    QuestionKind.RISING: 30.0,
    QuestionKind.COMPARE: 30.0,
    QuestionKind.SEGMENTS: 60.0,
}
"""How often each is asked again where the budget allows it. The heat map has half the budget for itself; one
of each of the others takes two thirds of the other half (rising and compare are two searches), so that some
is saved for what a viewer chooses next."""


@dataclass(frozen=True, kw_only=True)
class Spans:
    """last: the time of heat map and rising; before: the longer time of the series and of compare, and what
    rising is held against."""

    last: timedelta
    before: timedelta


@dataclass(frozen=True)
class BoardQuestion:
    """kind, and what belongs to it: by of a heat map; segment of a series or a comparison; article of a
    series."""

    kind: QuestionKind
    by: Grouping = ()
    segment: Segment = ALL_READERS
    article_id: str | None = None

    def ask(self, reader: TrendingReader, spans: Spans) -> Answer:
        """Raises TrendsError."""
        match self.kind:
            case QuestionKind.HEAT_MAP:
                return reader.heat_map(spans.last, self.by, ARTICLES_SHOWN)
            case QuestionKind.SERIES:
                assert self.article_id is not None
                return reader.trend(spans.before, articles=[self.article_id], segment=self.segment)
            case QuestionKind.CLICKS:
                return reader.trend(spans.before)
            case QuestionKind.RISING:
                return reader.rising(spans.last, spans.before, limit=DIFFERENCES_SHOWN)
            case QuestionKind.COMPARE:
                return reader.compare(spans.before, self.segment, DIFFERENCES_SHOWN)
            case QuestionKind.SEGMENTS:
                return reader.top_of_segments(spans.before, EACH_VALUE, limit=1)


def questions_of_view(chosen: Iterable[tuple[str, str]]) -> tuple[BoardQuestion, ...]:
    """The questions of a viewer who chose: `by` (columns of the heat map), `article` with `cell.<column>`
    (the series), `compare.<column>` (the segment compared).

    Raises TrendsError for anything else.
    """
    values: dict[str, str] = {}
    for name, value in chosen:
        if name in values:
            raise TrendsError(f"{name} was chosen twice: choose it once")
        if len(value.encode("utf-8", "surrogatepass")) > MAX_ID_BYTES:
            raise TrendsError(f"{name} has more than {MAX_ID_BYTES} bytes: no article or segment has")
        values[name] = value
    by = _grouping(values.pop("by", None))
    article_id = values.pop("article", None)
    cell, compared = _segment(values, "cell."), _segment(values, "compare.")
    if values:
        raise TrendsError(f"the board knows no {', '.join(sorted(values))}")
    questions = [BoardQuestion(QuestionKind.HEAT_MAP, by=by), BoardQuestion(QuestionKind.CLICKS)]
    if article_id is not None:
        questions.append(BoardQuestion(QuestionKind.SERIES, segment=cell, article_id=article_id))
    questions += [BoardQuestion(QuestionKind.RISING), BoardQuestion(QuestionKind.SEGMENTS)]
    if compared.fields:
        questions.append(BoardQuestion(QuestionKind.COMPARE, segment=compared))
    return tuple(questions)


def _grouping(text: str | None) -> Grouping:
    if text is None:
        return DEFAULT_BY
    columns = tuple(text.split(","))
    if not set(columns) <= set(SEGMENT_COLUMNS):
        raise TrendsError(f"no heat map by {text!r}: choose of {', '.join(SEGMENT_COLUMNS)}")
    return tuple(column for column in SEGMENT_COLUMNS if column in columns)


def _segment(values: dict[str, str], prefix: str) -> Segment:
    """Takes its columns out of `values`."""
    return Segment(**{column: values.pop(prefix + column, None) for column in SEGMENT_COLUMNS})
