"""The rows of a version of the segments, checked as the application's reader checks them.

Its rules stand in connectors/.../reference: VersionReader (columns, rows), FieldRules (fields) and FastCSV,
whose strict parser reads a line as Python's does (StrictCsvParser.java in
https://github.com/osiegmar/FastCSV). A field with a line break is refused there: here each row is one line.
"""

import csv
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from contract.count import SEGMENT_COLUMNS, SEGMENT_FILE_HEADER

MAX_KEY_BYTES = 512
MAX_VALUE_BYTES = 256
"""UTF-8, as in FieldRules.java."""
MAX_LINE_CHARACTERS = 16_000
"""The reader takes 64 million in 16,384 fields; a valid line with nothing else has 1,300."""
MAX_VALUES = 1_000
"""Of a column. A receipt lists them, and a column with more holds ids, not segments."""
MAX_SEGMENTS = 65_536
"""Different combinations of values: each task holds each of them (CodeTable.java measures that many)."""
MAX_REASONS = 100

_KEY = SEGMENT_FILE_HEADER[0]
_BYTES_OF_A_CHARACTER = 4
_LINE_BREAKS = "\n\r\x85\u2028\u2029"
_BAD_CHARACTER = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffd]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FORMATS = {
    b"\x1f\x8b": "gzip; let its name end in .csv.gz if it is packed once, unpack it if twice",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; save it as CSV in UTF-8",
    b"\xff\xfe": "UTF-16; write it as UTF-8",
    b"\xfe\xff": "UTF-16; write it as UTF-8",
    b"\x00\x00\xfe\xff": "UTF-32; write it as UTF-8",
}
_NO_ROW = 0
"""In place of the hash of a line that is no row."""
_PARTS = 8
"""Hashes are compared in so many parts, one after the other, for the sake of memory."""


@dataclass(frozen=True)
class Reason:
    """line: from 1, None for the whole file; text: what is wrong, and what to do. It quotes no user_id."""

    line: int | None
    text: str

    def __str__(self) -> str:
        return self.text if self.line is None else f"line {self.line:,}: {self.text}"


class Refusal(Exception):  # noqa: N818
    """Nothing after this is looked at."""

    def __init__(self, line: int | None, text: str) -> None:
        self.reason = Reason(line, text)
        super().__init__(text)


class Reasons:
    """Those of the first lines, and the number of all."""

    def __init__(self) -> None:
        self.number = 0
        self._kept: list[Reason] = []

    def append(self, reason: Reason) -> None:
        self.number += 1
        self._kept.append(reason)
        if len(self._kept) >= 2 * MAX_REASONS:
            self._kept = self.first()

    def first(self) -> list[Reason]:
        return sorted(self._kept, key=lambda reason: reason.line or 0)[:MAX_REASONS]


