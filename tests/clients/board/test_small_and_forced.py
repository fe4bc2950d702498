"""What a phone, forced colours and large numbers do to the page."""

import pytest
from playwright.sync_api import Page, expect

from tests.clients.batch_server.counts import AddCounts, count
from tests.clients.board.conftest import Clock, Look, StartBoard
from tests.clients.board.pages import MINUTE, cell, heat_map, some_counts

TICKS = """() => {
  window.drawn = [];
  const fillText = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.drawn.push(text);
    return fillText.call(this, text, ...place);
  };
}"""


def test_a_phone_shows_both_ends_of_each_interval(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board(), viewport={"width": 375, "height": 812})
    details = page.locator("#rising .detail")
    expect(details).not_to_have_count(0)
    for detail in details.all():
        assert detail.evaluate("node => node.scrollWidth <= node.clientWidth"), detail.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_still_show_what_is_chosen(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look, scheme: str
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board(), forced_colors="active", color_scheme=scheme)
    cell(page, "men", "20s").click()
    heat_map(page).locator("thead button").first.click()
    for chosen, others in (
        (".cell[aria-pressed='true']", ".cell[aria-pressed='false']"),
        (".segment[aria-pressed='true']", ".segment[aria-pressed='false']"),
        (".by input:checked + span", ".by input:not(:checked) + span"),
    ):
        expect(page.locator(chosen)).to_have_count(1)
        page.locator("h1").click()  # the focus draws an outline too
        assert _outline(page, chosen) == "solid"
        assert _outline(page, others) == "none"


def _outline(page: Page, selector: str) -> str:
    style: str = page.locator(selector).first.evaluate("node => getComputedStyle(node).outlineStyle")
    return style


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
