"""What a viewer looks at, as questions to the reader. Equal questions of several viewers are asked once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from clients.batch_server.errors import TrendsError
from clients.batch_server.segment import ALL_READERS, Grouping, Segment
from clients.board.ranges import HOUR, MOVING, TimeShown, range_chosen
from contract.click import MAX_ID_BYTES
from contract.count import SEGMENT_COLUMNS

ARTICLES_SHOWN = 12
DIFFERENCES_SHOWN = 6
TOPS_SHOWN = 20
ALL_TOPS_SHOWN = 10
"""Articles of each segment, where all segments are shown: some hundreds."""
DEFAULT_BY: Grouping = ("age_band",)


class QuestionKind(StrEnum):
    """What is asked. The value is the name of the event that brings the answer."""

    HEAT_MAP = "heat_map"
    SERIES = "series"
    CLICKS = "clicks"
    RISING = "rising"
    COMPARE = "compare"
    SEGMENTS = "segments"
    FRESHNESS = "freshness"
    ABOUT = "about"
    FOUND = "found"
    TOPS = "tops"
    SIDE = "side"


class Lane(StrEnum):
    """Who waits for whom: LIVE and OTHER have half the budget each. LONG is asked in parts, beside it."""

    LIVE = "live"
    OTHER = "other"
    LONG = "long"


SECONDS_BETWEEN: Mapping[QuestionKind, float] = {
    QuestionKind.HEAT_MAP: 2.0,
    QuestionKind.SERIES: 10.0,
    QuestionKind.CLICKS: 10.0,
    QuestionKind.RISING: 30.0,
    QuestionKind.COMPARE: 30.0,
    QuestionKind.SEGMENTS: 60.0,
    QuestionKind.FRESHNESS: 4.0,
    QuestionKind.ABOUT: 30.0,
    QuestionKind.FOUND: 60.0,
    QuestionKind.TOPS: 30.0,
    QuestionKind.SIDE: 30.0,
}
"""How often each is asked again where the budget allows it. The heat map has half the budget for itself; one
of each of the others takes three fifths of the other half (two thirds over 00:00 UTC, where rising and
compare are two searches), so that some is saved for what a viewer chooses next."""
SECONDS_BETWEEN_FIXED = 60.0
"""At least, of a time with an end: late clicks and corrections still change it."""
SECONDS_BETWEEN_LONG = 600.0
"""Of a table of all segments, whose parts take many searches."""
MAX_LIVE = HOUR
"""A longer time that moves is asked again LONGER_FACTOR times as seldom for each six hours begun."""
LONGER_FACTOR = 3.0


@dataclass(frozen=True)
class BoardQuestion:
    """kind, the time, and what belongs to it: by of a heat map, of the tops and of what is told about an
    article; segment of a series or a comparison, and the other that it is shown beside; article of a series;
    text to be found; all_segments: tops of them, not of those of `by`."""

    kind: QuestionKind
    by: Grouping = ()
    segment: Segment = ALL_READERS
    article_id: str | None = None
    range: TimeShown = MOVING
    text: str = ""
    beside: Segment = ALL_READERS
    all_segments: bool = False

    @property
    def lane(self) -> Lane:
        if self.all_segments:
            return Lane.LONG
        moves = self.kind == QuestionKind.HEAT_MAP and not self.range.is_fixed
        return Lane.LIVE if moves or self.kind == QuestionKind.FRESHNESS else Lane.OTHER

    @property
    def seconds_between(self) -> float:
        """How often it is asked again where the budget allows it."""
        seconds = SECONDS_BETWEEN[self.kind]
        if self.lane == Lane.LONG:
            return SECONDS_BETWEEN_LONG
        if self.kind == QuestionKind.FRESHNESS:
            return seconds
        if self.range.is_fixed:
            return max(seconds, SECONDS_BETWEEN_FIXED)
        last = self.range.last or timedelta(0)
        return seconds if last <= MAX_LIVE else seconds * LONGER_FACTOR * -(-last // (6 * HOUR))


def questions_of_view(chosen: Iterable[tuple[str, str]]) -> tuple[BoardQuestion, ...]:
    """The questions of a viewer who chose: `by` (columns of the heat map), `article` with `cell.<column>`
    (the series), `about` (an article to tell all of), `find` (a text), `compare.<column>` (the segment
    compared), `beside.<column>` (another, side by side with it), `tops` (`all` segments, or those of `by`),
    and the time: `last`, or `since` and `until`.

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
    article_id, about, text = (values.pop(name, None) for name in ("article", "about", "find"))
    cell, compared, beside = (_segment(values, f"{name}.") for name in ("cell", "compare", "beside"))
    tops = values.pop("tops", None)
    shown = range_chosen(*(values.pop(name, None) for name in ("last", "since", "until")))
    if values:
        raise TrendsError(f"the board knows no {', '.join(sorted(values))}")
    questions = [
        BoardQuestion(QuestionKind.HEAT_MAP, by=by, range=shown),
        BoardQuestion(QuestionKind.CLICKS, range=shown),
    ]
    if shown.is_fixed:
        questions.insert(0, BoardQuestion(QuestionKind.FRESHNESS))
    if article_id is not None:
        questions.append(BoardQuestion(QuestionKind.SERIES, segment=cell, article_id=article_id, range=shown))
    questions += [BoardQuestion(kind, range=shown) for kind in (QuestionKind.RISING, QuestionKind.SEGMENTS)]
    if compared.fields:
        questions.append(BoardQuestion(QuestionKind.COMPARE, segment=compared, range=shown))
    if about is not None:
        questions.append(BoardQuestion(QuestionKind.ABOUT, by=by, article_id=about, range=shown))
    if text:
        questions.append(BoardQuestion(QuestionKind.FOUND, text=text, range=shown))
    if tops == "all":
        questions.append(BoardQuestion(QuestionKind.TOPS, all_segments=True, range=shown))
    elif tops is not None:
        questions.append(BoardQuestion(QuestionKind.TOPS, by=by, range=shown))
    if beside.fields:
        questions.append(BoardQuestion(QuestionKind.SIDE, segment=compared, beside=beside, range=shown))
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
