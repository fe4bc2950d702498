"""What a phone, forced colours and large numbers do to the page."""

import pytest
from playwright.sync_api import expect

from tests.clients.batch_server.counts import AddCounts, count
from tests.clients.board.conftest import Clock, Look, StartBoard
from tests.clients.board.pages import MINUTE, TICKS, cell, heat_map, some_counts

WIDER = """() => [...document.querySelectorAll(".cell")].filter((cell) => {
  const text = document.createRange();
  text.selectNodeContents(cell);
  return text.getBoundingClientRect().width > cell.getBoundingClientRect().width;
}).map((cell) => cell.textContent)"""

CUT_DETAILS = """() => [...document.querySelectorAll("#rising .detail")]
  .filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.textContent)"""
EDGES = """() => [
  document.querySelector("#heat .row-head .label").getBoundingClientRect().right,
  document.querySelector("#heat .row-head .of").getBoundingClientRect().left,
]"""
"""Of elements that are drawn anew with each answer: found and measured in one step."""


def test_a_phone_shows_both_ends_of_each_interval(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board(), viewport={"width": 375, "height": 812})
    expect(page.locator("#rising .detail")).not_to_have_count(0)
    assert page.evaluate(CUT_DETAILS) == []


@pytest.mark.parametrize("width", [375, 1600])
def test_a_long_title_ends_before_the_clicks_of_its_article(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look, width: int
) -> None:
    add_counts(some_counts(clock()))
    titles = {"news": "a long title " * 20}
    page = look(start_board(titles=titles), viewport={"width": width, "height": 1000})
    head = heat_map(page).locator(".row-head").first
    expect(head.locator(".label")).to_contain_text("a long title")
    ends, begins = page.evaluate(EDGES)
    assert ends <= begins


def test_a_wall_tells_each_time_of_the_axis_once(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    now = clock()
    add_counts([count(now.replace(second=0, microsecond=0), "news", 5, published_at=now)])
    page = look(start_board(), viewport={"width": 1280, "height": 720})
    expect(page.locator("#clicks canvas")).to_be_visible()
    page.set_viewport_size({"width": 3840, "height": 2160})
    page.evaluate(TICKS)
    page.set_viewport_size({"width": 3800, "height": 2160})
    page.wait_for_function("() => window.drawn.some((text) => text.includes(':'))")
    times = page.evaluate("() => window.drawn.filter((text) => text.includes(':'))")
    assert len(times) <= 2 * len(set(times)), times  # of two charts


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("clicks", [999, 18_641, 123_456, 1_234_567])
def test_the_clicks_of_a_cell_are_not_wider_than_it(
    *, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look, width: int, clicks: int
) -> None:
    now = clock()
    minute = now.replace(second=0, microsecond=0)
    add_counts(count(minute, "news", clicks, age_band=f"{band}0s", published_at=now) for band in range(1, 9))
    page = look(start_board(), viewport={"width": width, "height": 800})
    expect(cell(page, "news", "80s")).to_be_visible()
    assert page.evaluate(WIDER) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_still_show_what_is_chosen(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look, scheme: str
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board(), forced_colors="active", color_scheme=scheme)
    cell(page, "men", "20s").click()
    heat_map(page).locator("thead button").first.click()
    keys = page.locator("#clicks-note .key")  # told by their colours alone; drawn anew with each answer
    for key in (keys.first, keys.last):
        expect(key).to_have_css("forced-color-adjust", "none", pseudo="before")
    for chosen, others in (
        (".cell[aria-pressed='true']", ".cell[aria-pressed='false']"),
        (".segment[aria-pressed='true']", ".segment[aria-pressed='false']"),
        ("#by input:checked + span", "#by input:not(:checked) + span"),
    ):
        expect(page.locator(chosen)).to_have_count(1)
        page.locator("h1").click()  # the focus draws an outline too
        expect(page.locator(chosen)).to_have_css("outline-style", "solid")
        expect(page.locator(others).first).to_have_css("outline-style", "none")


@pytest.mark.parametrize("clicks", [1, 7, 380, 90_000, 180_000, 300_000, 450_000, 3_000_000, 70_000_000])
def test_the_axis_of_clicks_has_numbers_besides_zero(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look, clicks: int
) -> None:
    now = clock()
    minute = now.replace(second=0, microsecond=0)
    add_counts([count(minute - ago * MINUTE, "news", clicks, published_at=now) for ago in range(5)])
    page = look(start_board(), viewport={"width": 1280, "height": 720})
    expect(page.locator("#clicks canvas")).to_be_visible()
    page.evaluate(TICKS)
    page.set_viewport_size({"width": 1270, "height": 720})
    page.wait_for_function("() => window.drawn.includes('0')")
    drawn = page.evaluate("() => window.drawn")
    assert [text for text in drawn if text != "0" and ":" not in text], drawn
