"""The tallies that erasing a reader leaves: whose clicks they were, nobody can tell."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contract.tally import ErasedTally, tallies
from lambdas.reconciliation.cells import NO_TIME, OUTSIDE, Cell, Cells
from lambdas.reconciliation.objects import contents, objects_below
from names import ERASED_PREFIX

CellOf = Callable[[ErasedTally], Cell]


@dataclass(kw_only=True)
class ErasedClicks:
    """Of a cell. least: clicks without possible repetitions; most: with them; rejected: rejects of erased
    clicks, which may be repeated, and of clicks that were counted later."""

    least: int = 0
    most: int = 0
    rejected: int = 0

    def add(self, tally: ErasedTally) -> None:
        self.least += tally.received - (tally.repeated if tally.received else 0)
        self.most += tally.received
        self.rejected += tally.rejected


class WrittenTallies:
    """All that erasures wrote; each object is read once. bucket: of raw clicks."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket
        self._read: dict[str, tuple[datetime, list[ErasedTally]]] = {}

    def read(self) -> None:
        """What is there by now. Raises what contract.tally.tallies raises."""
        new = (
            each
            for each in objects_below(self._s3, self._bucket, ERASED_PREFIX)
            if each.key not in self._read
        )
        for each, content in contents(self._s3, self._bucket, new):
            self._read[each.key] = (each.written_at, list(tallies(content)))

    def __iter__(self) -> Iterator[ErasedTally]:
        for _, found in self._read.values():
            yield from found

    def first_by_cell(self, cell_of: CellOf) -> dict[Cell, datetime]:
        """When the first tally of each cell was written."""
        first: dict[Cell, datetime] = {}
        for at, found in self._read.values():
            for cell in map(cell_of, found):
                first[cell] = min(at, first.get(cell, at))
        first.pop(OUTSIDE, None)
        return first


def cell_of_tally(cells: Cells, cell_of_object: Callable[[str], Cell]) -> CellOf:
    """cell_of_object: that of its units without a time, OUTSIDE for an object that is not read."""

    def cell_of(tally: ErasedTally) -> Cell:
        of_object = cell_of_object(tally.object)
        cell = of_object if tally.minute is None else cells.of_time(tally.minute)
        return OUTSIDE if OUTSIDE in (cell, of_object) or cell == NO_TIME else cell

    return cell_of


def erased_clicks(effective: Iterable[ErasedTally], cell_of: CellOf) -> dict[Cell, ErasedClicks]:
    """effective: tallies of what was rewritten."""
    found: defaultdict[Cell, ErasedClicks] = defaultdict(ErasedClicks)
    for tally in effective:
        if (cell := cell_of(tally)) != OUTSIDE:
            found[cell].add(tally)
    return dict(found)


def half_erased(every: Iterable[ErasedTally], etags: Mapping[str, str]) -> Iterator[ErasedTally]:
    """Those of objects that still are as they were when an erasure wrote what it would take out: it was
    stopped, or goes on. etags: of the objects as they were read."""
    return (tally for tally in every if etags.get(tally.object) == tally.etag)
