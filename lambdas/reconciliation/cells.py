"""The cells in which clicks are compared: the window of `clicked_at`, or none that can be read.

A key of counts that rejects by the clock concern has a cell of its own, so that a click that is both counted
and rejected hides no loss of another article.
"""

import re
from datetime import UTC, datetime, timedelta

from contract.count import WINDOW, start_of_count
from contract.event_time import parse_time

Cell = int
"""The number of a window since 1970, or of a watched key; or one of the two below."""
OUTSIDE: Cell = -1
"""Of a click whose window is not compared."""
NO_TIME: Cell = 0
"""Of a click without a `clicked_at` that can be read, and of the unread rest of a line."""
FIRST_WATCHED: Cell = 1 << 31
MAX_WATCHED = 10_000
"""Keys with a cell of their own; those beyond share the cell of their window."""
MAX_REMEMBERED = 100_000
"""Distinct minutes in texts: producers write what they like."""

_STEP = WINDOW.total_seconds()
_HEAD = 17 if WINDOW % timedelta(minutes=1) == timedelta(0) else 20
_TAIL = re.compile(r"[0-5][0-9]\.[0-9]{3}Z" if _HEAD == 17 else r"[0-9]{3}Z", re.ASCII)


def cell_at(start: datetime) -> Cell:
    """start: of a window."""
    return round(start.timestamp() // _STEP)


def start_of(cell: Cell) -> datetime:
    return datetime.fromtimestamp(cell * _STEP, UTC)


class Cells:
    """The cells from `since` (included) to `until` (excluded), both starts of windows."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self._first, self._end = cell_at(since), cell_at(until)
        self._known: dict[str, Cell] = {}
        self._watched: dict[tuple[Cell, str], Cell] = {}
        self._watched_articles: set[str] = set()

    def of_time(self, text: object) -> Cell:
        """text: the value of `clicked_at`."""
        if type(text) is not str or len(text) != 24 or not _TAIL.fullmatch(text, _HEAD):
            return NO_TIME
        head = text[:_HEAD]
        cell = self._known.get(head)
        if cell is None:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[head] = cell = self._of(parse_time(text))
        return cell

    def _of(self, time: datetime | None) -> Cell:
        if time is None:
            return NO_TIME
        cell = cell_at(start_of_count(time))
        return cell if self._first <= cell < self._end else OUTSIDE

    def watch(self, cell: Cell, article_id: str) -> None:
        """Give the key a cell of its own, if there is room."""
        if len(self._watched) < MAX_WATCHED:
            self._watched.setdefault((cell, article_id), FIRST_WATCHED + len(self._watched))
            self._watched_articles.add(article_id)

    def of_key(self, cell: Cell, article_id: str | None) -> Cell:
        """The watched cell of an article's clicks in a window, or the window's."""
        if article_id in self._watched_articles:
            return self._watched.get((cell, article_id or ""), cell)
        return cell

    @property
    def watches(self) -> bool:
        return bool(self._watched)

    @property
    def watched(self) -> dict[Cell, tuple[Cell, str]]:
        """Of each watched cell its window's and the article."""
        return {cell: key for key, cell in self._watched.items()}

    @property
    def windows(self) -> range:
        return range(self._first, self._end)
