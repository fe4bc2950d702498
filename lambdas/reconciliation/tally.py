"""Tallies what is in objects of the raw backup and of rejects, in bounded memory.

Firehose may deliver an object, or a part of one, twice, and nothing marks that. A line is known by its bytes:

- Lines of one object that are equal were sent twice: an object holds no record twice.
- Lines of several objects that are equal were sent twice, or delivered twice. So what was received is a
  range, from the most that one object holds of a line to all of them.

A click with an id of its own makes a line of its own: without a repetition the range is one number. Within
it the likely number takes as repeated an object of which another holds every line.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from json import loads
from pathlib import Path
from struct import Struct
from typing import Any

from contract.click import MAX_ID_BYTES, Unread, read_line
from contract.sink import REPEATED_CLICK_ID
from lambdas.reconciliation.cells import NO_TIME, OUTSIDE, Cell, Cells
from lambdas.reconciliation.identity import compared, digest, identity, identity_of_reject, identity_of_rest
from lambdas.reconciliation.records import PARTS, PartedRecords

BY_THE_READING = frozenset({"too_old", "clock_ahead", REPEATED_CLICK_ID})
"""Reasons that depend on when a click is read, and what before it: it may also be in a count. The others
reject it each time."""
OTHER_REASONS = "other"
MAX_HOLDERS = 32
"""Objects that hold a line, for it to tell whether one of them repeats another."""
MAX_OBJECTS_NAMED = 5
"""Of a cell, and pairs of objects that share lines."""

_LINE = Struct("<8sIqI")  # digest of the line, object, cell, clicks
_CLICK = Struct("<8sQIqI")  # identity, digest of the line, object, cell, clicks
_REJECT = Struct("<8sIBq")  # identity, object, reason, cell
_FILTER_BITS = 1 << 26


@dataclass(kw_only=True)
class CellTally:
    """least, likely, most: clicks, or units without a time, that were received. least_counted, most_counted:
    the sums of counts that agree with them and with the rejects. rejected: those that no count can contain,
    by reason; by_the_reading: those that a count may contain too. rejected_again: rejects of a click beyond
    its first. after_erasure: clicks in lines that were delivered after clicks of their time were erased.
    not_received: rejects whose click is in no object that was read. objects: numbers of some that
    hold them."""

    least: int = 0
    likely: int = 0
    most: int = 0
    least_counted: int = 0
    most_counted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    by_the_reading: Counter[str] = field(default_factory=Counter)
    rejected_again: int = 0
    after_erasure: int = 0
    not_received: Counter[str] = field(default_factory=Counter)
    objects: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """Two objects that share lines, by their numbers; clicks: in these lines."""

    first: int
    second: int
    clicks: int


class Tally:
    """Add every object of rejects first, then every raw one. folder: exists; takes what outgrows memory."""

    def __init__(self, cells: Cells, folder: Path) -> None:
        self._cells = cells
        self._lines = PartedRecords(_LINE, "lines", folder)
        self._clicks = PartedRecords(_CLICK, "clicks", folder)
        self._rejects = PartedRecords(_REJECT, "rejects", folder)
        self._found: defaultdict[Cell, CellTally] = defaultdict(CellTally)
        self._reasons: list[str] = []
        self._clicks_of: Counter[int] = Counter()  # by object
        self._repetitions: set[int] = set()
        self._rejected_ids = bytearray(_FILTER_BITS // 8)
        self._any_rejects = False
        self.unreadable_rejects = 0
        self.units = 0

    def add_rejects(self, number: int, lines: Iterable[bytes]) -> None:
        """number: of the object."""
        for line in lines:
            try:
                reject = loads(line)
                reason = str(reject["reason"])
            except (ValueError, TypeError, KeyError, RecursionError):
                self.unreadable_rejects += 1
                continue
            cell = self._cells.of_time(reject.get("clicked_at"))
            if cell == OUTSIDE:
                continue
            if reason in BY_THE_READING and cell != NO_TIME:
                article = reject.get("article_id")
                if isinstance(article, str) and 0 < len(article.encode()) <= MAX_ID_BYTES:
                    self._cells.watch(cell, article)
                    cell = self._cells.of_key(cell, article)
            bit = hash(compared(reject.get("click_id"))) % _FILTER_BITS
            self._rejected_ids[bit >> 3] |= 1 << (bit & 7)
            self._any_rejects = True
            self._rejects.add(_REJECT.pack(identity_of_reject(reject), number, self._number_of(reason), cell))

    def _number_of(self, reason: str) -> int:
        if reason not in self._reasons:
            if len(self._reasons) >= 200:
                reason = OTHER_REASONS
            if reason not in self._reasons:
                self._reasons.append(reason)
        return self._reasons.index(reason)

    def add_raw(
        self,
        number: int,
        lines: Iterable[bytes],
        *,
        without_time: Cell = OUTSIDE,
        erased: Collection[Cell] = (),
    ) -> frozenset[Cell]:
        """The cells of which the object holds clicks. without_time: the cell of units without a time; by
        default they are not compared. erased: windows of which clicks were erased before the object was
        written."""
        touched: dict[Cell, int] = {}
        watched = self._cells.watched if erased else {}
        add, pack = self._lines.add, _LINE.pack
        for line in lines:
            in_line = self._cells_of(line, number, without_time)
            if not in_line:
                continue
            key = digest(line)
            if erased and any(watched.get(cell, (cell, ""))[0] in erased for cell, _ in in_line):
                for cell, clicks in in_line:
                    self._found[cell].after_erasure += clicks
            for cell, clicks in in_line:
                add(pack(key, number, cell, clicks))
                touched[cell] = touched.get(cell, 0) + clicks
        self._clicks_of[number] = sum(touched.values())
        for cell, clicks in touched.items():
            found = self._found[cell]
            found.most += clicks
            self.units += clicks
            if len(found.objects) < MAX_OBJECTS_NAMED:
                found.objects.append(number)
        return frozenset(touched)

    def _cells_of(self, line: bytes, number: int, without_time: Cell) -> list[tuple[Cell, int]]:
        """Each cell of which the line has clicks, with how many."""
        in_line: dict[Cell, int] = {}
        for unit in read_line(line):
            if isinstance(unit, Unread):
                cell = without_time
                key = identity_of_rest(unit.data) if cell != OUTSIDE and self._any_rejects else None
            else:
                fields = unit.fields
                cell = self._cells.of_time(fields.get("clicked_at"))
                if cell == NO_TIME:
                    cell = without_time
                if cell != OUTSIDE and self._cells.watches:
                    cell = self._cells.of_key(cell, _article(fields))
                maybe = cell != OUTSIDE and self._any_rejects and self._may_be_rejected(fields)
                key = identity(fields) if maybe else None
            if cell == OUTSIDE:
                continue
            in_line[cell] = in_line.get(cell, 0) + 1
            if key is not None:
                line_number = int.from_bytes(digest(line), "little")
                self._clicks.add(_CLICK.pack(key, line_number, number, cell, 1))
        return list(in_line.items())

    def _may_be_rejected(self, fields: dict[str, Any]) -> bool:
        bit = hash(compared(fields.get("click_id"))) % _FILTER_BITS
        return bool(self._rejected_ids[bit >> 3] & (1 << (bit & 7)))

    def cells(self) -> tuple[dict[Cell, CellTally], list[Repeated]]:
        """The tallies once all is added, and the objects that share most lines."""
        for tally in self._found.values():
            tally.least = tally.likely = tally.least_counted = tally.most_counted = tally.most
        shared = self._shared()
        self._repetitions = self._contained(shared)
        for part in range(PARTS):
            for cell, by_object in self._of_several_objects(part).values():
                excess = by_object.total() - max(by_object.values())
                self._found[cell].least -= excess
                self._found[cell].least_counted -= excess
                self._found[cell].likely -= by_object.total() - self._likely(by_object)
        for part in range(PARTS):
            self._match(part)
        most = shared.most_common(MAX_OBJECTS_NAMED)
        return dict(self._found), [Repeated(first=a, second=b, clicks=number) for (a, b), number in most]

    def _likely(self, by_object: Mapping[int, int]) -> int:
        """Of the clicks of a line by object, without those of objects that are taken as repetitions."""
        return sum(clicks for number, clicks in by_object.items() if number not in self._repetitions)

    def _of_several_objects(self, part: int) -> dict[tuple[bytes, Cell], tuple[Cell, Counter[int]]]:
        """The clicks by object of each line that several objects hold, and of each of its cells."""
        records = self._lines.part(part)
        first: dict[bytes, int] = {}
        several = {key for key, number, _, _ in records if first.setdefault(key, number) != number}
        found: dict[tuple[bytes, Cell], tuple[Cell, Counter[int]]] = {}
        for key, number, cell, clicks in records if several else ():
            if key in several:
                found.setdefault((key, cell), (cell, Counter()))[1][number] += clicks
        return found

    def _shared(self) -> Counter[tuple[int, int]]:
        """Clicks in lines that two objects share, by their numbers."""
        shared: Counter[tuple[int, int]] = Counter()
        for part in range(PARTS):
            for _, by_object in self._of_several_objects(part).values():
                if len(by_object) > MAX_HOLDERS:  # tells nothing: producers send it all the time
                    self._clicks_of.subtract(by_object)
                    continue
                for first, second in combinations(sorted(by_object), 2):
                    shared[first, second] += min(by_object[first], by_object[second])
        return shared

    def _contained(self, shared: Counter[tuple[int, int]]) -> set[int]:
        """The objects of which another holds every line; of equal ones all but the first."""
        return {
            small
            for pair, clicks in shared.items()
            for small, large in (pair, pair[::-1])
            if clicks == self._clicks_of[small]
            and (self._clicks_of[large], -large) > (self._clicks_of[small], -small)
        }

    def _match(self, part: int) -> None:
        """Clicks with the same identity as rejects."""
        rejects: defaultdict[bytes, Counter[int]] = defaultdict(Counter)
        of_object: defaultdict[bytes, Counter[int]] = defaultdict(Counter)
        cell_of: dict[bytes, Cell] = {}
        for key, number, reason, cell in self._rejects.part(part):
            rejects[key][reason] += 1
            of_object[key][number] += 1
            cell_of[key] = cell
        if not rejects:
            return
        arrived: defaultdict[bytes, defaultdict[Cell, defaultdict[int, Counter[int]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(Counter))
        )
        for key, line, number, cell, clicks in self._clicks.part(part):
            if key in rejects:
                arrived[key][cell][line][number] += clicks
        for key, reasons in rejects.items():
            self._take_rejects(reasons, max(of_object[key].values()), cell_of[key], arrived.get(key, {}))

    def _take_rejects(
        self,
        reasons: Counter[int],
        in_one_object: int,
        cell: Cell,
        arrived: "dict[Cell, defaultdict[int, Counter[int]]]",
    ) -> None:
        """The rejects of one identity. arrived: clicks by cell, line and object."""
        number = reasons.total()
        names = [self._reasons[reason] for reason, _ in reasons.most_common()]
        of_content = next((name for name in names if name not in BY_THE_READING), None)
        reason = of_content or names[0]
        if not arrived:
            self._found[cell].not_received[reason] += in_one_object
            self._found[cell].rejected_again += number - in_one_object
            return
        left = number
        for of_cell, lines in sorted(arrived.items(), reverse=True):  # of hours the oldest first
            least = sum(max(by_object.values()) for by_object in lines.values())
            likely = sum(map(self._likely, lines.values()))
            most = sum(by_object.total() for by_object in lines.values())
            tally = self._found[of_cell]
            rejected = min(left, likely)
            tally.least_counted -= min(left, least)
            left -= rejected
            if of_content:
                tally.most_counted -= most
                tally.rejected[reason] += rejected
            else:
                tally.by_the_reading[reason] += rejected
        last = self._found[max(arrived)]
        last.rejected_again += left


def _article(fields: dict[str, Any]) -> str | None:
    article = fields.get("article_id")
    return article if type(article) is str else compared(article)
