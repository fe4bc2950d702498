"""What a click and its reject are known by: no id of a reject names the line that it came from.

A reject shows each field as text, cut. So a click is known by the texts of its ids and time, as a reject
would show them, and an unread rest by the beginning of its text.
"""

import json
import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from contract.click import in_a_reject
from contract.sink import UNPARSEABLE

MAX_REJECTED_TEXT = 4096
"""Characters of a field in a reject (analytics_sql/70_rejected_clicks.sql)."""
COMPARED_TEXT = 256
"""Characters that are compared: the languages cut at different places where text lies beyond the BMP."""
DIGEST_BYTES = 8
"""Of 100 million lines two have equal digests in 3 of 10,000 reconciliations; that widens one minute's range
by a line."""
FIELDS = ("click_id", "clicked_at", "user_id", "article_id")

_REPLACED = re.compile("\ufffd+")  # decoders differ in how many they write for a damaged sequence
_FRACTION = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)|Infinity)|NaN")
_NUMBER = "-0123456789IN"  # with which one begins; so does the empty text, for Python
_SOME_FRACTION = "0.0"  # a fraction has many texts


def digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=DIGEST_BYTES).digest()


def text_of(value: Any) -> str | None:
    """A field as the application reads it: as text, or missing if it is an object or array."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, dict | list):
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def compared(value: Any) -> str | None:
    """A field of a click or of its reject, in the form in which both are equal."""
    if type(value) is str and len(value) <= COMPARED_TEXT and value.isascii() and value[:1] not in _NUMBER:
        return value  # what follows would not change it
    text = text_of(value)
    if text is None:
        return None
    if _FRACTION.fullmatch(text):
        return _SOME_FRACTION
    return _REPLACED.sub("\ufffd", in_a_reject(text))[:COMPARED_TEXT]


def identity(fields: Mapping[str, Any]) -> bytes:
    """Of a click, or of the reject of one."""
    texts = map(compared, map(fields.get, FIELDS))
    return digest("\x1e".join("\x1d" if text is None else text for text in texts).encode("utf-8", "replace"))


def identity_of_rest(data: bytes) -> bytes:
    """Of the unread rest of a line."""
    return _of_rest(data[: 4 * MAX_REJECTED_TEXT].decode("utf-8", "replace"))


def identity_of_reject(reject: Mapping[str, Any]) -> bytes:
    if reject.get("reason") == UNPARSEABLE:
        return _of_rest(str(reject.get(UNPARSEABLE) or ""))
    return identity(reject)


def _of_rest(text: str) -> bytes:
    shown = _REPLACED.sub("\ufffd", text[:MAX_REJECTED_TEXT].strip())[:COMPARED_TEXT]
    return digest(b"rest\x1f" + shown.encode("utf-8", "replace"))
