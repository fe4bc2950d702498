"""What a viewer looks at, as questions to the reader. Equal questions of several viewers are asked once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from batch_server.answers import Answer
from batch_server.errors import TrendsError
from batch_server.reader import TrendingReader
from batch_server.segment import ALL_READERS, EACH_VALUE, Grouping, Segment
from contract.count import SEGMENT_COLUMNS

ARTICLES_SHOWN = 12
DIFFERENCES_SHOWN = 6
DEFAULT_BY: Grouping = ("age_band",)
MAX_ID_BYTES = 512
"""Of an article or a segment's value; the contract allows an id no more."""


class Kind(StrEnum):
    """What is asked. The value is the name of the event that brings the answer."""

    HEAT_MAP = "heat_map"
    SERIES = "series"
    CLICKS = "clicks"
    RISING = "rising"
    COMPARE = "compare"
    SEGMENTS = "segments"


SECONDS_BETWEEN: Mapping[Kind, float] = {
    Kind.HEAT_MAP: 2.0,
    Kind.SERIES: 10.0,
    Kind.CLICKS: 10.0,
    Kind.RISING: 30.0,
    Kind.COMPARE: 30.0,
    Kind.SEGMENTS: 60.0,
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

    kind: Kind
    by: Grouping = ()
    segment: Segment = ALL_READERS
    article_id: str | None = None

    def ask(self, reader: TrendingReader, spans: Spans) -> Answer:
        """Raises TrendsError."""
        match self.kind:
            case Kind.HEAT_MAP:
                return reader.heat_map(spans.last, self.by, ARTICLES_SHOWN)
            case Kind.SERIES:
                assert self.article_id is not None
                return reader.trend(spans.before, articles=[self.article_id], segment=self.segment)
            case Kind.CLICKS:
                return reader.trend(spans.before)
            case Kind.RISING:
                return reader.rising(spans.last, spans.before, limit=DIFFERENCES_SHOWN)
            case Kind.COMPARE:
                return reader.compare(spans.before, self.segment, DIFFERENCES_SHOWN)
            case Kind.SEGMENTS:
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
    questions = [BoardQuestion(Kind.HEAT_MAP, by=by), BoardQuestion(Kind.CLICKS)]
    if article_id is not None:
        questions.append(BoardQuestion(Kind.SERIES, segment=cell, article_id=article_id))
    questions += [BoardQuestion(Kind.RISING), BoardQuestion(Kind.SEGMENTS)]
    if compared.fields:
        questions.append(BoardQuestion(Kind.COMPARE, segment=compared))
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
