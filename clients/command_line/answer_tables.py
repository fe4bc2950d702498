"""Each answer as a table of rows."""

from collections.abc import Mapping
from dataclasses import replace

from clients.batch_server.answers import (
    Comparison,
    HeatMap,
    Rising,
    Series,
    TopArticles,
    TopOfSegments,
    Trend,
)
from clients.batch_server.segment import Segment
from clients.batch_server.text import length_text
from clients.command_line import bars
from clients.command_line.tables import AnswerTable
from contract.count import SEGMENT_COLUMNS
from contract.event_time import format_time


def top(answer: TopArticles) -> AnswerTable:
    top = answer.top
    return AnswerTable(
        answer=answer,
        clicks=top.clicks,
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
        clicks=sum(top.clicks for top in answer.lists.values()),
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


def trend(answer: Trend, within: Segment, titles: Mapping[str, str] | None = None) -> AnswerTable:
    return AnswerTable(
        answer=answer,
        clicks=sum(sum(series.clicks) for series in answer.series),
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
                _series_label(series, titles or {}),
                sum(series.clicks),
                max(series.clicks),
                series.clicks[-1],
                bars.drawn(series.clicks),
            )
            for series in answer.series
        ],
    )


def _series_label(series: Series, titles: Mapping[str, str]) -> str:
    title = titles.get(series.article_id or "")
    return series.label if title is None else replace(series, article_id=title).label


def heat_map(answer: HeatMap, within: Segment) -> AnswerTable:
    rows = zip(answer.articles, answer.cells, strict=True)
    return AnswerTable(
        answer=answer,
        clicks=sum(answer.segment_clicks),
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
        clicks=answer.segment_clicks,
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
            f"{answer.found:,} significant differences among {answer.compared:,} articles "
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
        clicks=answer.recent_clicks + answer.before_clicks,
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
            f"{answer.found:,} significantly rising among {answer.compared:,} articles "
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
