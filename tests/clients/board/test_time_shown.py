"""The time that the page shows: what moves on, what has an end, and the address that holds it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from clients.batch_server import TrendingReader, TrendsError
from clients.board.asking import Asking
from clients.board.questions import BoardQuestion, Lane, QuestionKind, questions_of_view
from clients.board.ranges import TimeShown, range_chosen
from contract.event_time import format_time
from tests.clients.batch_server.counts import AddCounts, Count, count
from tests.clients.board.conftest import KEYS, SPANS, Clock, Look, StartBoard, all_read
from tests.clients.board.pages import MINUTE, TICKS, cell, heat_map, some_counts

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _earlier(now: datetime) -> list[Count]:
    """Clicks of an article two hours ago, and of the minutes before now."""
    then = now.replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    old = count(then + 30 * MINUTE, "then", 500, age_band="20s", published_at=then + 31 * MINUTE)
    return [old, *some_counts(now - MINUTE)]


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        (("10 minutes", None, None), "is not a duration"),
        (("2d", None, None), "not within the last 24 hours"),
        (("10m", "2026-01-31T09:15:00.000Z", None), "not all of them"),
        ((None, "2026-01-31T09:15:00.000Z", None), "write both since and until"),
        ((None, "2026-01-31 09:15", "2026-01-31T10:15:00.000Z"), "write both since and until"),
        ((None, "2026-01-31T09:15:00.000Z", "2026-01-31T09:15:00.000Z"), "must end after it begins"),
        ((None, "1999-01-31T09:15:00.000Z", "1999-01-31T10:15:00.000Z"), "the year 1999"),
        ((None, "2026-01-01T00:00:00.000Z", "2026-01-31T00:00:00.000Z"), "7 days at most"),
    ],
)
def test_a_time_that_the_board_cannot_show_is_refused_with_the_reason(
    chosen: tuple[str | None, ...], reason: str
) -> None:
    with pytest.raises(TrendsError, match=reason):
        range_chosen(*chosen)


@pytest.mark.parametrize(("hours", "minutes"), [(1, 1), (2, 1), (6, 5), (24, 10), (48, 30), (168, 60)])
def test_a_series_has_few_enough_bars_to_point_at_each(hours: int, minutes: int) -> None:
    shown = TimeShown(since=NOON - hours * HOUR, until=NOON)
    assert shown.covered(SPANS, NOON).step == timedelta(minutes=minutes)


def test_a_time_in_the_future_is_not_asked_for_and_of_today_only_what_is_over() -> None:
    with pytest.raises(TrendsError, match="is in the future"):
        TimeShown(since=NOON, until=NOON + HOUR).covered(SPANS, NOON)
    covered = TimeShown(since=NOON - HOUR, until=NOON + HOUR).covered(SPANS, NOON)
    assert (covered.until, covered.last) == (NOON, HOUR)


def test_longer_and_past_times_are_asked_for_less_often() -> None:
    def seconds(**shown: Any) -> float:
        return BoardQuestion(QuestionKind.HEAT_MAP, range=TimeShown(**shown)).seconds_between

    assert [seconds(last=hours * HOUR) for hours in (1, 6, 24)] == [2, 6, 24]
    assert seconds(since=NOON - HOUR, until=NOON) == 60
    fixed = questions_of_view([("since", format_time(NOON - HOUR)), ("until", format_time(NOON))])
    assert [question.kind for question in fixed if question.lane == Lane.LIVE] == [QuestionKind.FRESHNESS]


def test_a_past_time_is_complete_by_how_far_the_counts_have_come_now(
    opensearch: str, add_counts: AddCounts, clock: Clock
) -> None:
    now = clock()
    add_counts(_earlier(now))
    reader = TrendingReader(opensearch, KEYS, clock=clock, progress=all_read(clock))
    since = now.replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    shown = TimeShown(since=since, until=since + HOUR)
    by_itself = reader.trend(HOUR, until=since + HOUR).freshness.complete_until
    assert by_itself is None or by_itself < since + HOUR
    answer = Asking(reader, SPANS, clock)(BoardQuestion(QuestionKind.CLICKS, range=shown))
    assert answer.freshness.complete_until is not None
    assert answer.freshness.complete_until >= since + HOUR
    assert (answer.minutes.since, answer.minutes.until) == (since, since + HOUR)


def _shows_then(page: Page) -> None:
    expect(cell(page, "then", "20s")).to_have_text("500")
    expect(cell(page, "news", "20s")).to_have_count(0)
    expect(page.locator("#state")).to_have_attribute("data-state", "past")
    expect(page.locator("#question")).to_have_text("Which articles did each kind of reader click then?")
    expect(page.locator("#heat-note")).to_contain_text("UTC; complete")
    expect(page.locator("body")).not_to_contain_text(re.compile("right now|last 10 minutes"))


def test_a_past_time_is_chosen_kept_in_the_address_and_never_called_now(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    now = clock()
    add_counts(_earlier(now))
    page = look(start_board())
    expect(cell(page, "news", "20s")).to_be_visible()
    expect(page.locator("#state")).to_have_text("live")
    since = now.replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    page.get_by_text("other times").click()
    page.get_by_label("from").fill(f"{since:%Y-%m-%dT%H:%M}")
    page.get_by_label("to", exact=True).fill(f"{since + HOUR:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="show").click()
    _shows_then(page)
    expect(page.locator("#state")).to_have_text(f"{since:%H:%M} to {since + HOUR:%H:%M}")
    _shows_then(look(page.url))
    page.go_back()
    expect(page.locator("#state")).to_have_text("live")
    expect(cell(page, "news", "20s")).to_be_visible()
    expect(page.get_by_role("radio", name="last 10 minutes")).to_be_checked()
    page.go_forward()
    _shows_then(page)


def test_a_page_is_paused_steps_back_and_forth_and_is_live_again(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(_earlier(clock()))
    page = look(start_board())
    expect(cell(page, "news", "20s")).to_be_visible()
    page.get_by_role("button", name="pause").click()
    expect(page.locator("#state")).to_have_attribute("data-state", "past")
    expect(cell(page, "news", "20s")).to_be_visible()
    add_counts([count(clock().replace(second=0, microsecond=0) + 5 * MINUTE, "later", 900, age_band="20s")])
    page.get_by_role("button", name="live").click()
    expect(page.locator("#state")).to_have_text("live")
    page.locator("#last").get_by_text("1h", exact=True).click()
    expect(page.locator("#heat-note")).to_contain_text("Last hour")
    for times, label in ((2, "earlier"), (2, "later")):
        for _ in range(times):
            expect(page.locator("#heat[aria-busy]")).to_have_count(0)
            page.get_by_role("button", name=label).click()
    expect(page).to_have_url(re.compile("since="))
    page.get_by_role("button", name="later").click()
    expect(page).to_have_url(re.compile("last=1h"))
    expect(page.locator("#state")).to_have_text("live")
    expect(page.get_by_role("button", name="later")).to_be_disabled()


def test_what_is_drawn_over_in_a_chart_is_the_time_shown(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    chart = page.locator("#clicks .u-over")
    chart.scroll_into_view_if_needed()
    place = chart.bounding_box()
    assert place is not None
    middle = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + place["width"] * 0.2, middle)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] * 0.6, middle, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("since="))
    query = parse_qs(urlsplit(page.url).query)
    since, until = (datetime.fromisoformat(query[name][0]) for name in ("since", "until"))
    assert (since.second, until.second) == (0, 0)
    assert 8 * MINUTE <= until - since <= 15 * MINUTE  # of the thirty minutes that have clicks
    expect(page.locator("#clicks[role=slider]")).to_have_attribute(
        "aria-valuemax", str((until - since) // MINUTE - 1)
    )
    page.go_back()
    expect(page.locator("#state")).to_have_text("live")


def test_times_of_several_days_are_told_with_their_days(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    now = clock().replace(minute=0, second=0, microsecond=0)
    then = now - 50 * HOUR
    add_counts([count(then, "then", 500, published_at=then + MINUTE), *some_counts(clock() - MINUTE)])
    page = look(f"{start_board()}/?since={format_time(now - 60 * HOUR)}&until={format_time(now - 14 * HOUR)}")
    chart = page.locator("#clicks")
    expect(chart.locator("canvas")).to_be_visible()
    chart.focus()
    page.keyboard.press("Home")
    first = now - 60 * HOUR
    expect(chart).to_have_attribute(
        "aria-valuetext", re.compile(f"^{first:%Y-%m-%d %H:%M}: 0 clicks, complete")
    )
    page.evaluate(TICKS)
    page.set_viewport_size({"width": 1270, "height": 720})
    page.wait_for_function("(day) => window.drawn.includes(day)", arg=f"{first + timedelta(days=1):%m-%d}")
    expect(page.locator("#clicks-note")).to_contain_text(
        re.compile(r"0 at \d{4}-\d\d-\d\d \d\d:\d\d, the last complete")
    )


def test_a_day_is_chosen_when_its_year_is_written_and_the_times_close(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    page.get_by_text("other times").click()
    day = page.get_by_label("a day")
    today = f"{clock():%Y-%m-%d}"
    day.fill(f"00{today[2:]}")  # as a keyboard writes the year, figure by figure
    day.dispatch_event("change")
    assert "since=" not in page.url
    day.fill(today)
    day.dispatch_event("change")
    expect(page).to_have_url(re.compile(f"since={today}T00%3A00"))
    expect(page.get_by_label("a day")).to_be_hidden()
    expect(page.locator("#state")).to_have_text(f"{today}, not over")


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        ("Asia/Tokyo", "2026-01-31", ("2026-01-30T15", "2026-01-31T15")),
        ("America/New_York", "2026-03-08", ("2026-03-08T05", "2026-03-09T04")),
        ("America/New_York", "2026-11-01", ("2026-11-01T04", "2026-11-02T05")),
    ],
)
def test_a_day_is_that_of_the_boards_zone_however_long_it_is(
    start_board: StartBoard, look: Look, zone: str, date: str, hours: tuple[str, str]
) -> None:
    page = look(start_board(time_zone=zone), locale="ar-EG", timezone_id="Pacific/Apia")
    found = page.evaluate(
        "async ([day, zone]) => (await import('/page/range.js')).wholeDay(day, zone)", [date, zone]
    )
    assert [found["since"], found["until"]] == [f"{hour}:00:00.000Z" for hour in hours]


def test_each_panel_says_how_old_it_is_and_looks_old_when_it_is(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    panels = page.locator(".panel[data-kind]")
    expect(panels.locator(".age:not(:empty)")).to_have_text([re.compile(r"^read \d+ s ago$")] * 5)
    expect(heat_map(page)).to_be_visible()
    page.evaluate(
        """async () => {
          const { drawAges } = await import("/page/panels.js");
          const freshness = { asked_at: new Date(Date.now() - 40_000).toISOString() };
          const [heat_map, rising] = [2, 30].map((seconds_between) => ({ freshness, seconds_between }));
          drawAges({ heat_map, rising }, Date.now());
          window.seen = [...document.querySelectorAll(".panel[data-kind]")].map((panel) =>
            [panel.dataset.kind, panel.querySelector(".age").textContent, "old" in panel.dataset]);
        }"""
    )
    seen = page.evaluate("window.seen")
    assert [panel for panel in seen if panel[0] in ("heat_map", "rising")] == [
        ["heat_map", "⚠ 40 s old", True],
        ["rising", "read 40 s ago", False],
    ]
