"""The contract of a click once more, in Python: what becomes of a record, independently of the SQL."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

FIELDS = ("click_id", "clicked_at", "user_id", "article_id", "platform", "position")
MAX_AHEAD = timedelta(seconds=60)
MAX_ID_BYTES = 512


MAX_DEPTH = 1000
# Forbidden by UTF-8 (overlong, surrogates, beyond U+10FFFF), yet the parser lets it pass.
FORBIDDEN_UTF8 = re.compile(
    rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xed[\xa0-\xbf][\x80-\xbf]"
    rb"|\xf0[\x80-\x8f][\x80-\xbf]{2}|\xf4[\x90-\xbf][\x80-\xbf]{2}|[\xf5-\xf7][\x80-\xbf]{3}"
)
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what the error handler surrogateescape makes of such a byte


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _depth(text: str) -> int:
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def rows(record: bytes) -> list[dict[str, Any]]:
    """The clicks in a record: its first JSON value, an object, or the objects in it; [] is unparseable."""
    text = FORBIDDEN_UTF8.sub(b"?", record.removeprefix(b"\xef\xbb\xbf")).decode("utf-8", "surrogateescape")
    text = text.lstrip(" \t\r\n")
    if _depth(text) > MAX_DEPTH:
        return []
    try:
        value, end = json.JSONDecoder(parse_constant=_refuse_constant, strict=False).raw_decode(text)
    except ValueError:
        return []
    if _NOT_UTF8.search(text, 0, end):
        return []
    elements = value if isinstance(value, list) else [value]
    return [element for element in elements if isinstance(element, dict)]


def text_of(value: object) -> str | None:
    """A scalar as the format hands it over; an object or array, which is no id, as None."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return json.dumps(value)


def holds_json_container(text: str) -> bool:
    """A string that is itself the JSON of an object or array can't be told from one."""
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


def moment(text: str) -> datetime | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", text):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return None


def reason(click: dict[str, Any], *, now: datetime) -> str | None:
    """Why a click is rejected, or None; without a limit on its age."""
    ids = {}
    for field in ("click_id", "user_id", "article_id"):
        text = text_of(click.get(field))
        if not text or holds_json_container(text):
            return f"missing_{field}"
        ids[field] = text
    if click.get("clicked_at") is None:
        return "missing_clicked_at"
    clicked_at = moment(text_of(click["clicked_at"]) or "")
    if clicked_at is None:
        return "invalid_clicked_at"
    if clicked_at > now + MAX_AHEAD:
        return "clock_ahead"
    if any(len(text.encode()) > MAX_ID_BYTES for text in ids.values()):
        return "id_too_long"
    return None
