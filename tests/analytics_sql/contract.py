"""The contract of a click in Python, independent of the SQL: what becomes of a record."""

import json
from datetime import datetime, timedelta
from typing import Any

from contract.click import ID_FIELDS, MAX_CLOCK_AHEAD_SECONDS, MAX_ID_BYTES, is_unicode
from contract.event_time import parse_time

MAX_AHEAD = timedelta(seconds=MAX_CLOCK_AHEAD_SECONDS)


def text_of(value: object) -> str | None:
    """A scalar as the format hands it over; an object or array as None, as if the field were missing."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, str):
        return value
    return json.dumps(value)


def reason(click: dict[str, Any], *, now: datetime) -> str | None:
    """Why a click is rejected, or None; without a limit on its age."""
    ids = {}
    for field in ID_FIELDS:
        text = text_of(click.get(field))
        if not text:
            return f"missing_{field}"
        ids[field] = text
    clicked_at_text = text_of(click.get("clicked_at"))
    if clicked_at_text is None:
        return "missing_clicked_at"
    if not all(map(is_unicode, ids.values())):
        return "id_not_unicode"
    if unfit := _unfit_time(clicked_at_text, now):
        return unfit
    if any(len(text.encode()) > MAX_ID_BYTES for text in ids.values()):
        return "id_too_long"
    return None


def _unfit_time(text: str, now: datetime) -> str | None:
    clicked_at = parse_time(text)
    if clicked_at is None:
        return "invalid_clicked_at"
    return "clock_ahead" if clicked_at > now + MAX_AHEAD else None