class Rows:
    """users: valid rows so far; values: those of each segment column; reasons: to refuse the file."""

    def __init__(self, *, max_users: int) -> None:
        self.users = 0
        self.values: dict[str, set[str]] = {column: set() for column in SEGMENT_COLUMNS}
        self.reasons = Reasons()
        self._max_users = max_users
        self._segments: set[tuple[str, ...]] = set()
        self._hashes = array("q")  # of each line after the header
        self._header: list[str] = []
        self._lines = 0
        self._first_line = 0  # after the header
        self._rest = b""
        self._began = False

    def add(self, block: bytes) -> None:
        """Raises Refusal."""
        block = self._rest + block
        if not self._began:
            if len(block) < 4:
                self._rest = block
                return
            self._began = True
            block = _past_the_mark(block)
        # A carriage return at the end may belong to a line feed that is to come
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, len(block) - 1)) + 1
        self._rest = block[end:]
        if end:
            self._add_lines(block[:end])
        if len(self._rest) > MAX_LINE_CHARACTERS * _BYTES_OF_A_CHARACTER:
            raise self._too_long(self._lines + 1)

    def finish(self) -> None:
        """After the last block. Raises Refusal."""
        rest = self._rest if self._began else _past_the_mark(self._rest)
        if rest:
            self._add_lines(rest)
        if not self._header:
            raise Refusal(1, "the file is empty; begin it with " + ",".join(SEGMENT_FILE_HEADER))
        for part in range(_PARTS):
            self._find_repeated(part)
        if not self.users and not self.reasons.number:
            raise Refusal(1, "no row follows the header, so every reader would be unknown; add the readers")

    def _add_lines(self, block: bytes) -> None:
        """block: whole lines."""
        text = block.decode("utf-8", "replace")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.removesuffix("\n").split("\n")
        if max(map(len, lines)) > MAX_LINE_CHARACTERS:
            number = next(i for i, line in enumerate(lines, 1) if len(line) > MAX_LINE_CHARACTERS)
            raise self._too_long(self._lines + number)
        while lines and not self._header:
            line = lines.pop(0)
            self._lines += 1
            if line:
                self._read_header(line)
                text = "\n".join(lines)
        if lines:
            self._add_rows(lines, is_clean=not _BAD_CHARACTER.search(text))
            self._lines += len(lines)

    def _read_header(self, line: str) -> None:
        number = self._lines
        fields, problem = _fields(line)
        if problem:
            raise Refusal(number, problem)
        for position, name in enumerate(fields, 1):
            problem = _problem_of_characters(name)
            if problem:
                raise Refusal(number, f"field {position} {problem}")
        for column in SEGMENT_FILE_HEADER:
            if column not in fields:
                raise Refusal(
                    number,
                    f"the header lacks the column {column}; begin with {','.join(SEGMENT_FILE_HEADER)}",
                )
            if fields.count(column) > 1:
                raise Refusal(number, f"the header names the column {column} twice; keep one of them")
        self._header = fields
        self._first_line = number + 1
        self._key_at = fields.index(_KEY)
        self._values_of = itemgetter(*(fields.index(column) for column in SEGMENT_COLUMNS))

    def _add_rows(self, lines: list[str], *, is_clean: bool) -> None:
        if len(self._hashes) + len(lines) > 2 * self._max_users + 2:
            raise Refusal(None, f"the file has more than {2 * self._max_users:,} lines; take out empty ones")
        if not is_clean or not self._add_clean(lines):
            self._add_one_by_one(lines)
        if self.users > self._max_users:
            raise Refusal(None, f"the file has more than {self._max_users:,} users; raise the setting")

    def _add_clean(self, lines: list[str]) -> bool:
        """Lines without bad characters; False, and nothing is changed, if any of them is wrong."""
        filled = [*filter(None, lines)]
        rows = _rows(filled)
        if not rows or set(map(len, rows)) != {len(self._header)}:
            return False
        columns = list(zip(*rows, strict=True))
        keys = columns[self._key_at]
        if not all(keys):
            return False
        if max(map(len, keys)) * _BYTES_OF_A_CHARACTER > MAX_KEY_BYTES and any(
            _problem_of_length(key, MAX_KEY_BYTES) for key in keys
        ):
            return False
        segments = set(zip(*self._values_of(columns), strict=True)) - self._segments
        if any(_problem_of_length(value, MAX_VALUE_BYTES) for segment in segments for value in segment):
            return False
        self._learn(segments)
        hashes = map(hash, map(str.encode, keys))
        self._hashes.extend(
            hashes if len(filled) == len(lines) else ((line and next(hashes)) or _NO_ROW for line in lines)
        )
        self.users += len(rows)
        return True

    def _add_one_by_one(self, lines: list[str]) -> None:
        """With a reason for each wrong row."""
        first = self._lines + 1
        for number, line in enumerate(lines, first):
            if not line:
                self._hashes.append(_NO_ROW)
                continue
            row, problem = _fields(line)
            if not problem and len(row) != len(self._header):
                problem = (
                    f"{len(row):,} fields where the header has {len(self._header):,};"
                    " quote fields that contain commas"
                )
            key = "" if problem else row[self._key_at]
            problem = problem or self._problem_of(row)
            self._hashes.append(hash(key.encode()) if key else _NO_ROW)
            if problem:
                self.reasons.append(Reason(number, problem))
                continue
            segment = self._values_of(row)
            if segment not in self._segments:
                self._learn({segment})
            self.users += 1

    def _problem_of(self, row: Sequence[str]) -> str | None:
        most_bytes = dict.fromkeys(SEGMENT_COLUMNS, MAX_VALUE_BYTES) | {_KEY: MAX_KEY_BYTES}
        for column, field in zip(self._header, row, strict=True):
            problem = _problem_of_characters(field)
            if not problem and column in most_bytes:
                problem = _problem_of_length(field, most_bytes[column])
            if problem:
                return f"{column} {problem}"
        return None

    def _learn(self, segments: set[tuple[str, ...]]) -> None:
        self._segments |= segments
        for column, values in zip(SEGMENT_COLUMNS, zip(*segments, strict=True), strict=False):
            self.values[column].update(values)
            if len(self.values[column]) > MAX_VALUES:
                raise Refusal(
                    None,
                    f"{column} has more than {MAX_VALUES:,} different values; group the readers",
                )
        if len(self._segments) > MAX_SEGMENTS:
            raise Refusal(
                None,
                f"the file has more than {MAX_SEGMENTS:,} different segments; group the readers",
            )

    def _find_repeated(self, part: int) -> None:
        """A reason for each row whose user_id an earlier line has, of those whose hashes are of this part.

        Ids are compared by Python's hash of their bytes: 64 bits of SipHash, keyed at random in each process.
        So two of 10 million ids collide once in 370,000 files; the file is then refused, as the reader would.
        """
        hashes = [value for value in self._hashes if value % _PARTS == part and value != _NO_ROW]
        if len(set(hashes)) == len(hashes):
            return
        hashes.sort()
        repeated = {value for value, after in pairwise(hashes) if value == after}
        first: dict[int, int] = {}
        found = 0
        for line, value in enumerate(self._hashes, self._first_line):
            if value not in repeated:
                continue
            earlier = first.setdefault(value, line)
            found += earlier != line
            if earlier != line and found <= MAX_REASONS:
                self.reasons.append(
                    Reason(line, f"{_KEY} stands in line {earlier:,} too; keep one row of each")
                )
        self.reasons.number += max(0, found - MAX_REASONS)

    @staticmethod
    def _too_long(line: int) -> Refusal:
        return Refusal(line, f"has more than {MAX_LINE_CHARACTERS:,} characters; is it CSV with line ends?")


