"""Whose clicks go: what is a reader's among the units of a record, and among the rows of rejects."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contract.click import Click, Unread
from contract.sink import UNPARSEABLE
from operations.erasure.cutting import Unit

MAX_REJECTED_CHARACTERS = 4096
"""Of a field in a reject (analytics_sql/70_rejected_clicks.sql)."""
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_NAMED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ALPHANUMERIC = re.compile("[A-Za-z0-9]")
_FRACTION = re.compile(r"-?(?:\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)|Infinity)", re.ASCII)


class _Written(str):
    """A number, as it is written."""


@dataclass(frozen=True)
class ErasedReader:
    """user_id: as the contract reads it, byte for byte; not empty, and Unicode."""

    user_id: str

    @cached_property
    def written(self) -> bytes:
        return self.user_id.encode()

    @cached_property
    def _in_text(self) -> re.Pattern[str]:
        """The id, no part of a longer word of ASCII letters and digits."""
        before = "(?<![A-Za-z0-9])" if _ALPHANUMERIC.match(self.user_id[0]) else ""
        after = "(?![A-Za-z0-9])" if _ALPHANUMERIC.match(self.user_id[-1]) else ""
        return re.compile(before + re.escape(self.user_id) + after)

    @cached_property
    def _fraction(self) -> float | None:
        """The id as a number with a fraction or exponent, whose text Jackson and Python write differently."""
        return float(self.user_id) if _FRACTION.fullmatch(self.user_id) else None

    def may_be_in(self, content: bytes) -> bool:
        """False only where no unit can be the reader's: any other spelling of the id has a backslash, or
        UTF-8 that Python refuses and Jackson takes, or is a fraction, which has many."""
        if self.written in content or b"\\" in content or self._fraction is not None:
            return True
        return not content.isascii() and not _is_utf8(content)

    def has_clicked(self, unit: Unit) -> bool:
        """Whether a click is the reader's, or an unread rest holds the id."""
        if isinstance(unit, Unread):
            return self.is_in(unit.data.decode("utf-8", "replace"))
        return self._is(unit.fields.get("user_id"), unit)

    def is_rejected(self, unit: Unit) -> bool:
        """Whether a row of rejects shows a click of the reader, or an unread rest that holds the id."""
        if isinstance(unit, Unread):
            return self.has_clicked(unit)
        shown = unit.fields.get("user_id")
        if isinstance(shown, str) and shown == self.user_id[:MAX_REJECTED_CHARACTERS]:
            return True
        rest = unit.fields.get(UNPARSEABLE)
        return isinstance(rest, str) and self.is_in(rest)

    def is_in(self, text: str) -> bool:
        """Whether the id stands in a text, plainly or in escapes of JSON."""
        if self._in_text.search(text):
            return True
        return "\\" in text and self._in_text.search(_without_escapes(text)) is not None

    def _is(self, value: Any, click: Click) -> bool:
        if isinstance(value, str):
            return value == self.user_id
        if value is None or isinstance(value, dict | list):
            return False
        # A number or boolean is text: of its digits as they are written, or as a program writes them.
        if isinstance(value, float) and value == self._fraction:
            return True
        return self.user_id in (json.dumps(value), _written_number(click))


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _written_number(click: Click) -> str | None:
    """`user_id` of a click that is a number, as it is written."""
    try:
        fields = json.loads(
            click.json.decode("utf-8", "replace"), parse_int=_Written, parse_float=_Written, strict=False
        )
    except (ValueError, RecursionError):
        return None
    value = fields.get("user_id")
    return str(value) if isinstance(value, _Written) else None


def _without_escapes(text: str) -> str:
    def character(escape: re.Match[str]) -> str:
        return chr(int(escape[1], 16)) if escape[1] else _NAMED.get(escape[2], escape[2])

    units = _ESCAPE.sub(character, text).encode("utf-16-le", "surrogatepass")
    return units.decode("utf-16-le", "replace")
