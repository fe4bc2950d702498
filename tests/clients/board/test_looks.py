"""Every panel open at once, as a phone, a wall, paper, forced colours and a magnified page show it."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.clients.batch_server.counts import AddCounts
from tests.clients.board.conftest import ARTIFACTS, Clock, Look, StartBoard
from tests.clients.board.environments import ALARMS, REFUSED
from tests.clients.board.pages import some_counts
from tests.conftest import PROJECT

LOOKS: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {
    "phone": ((375, 812), {}),
    "wall": ((3840, 2160), {}),
    "zoom-400": ((320, 256), {}),  # what WCAG's reflow asks of 1280 x 1024
    "paper": ((800, 1130), {"media": "print"}),
    "forced": ((1280, 800), {"forced_colors": "active"}),
    "dark": ((1280, 800), {"color_scheme": "dark"}),
}
EVERYTHING = {
    "by": "gender", "about": "news", "find": "e", "tops": "1", "compare.gender": "male",
    "beside.gender": "female",
}  # fmt: skip


@pytest.fixture
def everything(add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look) -> Page:
    add_counts(some_counts(clock()))
    link = "https://news.example/{article_id}"
    board = start_board(article_link=link, alarms=lambda: ALARMS, refused=lambda: REFUSED)
    page = look(f"{board}/?{urlencode(EVERYTHING)}")
    expect(page.locator(".panel[data-kind] .age:not(:empty)")).to_have_count(11)
    page.locator("#alarms .others summary").click()
    expect(page.locator("#about figure canvas")).to_have_count(3)
    page.evaluate((PROJECT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    return page


def test_all_that_can_be_opened_fits_every_look_and_is_accessible(everything: Page) -> None:
    page = everything
    for name, ((width, height), media) in LOOKS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(**{"media": "screen", "forced_colors": "none", "color_scheme": "light"} | media)
        page.screenshot(path=ARTIFACTS / f"everything-{name}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        found = page.evaluate("axe.run().then((result) => result.violations)")
        assert not found, (name, json.dumps([(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found]))
    page.emulate_media(media="print", forced_colors="none", color_scheme="light")
    for control in ("#find", "#pause", "#sort", "[data-close=about]"):
        expect(page.locator(control)).to_be_hidden()