def _past_the_mark(block: bytes) -> bytes:
    for magic, name in _FORMATS.items():
        if block.startswith(magic):
            raise Refusal(None, f"the file is {name}")
    return block.removeprefix(_BYTE_ORDER_MARK)


def _rows(lines: list[str]) -> list[list[str]] | None:
    """The fields of each line; None if any line is not one row."""
    try:
        rows = list(csv.reader(lines, strict=True))
    except csv.Error:
        return None
    return rows if len(rows) == len(lines) else None


def _fields(line: str) -> tuple[list[str], str | None]:
    """Of a line that is not empty; or what is wrong with its quotes."""
    try:
        return next(csv.reader([line], strict=True)), None
    except csv.Error as error:
        if "unexpected end" in str(error):
            return [], "a quoted field has no end in this line; look for a stray quote"
        return [], "a quoted field goes on after its end; double the quotes inside it"


def _problem_of_characters(field: str) -> str | None:
    found = _BAD_CHARACTER.search(field)
    if found is None:
        return None
    character, at = found[0], found.start() + 1
    if character == "\ufffd":
        return "is not UTF-8 (or holds U+FFFD, the trace of a wrong decoding); write the file as UTF-8"
    if character in _LINE_BREAKS:
        return f"holds the line break U+{ord(character):04X} at its character {at}; take it out"
    return f"holds the control character U+{ord(character):04X} at its character {at}; take it out"


def _problem_of_length(field: str, most_bytes: int) -> str | None:
    if not field:
        return "is empty; give it a value or leave the row out"
    size = len(field.encode())
    if size <= most_bytes:
        return None
    return f"has {size:,} bytes of UTF-8, at most {most_bytes:,} are allowed; shorten it"
