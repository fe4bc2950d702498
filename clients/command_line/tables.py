"""Answers as tables of rows, and tables as tables for people, JSON and CSV for programs.

Tables show times in the zone asked for and ids as a terminal may show them; JSON and CSV hold the contract's
times (UTC) and ids as they are.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from clients.batch_server.answers import (
    Answer,
    Comparison,
    Freshness,
    HeatMap,
    Rising,
    TopArticles,
    TopOfSegments,
    Trend,
)
from clients.batch_server.minutes import Minutes
from clients.batch_server.segment import Segment
from clients.batch_server.text import age_text, length_text, printable
from contract.count import SEGMENT_COLUMNS
from contract.event_time import format_time

Value = str | int | float | None
_BARS = (
    " \N{LOWER ONE EIGHTH BLOCK}\N{LOWER ONE QUARTER BLOCK}\N{LOWER THREE EIGHTHS BLOCK}\N{LOWER HALF BLOCK}"
)
_BARS += (
    "\N{LOWER FIVE EIGHTHS BLOCK}\N{LOWER THREE QUARTERS BLOCK}\N{LOWER SEVEN EIGHTHS BLOCK}\N{FULL BLOCK}"
)
SHOWN_BEHIND = timedelta(seconds=60)
"""From here on an alarm is in ALARM too (stacks/analytics/alarms.py)."""
MAX_BARS = 60
"""Characters of a series in a table; neighbouring steps are added up to fit."""


@dataclass(frozen=True, kw_only=True)
class AnswerTable:
    """rows: one value for each column; shown: the same for people, where that differs; remarks: what a reader
    of the table must know, such as that a list is cut; facts: more fields of the JSON."""

    answer: Answer
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
            no_wrap=all(_is_bars(row[number]) for row in rows),
        )
    for row in rows:
        shown.add_row(*(Text(_shown(value)) for value in row))
    return shown


def _is_bars(value: Value) -> bool:
    return isinstance(value, str) and set(value) <= set(_BARS)


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return printable(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def as_csv(table: AnswerTable) -> str:
    return "".join(_csv_line(row) for row in (table.columns, *table.rows))


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


def top(answer: TopArticles) -> AnswerTable:
    top = answer.top
    return AnswerTable(
        answer=answer,
        title="Most clicked",
        segment=answer.segment,
        columns=("place", "article_id", "clicks"),
        rows=[(place, each.article_id, each.clicks) for place, each in enumerate(top.articles, start=1)],
        remarks=_clicks_remark(top.clicks, sum(each.clicks for each in top.articles), top.cut),
        facts={"clicks": top.clicks, "cut": top.cut},
    )


def _clicks_remark(clicks: int, listed: int, cut: bool) -> tuple[str, ...]:
    more = "; more articles qualify" if cut else ""
    return (f"{listed:,} of {clicks:,} clicks are listed{more}.",)


def top_of_segments(answer: TopOfSegments, within: Segment) -> AnswerTable:
    rows = [
        (*_values(segment), place, each.article_id, each.clicks)
        for segment, top in answer.lists.items()
        for place, each in enumerate(top.articles, start=1)
    ]
    lists = [
        {"segment": segment.as_dict(), "clicks": top.clicks, "cut": top.cut}
        for segment, top in answer.lists.items()
    ]
    cut = sum(top.cut for top in answer.lists.values())
    return AnswerTable(
        answer=answer,
        title="Most clicked in each segment",
        segment=within,
        columns=(*SEGMENT_COLUMNS, "place", "article_id", "clicks"),
        rows=rows,
        remarks=(f"{len(lists):,} segments; in {cut:,} of them more articles qualify.",),
        facts={"lists": lists},
    )


def _values(segment: Segment) -> tuple[str | None, ...]:
    values = segment.as_dict()
    return tuple(values.get(column) for column in SEGMENT_COLUMNS)


def trend(answer: Trend, within: Segment) -> AnswerTable:
    return AnswerTable(
        answer=answer,
        title=f"Clicks each {length_text(answer.step)}",
        segment=within,
        columns=("time", "article_id", *SEGMENT_COLUMNS, "clicks"),
        rows=[
            (format_time(start), series.article_id, *_values(series.segment), clicks)
            for series in answer.series
            for start, clicks in zip(answer.starts, series.clicks, strict=True)
        ],
        facts={"step_seconds": round(answer.step.total_seconds())},
        shown_columns=("series", "clicks", "most", "last", "from first to last"),
        shown=[
            (
                series.label,
                sum(series.clicks),
                max(series.clicks),
                series.clicks[-1],
                _bars(series.clicks),
            )
            for series in answer.series
        ],
    )


def _bars(clicks: Sequence[int]) -> str:
    width = -(-len(clicks) // MAX_BARS)
    sums = [sum(clicks[start : start + width]) for start in range(0, len(clicks), width)]
    most = max(sums)
    return "".join(_BARS[-(-number * (len(_BARS) - 1) // most)] if most else _BARS[0] for number in sums)


def heat_map(answer: HeatMap, within: Segment) -> AnswerTable:
    rows = zip(answer.articles, answer.cells, strict=True)
    return AnswerTable(
        answer=answer,
        title="Clicks of articles by segments",
        segment=within,
        columns=("article_id", *SEGMENT_COLUMNS, "clicks", "segment_clicks"),
        rows=[
            (article.article_id, *_values(segment), clicks, of_segment)
            for article, row in zip(answer.articles, answer.cells, strict=True)
            for segment, clicks, of_segment in zip(answer.segments, row, answer.segment_clicks, strict=True)
        ],
        remarks=_clicks_remark(
            sum(answer.segment_clicks), sum(each.clicks for each in answer.articles), answer.cut
        ),
        facts={"clicks": sum(answer.segment_clicks), "cut": answer.cut},
        shown_columns=("article_id", "clicks", *(segment.label for segment in answer.segments)),
        shown=[(article.article_id, article.clicks, *row) for article, row in rows],
    )


def compare(answer: Comparison) -> AnswerTable:
    return AnswerTable(
        answer=answer,
        title="Read more or less than by everyone else",
        segment=answer.segment,
        columns=(
            *("direction", "article_id", "clicks", "expected", "others", "times"),
            *("times_low", "times_high", "z"),
        ),
        rows=[
            (
                *(direction, each.article_id, each.clicks, round(each.expected, 2), each.others),
                *(
                    round(each.times, 3),
                    round(each.times_low, 3),
                    round(each.times_high, 3),
                    round(each.z, 2),
                ),
            )
            for direction, articles in (("more", answer.more), ("less", answer.less))
            for each in articles
        ],
        shown_columns=("read", "article_id", "clicks", "expected", "times", "90 % interval"),
        shown=[
            (
                *(direction, each.article_id, each.clicks, round(each.expected), each.times),
                _between(each.times_low, each.times_high),
            )
            for direction, articles in (("more", answer.more), ("less", answer.less))
            for each in articles
        ],
        remarks=(
            f"{answer.found:,} sure differences among {answer.compared:,} articles "
            f"(all with {answer.all_from:,} clicks or more)"
            f"{_if_cut(answer.found, len(answer.more) + len(answer.less))}.",
            *_no_clicks_remark(segment=answer.segment_clicks, everyone_else=answer.others_clicks),
        ),
        facts={
            "segment_clicks": answer.segment_clicks,
            "others_clicks": answer.others_clicks,
            **_looked_at(answer),
        },
    )


def rising(answer: Rising) -> AnswerTable:
    return AnswerTable(
        answer=answer,
        title="Rising",
        segment=answer.segment,
        columns=(
            *("article_id", "clicks", "before", "expected"),
            *("growth", "growth_low", "growth_high"),
        ),
        rows=[
            (
                *(each.article_id, each.clicks, each.before, round(each.expected, 2)),
                *(round(each.growth, 3), round(each.growth_low, 3), round(each.growth_high, 3)),
            )
            for each in answer.articles
        ],
        shown_columns=("article_id", "clicks", "before", "expected", "growth", "90 % interval"),
        shown=[
            (
                *(each.article_id, each.clicks, each.before, round(each.expected), each.growth),
                _between(each.growth_low, each.growth_high),
            )
            for each in answer.articles
        ],
        remarks=(
            f"{answer.found:,} surely rising among {answer.compared:,} articles "
            f"(all with {answer.all_from:,} clicks or more){_if_cut(answer.found, len(answer.articles))}.",
            *_no_clicks_remark(lately=answer.recent_clicks, before=answer.before_clicks),
        ),
        facts={
            "recent_since": format_time(answer.recent.since),
            "recent_clicks": answer.recent_clicks,
            "before_clicks": answer.before_clicks,
            **_looked_at(answer),
        },
    )


def _if_cut(found: int, listed: int) -> str:
    return f"; {listed:,} of them are listed" if listed < found else ""


def _no_clicks_remark(**sides: int) -> tuple[str, ...]:
    """Without clicks on one side nothing can differ, which is not the same as no difference."""
    empty = [side.replace("_", " ") for side, clicks in sides.items() if not clicks]
    return (f"Nothing can be compared: no clicks ({', '.join(empty)}).",) if empty else ()


def _between(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}"


def _looked_at(answer: Comparison | Rising) -> dict[str, int]:
    return {"found": answer.found, "compared": answer.compared, "all_from": answer.all_from}
