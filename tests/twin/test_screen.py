"""The screen of `make run`, read as text."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from clients.batch_server import TrendingArticle
from twin.alarms.missing_data import State
from twin.alarms.states import AlarmState
from twin.demonstration import hints
from twin.screen import FinalReconciliation, Picture, Screen, drawn, plain, reconciliation_table

TRENDING = {
    f"{age}0s": [TrendingArticle(f"music-{rank:04}", 200 - rank) for rank in range(1, 13)]
    for age in range(1, 7)
}


def _picture(**changes: object) -> Picture:
    values: dict[str, object] = {
        "uptime_seconds": 125.3,
        "rate_in": 199.7,
        "sent": 24_000,
        "counted": 23_702,
        "rejected": 140,
        "unparseable": 21,
        "age_of_newest_count": 3.42,
        "window": "the last 10 minutes",
        "trending": TRENDING,
    }
    return Picture(**values | changes)  # type: ignore[arg-type]


def _text(renderable: RenderableType, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_the_picture_shows_every_number_and_every_segments_list() -> None:
    text = _text(drawn(_picture(), 120, 40))
    for part in (
        "2:05",
        "200/s",
        "24,000",
        "23,702",
        "140",
        "21",
        "3 s old",
        "the last 10 minutes",
        *TRENDING,
    ):
        assert part in text
    assert text.count("music-0001") == 6
    assert text.count("music-0008") == 6
    assert "music-0009" not in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 24), (200, 50), (80, 40)])
def test_the_picture_fits_the_terminal_with_at_least_one_article_a_segment(width: int, height: int) -> None:
    text = _text(drawn(_picture(problems=["a problem", "x" * 300]), width, height), width)
    assert len(text.splitlines()) <= height
    assert text.count("music-0001") == 6


def test_a_drill_under_way_is_on_the_screen_in_one_line_and_settles_as_before() -> None:
    drill = "drill oregon-away since 12:00:00: it lasts 600 s " + "x" * 300
    picture = _picture(drill=drill, counted=23_839)
    text = _text(drawn(picture, 80, 24), width=80)
    assert len([line for line in text.splitlines() if line.startswith("drill oregon-away since")]) == 1
    assert len(text.splitlines()) <= 24
    assert drill in plain(picture)
    assert picture.is_settled
    assert "drill" not in plain(_picture())


HINTS = tuple(hints("http://127.0.0.1:38642", Path("/tmp/click-trends-twin-abcdefgh/batch_server.env")))


@pytest.mark.parametrize("problems", [[], ["a problem", "x" * 300]])
@pytest.mark.parametrize("segments", [1, 7, 40])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (200, 50)])
def test_hints_stay_on_the_screen_at_any_usual_size(
    width: int, height: int, segments: int, problems: list[str]
) -> None:
    trending = {f"segment-{number}": TRENDING["10s"] for number in range(segments)}
    file = io.StringIO()
    console = Console(file=file, width=width, height=height, force_terminal=True, color_system=None)
    with Screen(console, HINTS) as screen:
        file.truncate(file.seek(0))
        screen.show(_picture(trending=trending, problems=problems))
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue()).replace("\r", "")
    lines = text.rstrip("\n").split("\n")
    assert len(lines) <= height
    assert [line.rstrip() for line in lines[4 : 4 + len(HINTS)]] == [*HINTS]
    assert "2:05" in text
    assert "a problem" in text or not problems
    shown = text.count("music-0001")
    assert shown == segments or f"{segments - shown} more segments in a larger terminal" in text
    assert shown >= min(segments, 6)


def test_a_hint_wider_than_the_terminal_is_wrapped() -> None:
    long = "/" + "深い/" * 40
    text = _text(drawn(_picture(), 80, 24, [long]), width=80)
    assert long in text.replace("\n", "")
    assert len(text.splitlines()) <= 24


def test_bars_are_as_long_as_the_clicks_beside_them() -> None:
    articles = [TrendingArticle("a", 100), TrendingArticle("b", 50), TrendingArticle("c", 1)]
    lines = _text(drawn(_picture(trending={"20s": articles}), 120, 40)).splitlines()
    assert [line.count("█") for line in lines if "│ " in line][-3:] == [10, 5, 0]


def test_the_picture_waits_for_the_first_count() -> None:
    nothing = _picture(uptime_seconds=0, rate_in=0, sent=0, counted=0, age_of_newest_count=None, trending={})
    assert "none yet" in _text(drawn(nothing, 80, 24), width=80)
    assert "waiting for the first counts" in _text(drawn(nothing, 80, 24), width=80)
    assert "none yet" in plain(nothing)


def test_unreadable_numbers_are_not_known_and_show_their_last_reading() -> None:
    away = _picture(read_seconds_ago=42.0, problems=["OpenSearch is away"])
    for text in (_text(drawn(away, 160, 40), 160), plain(away)):
        assert "not known (23,702, read 42 s ago)" in text
        assert "not known (3 s old, read 42 s ago)" in text
    assert "Trending in the last 10 minutes, read 42 s ago" in _text(drawn(away, 160, 40), 160)
    never = _picture(counted=None, age_of_newest_count=None, trending={}, problems=["OpenSearch is away"])
    for text in (_text(drawn(never, 160, 40), 160), plain(never)):
        assert "none yet" not in text
        assert "waiting for the first counts" not in text
        assert "not known" in text


def test_only_a_fresh_reading_settles_a_run() -> None:
    account: dict[str, object] = {"sent": 100, "counted": 90, "rejected": 8, "unparseable": 2}
    assert _picture(**account).is_settled
    for changed in ({"counted": 89}, {"counted": None}, {"read_seconds_ago": 1.0}):
        assert not _picture(**account | changed).is_settled


def test_a_segment_without_clicks_and_counts_of_zero_are_drawn_too() -> None:
    picture = _picture(trending={"10s": [], "20s": [TrendingArticle("a", 0)]})
    assert "no clicks" in _text(drawn(picture, 1, 1))
    assert "10s: -" in plain(picture)


def test_ids_and_problems_are_shown_as_plain_text() -> None:
    trending = {"[red]x": [TrendingArticle("[/bold]\x1b[2J", 5)]}
    text = _text(drawn(_picture(trending=trending, problems=["[/] no"]), 120, 40))
    assert "[red]x" in text
    assert "[/bold]\N{REPLACEMENT CHARACTER}[2J" in text
    assert "[/] no" in text
    assert "\x1b" not in text + plain(_picture(trending=trending))


def test_plain_lines_are_printed_now_and_then_without_a_terminal() -> None:
    file = io.StringIO()
    with Screen(Console(file=file, width=40), HINTS) as screen:
        screen.show(_picture())
        screen.show(_picture(sent=99_999))
    lines = file.getvalue().splitlines()
    assert tuple(lines[: len(HINTS)]) == tuple(HINTS)
    del lines[: len(HINTS)]
    assert "sent 24,000" in lines[0]
    assert "newest count 3 s old" in lines[0]
    assert lines[1] == "  10s: music-0001 199, music-0002 198, music-0003 197"
    assert len(lines) == 1 + len(TRENDING)


def test_on_a_terminal_the_picture_is_drawn_in_place() -> None:
    file = io.StringIO()
    with Screen(Console(file=file, width=120, height=40, force_terminal=True)) as screen:
        screen.show(_picture())
        screen.show(_picture(sent=99_999))
    assert "99,999" in file.getvalue()


@pytest.mark.parametrize(
    ("counted", "verdict", "last_line"),
    [
        (90, "Every click accounted for", "missing 0"),
        (89, "do not balance", "missing 1"),
        (92, "do not balance", "counted twice 2"),
    ],
)
def test_the_totals_say_whether_the_reconciliation_balances(
    counted: int, verdict: str, last_line: str
) -> None:
    totals = FinalReconciliation(
        sent=100, counted=counted, rejected={"too_old": 5, "not_json": 3}, unparseable=2
    )
    text = _text(reconciliation_table(totals))
    assert verdict in text
    rows = [" ".join(line.replace("│", " ").split()) for line in text.splitlines()]
    assert "rejected: not_json 3" in rows
    assert last_line in rows


def test_a_click_both_counted_and_rejected_is_shown_as_such() -> None:
    totals = FinalReconciliation(sent=10, counted=10, rejected={}, unparseable=0, counted_and_rejected=3)
    rows = [
        " ".join(line.replace("│", " ").split()) for line in _text(reconciliation_table(totals)).splitlines()
    ]
    assert "counted, and rejected when read again 3" in rows
    assert "missing 0" in rows


def _alarm(number: int, state: State = State.ALARM) -> AlarmState:
    return AlarmState(
        name=f"alarm-{number}",
        region="us-west-2",
        state=state,
        since=datetime(2026, 1, 1, 0, number, tzinfo=UTC),
        reason="",
        shows="it is full.",
        runbook=f"docs/operate/runbook.md#full{number}",
    )


def test_alarms_are_counted_and_each_one_entered_leads_to_its_row_of_the_runbook() -> None:
    picture = _picture(alarms=[_alarm(1), _alarm(2, State.OK), _alarm(3)])
    shown = _text(drawn(picture, 120, 50))
    for text in (shown, plain(picture)):
        assert "alarms: 1 OK, 2 ALARM" in text
        assert text.index("ALARM alarm-3: docs/operate/runbook.md#full3") < text.index("ALARM alarm-1: ")
        assert "alarm-2" not in text


def test_of_many_alarms_the_newest_are_named_and_the_others_counted() -> None:
    text = plain(_picture(alarms=[_alarm(number) for number in range(7)]))
    assert "alarm-6" in text
    assert "alarm-2" not in text
    assert "and 3 more" in text
