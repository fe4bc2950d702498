"""A table of rows, and how it is written: as a table for people, as JSON and CSV for programs.

Tables show times in the zone asked for and ids as a terminal may show them; JSON and CSV hold the contract's
times (UTC) and ids as they are.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, TypeVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from clients.batch_server.answers import Answer, Freshness
from clients.batch_server.minutes import Minutes
from clients.batch_server.segment import Segment
from clients.batch_server.text import age_text, printable
from clients.command_line import bars
from contract.event_time import format_time

Value = str | int | float | None
T = TypeVar("T")
ARTICLE = "article_id"
SHOWN_BEHIND = timedelta(seconds=60)
"""From here on an alarm enters ALARM too (stacks/analytics/alarms.py)."""


@dataclass(frozen=True, kw_only=True)
class AnswerTable:
    """rows: one value for each column; shown: the same for people, where that differs; clicks: of the segment
    asked about; remarks: what a reader of the table must know, such as that a list is cut; facts: more fields
    of the JSON."""

    answer: Answer
    clicks: int
    title: str
    segment: Segment
    columns: tuple[str, ...]
    rows: Sequence[tuple[Value, ...]]
    remarks: tuple[str, ...] = ()
    facts: dict[str, Any]
    shown_columns: tuple[str, ...] | None = None
    shown: Sequence[tuple[Value, ...]] | None = None


def for_people(table: AnswerTable, zone: tzinfo) -> RenderableType:
    """A title, a table, and what its reader must know."""
    title = f"{table.title}, {table.segment.label}, {span_text(table.answer.minutes, zone)}"
    shown = _table(table) if table.rows else Text("nothing to list")
    return Group(Text(title, style="bold"), shown, *map(Text, remarks(table, zone)))


def with_titles(table: AnswerTable, titles: Mapping[str, str]) -> AnswerTable:
    """People read titles in place of ids; programs get them in a column of their own."""
    place = table.columns.index(ARTICLE)
    shown_columns = table.columns if table.shown_columns is None else table.shown_columns
    shown = table.rows if table.shown is None else table.shown
    if ARTICLE in shown_columns:
        number = shown_columns.index(ARTICLE)
        shown = [_replaced(row, number, titles.get(str(row[number]))) for row in shown]
        shown_columns = _replaced(shown_columns, number, "article")
    return replace(
        table,
        columns=(*table.columns[: place + 1], "title", *table.columns[place + 1 :]),
        rows=[(*row[: place + 1], titles.get(str(row[place])), *row[place + 1 :]) for row in table.rows],
        shown_columns=shown_columns,
        shown=shown,
    )


def _replaced(row: tuple[T, ...], number: int, value: T | None) -> tuple[T, ...]:
    """The row itself where there is no other value."""
    return row if value is None else (*row[:number], value, *row[number + 1 :])


def remarks(table: AnswerTable, zone: tzinfo) -> list[str]:
    """What a reader of the rows must know: whether they are all, and how fresh they are."""
    return [*table.remarks, freshness_text(table.answer.freshness, zone, table.answer.minutes)]


def _table(table: AnswerTable) -> Table:
    shown = Table()
    columns = table.shown_columns or table.columns
    rows = table.rows if table.shown is None else table.shown
    for number, column in enumerate(columns):
        numeric = any(isinstance(row[number], int | float) for row in rows)
        shown.add_column(
            Text(printable(column.replace("_", " "))),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=all(bars.is_drawn(row[number]) for row in rows),
        )
    for row in rows:
        shown.add_row(*(Text(_shown(value)) for value in row))
    return shown


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return printable(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def as_csv(table: AnswerTable) -> str:
    return csv_text([table.columns, *table.rows])


def csv_text(rows: Iterable[Sequence[Value]]) -> str:
    return "".join(_csv_line(row) for row in rows)


def _csv_line(row: Sequence[Value]) -> str:
    # The writer quotes the characters of its own line end: a lone CR in an id would end a row for a reader.
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().removesuffix("\r\n") + "\n"


def as_json(table: AnswerTable) -> str:
    answer = {
        "since": format_time(table.answer.minutes.since),
        "until": format_time(table.answer.minutes.until),
        "segment": table.segment.as_dict(),
        "freshness": _freshness_fields(table.answer.freshness),
        "searches": table.answer.searches,
        **table.facts,
        "rows": [dict(zip(table.columns, row, strict=True)) for row in table.rows],
    }
    return json.dumps(answer, ensure_ascii=False, indent=2)


def freshness_as_json(freshness: Freshness) -> str:
    return json.dumps(_freshness_fields(freshness), indent=2)


def freshness_as_csv(freshness: Freshness) -> str:
    fields = _freshness_fields(freshness)
    return csv_text([[*fields], [*fields.values()]])


def _freshness_fields(freshness: Freshness) -> dict[str, Any]:
    age, behind = freshness.age, freshness.progress.behind
    return {
        "asked_at": format_time(freshness.asked_at),
        "newest_minute": _time(freshness.newest_minute),
        "newest_published_at": _time(freshness.newest_published_at),
        "age_seconds": None if age is None else round(age.total_seconds(), 3),
        "complete_until": _time(freshness.complete_until),
        "read_until": _time(freshness.progress.read_until),
        "behind_seconds": None if behind is None else round(behind.total_seconds(), 3),
        "not_known": freshness.progress.problem,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else format_time(time)


def freshness_text(freshness: Freshness, zone: tzinfo, minutes: Minutes | None = None) -> str:
    """minutes: what the answer covers; it may be complete as a whole."""
    behind = freshness.progress.behind or timedelta(0)
    late = f"; the application is {age_text(behind)} behind" if behind > SHOWN_BEHIND else ""
    return f"{_counted_text(freshness, zone)}; {_complete_text(freshness, zone, minutes)}{late}."


def _counted_text(freshness: Freshness, zone: tzinfo) -> str:
    if freshness.newest_published_at is None or freshness.age is None:
        return f"No count of any reader since {_clock(freshness.since, zone)}"
    age = freshness.age
    ahead = f"{age_text(-age)} ahead of this machine's clock"
    how_old = ahead if age < timedelta(0) else f"{age_text(age)} ago"
    return f"Counted until {_clock(freshness.newest_published_at, zone)} ({how_old})"


def _complete_text(freshness: Freshness, zone: tzinfo, minutes: Minutes | None) -> str:
    if freshness.progress.problem is not None:
        return f"which minutes are complete is not known: {freshness.progress.problem}"
    complete = freshness.complete_until
    if complete is None or (minutes is not None and complete <= minutes.since):
        return "nothing is complete yet"
    if minutes is not None and complete >= minutes.until:
        return "complete but for late clicks"
    until = complete.astimezone(zone)
    return f"complete until {_start(until)} {until:%Z} but for late clicks"


def span_text(minutes: Minutes, zone: tzinfo) -> str:
    since, until = minutes.since.astimezone(zone), minutes.until.astimezone(zone)
    end = _time_of_day(until) if since.date() == until.date() else _start(until)
    clock_changed = since.utcoffset() != until.utcoffset()  # 01:30 to 01:30 is an hour then
    return f"{_start(since)}{f' {since:%Z}' if clock_changed else ''} to {end} {until:%Z}"


def _start(time: datetime) -> str:
    return f"{time:%Y-%m-%d} {_time_of_day(time)}"


def _time_of_day(time: datetime) -> str:
    return f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}"


def _clock(time: datetime, zone: tzinfo) -> str:
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
