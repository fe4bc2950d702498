"""What the tests of the page look at: counts, and where a person sees them."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from playwright.sync_api import Locator, Page, expect

from clients.batch_server import HeatMap, TrendingReader
from tests.clients.batch_server.counts import Count, count

expect.set_options(timeout=15_000)  # a busy machine; how fast is asserted where it is promised
MINUTE = timedelta(minutes=1)
LIVE_MS = 10_000  # within which a count that OpenSearch has must be seen: a few seconds, and a busy machine
AGES = ("10s", "20s", "30s")
TICKS = """() => {
  window.drawn = [];
  const fillText = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.drawn.push(text);
    return fillText.call(this, text, ...place);
  };
}"""
"""Keeps the texts that charts draw from now on."""


def some_counts(now: datetime) -> list[Count]:
    """An article that men read much more, one that rises, and plain ones; published a moment ago."""
    minute = now.replace(second=0, microsecond=0)
    counts = []
    for ago in range(30):
        for age_band in AGES:
            for gender in ("female", "male"):
                for article, clicks in (("news", 20), ("men", 30 if gender == "male" else 5), ("old", 10)):
                    fields = {"age_band": age_band, "gender": gender, "published_at": now}
                    counts.append(count(minute - ago * MINUTE, article, clicks, **fields))
    counts += [
        count(minute - ago * MINUTE, "rising", 40, age_band=age_band, published_at=now)
        for ago in range(8)
        for age_band in AGES
    ]
    return counts


def heat_map(page: Page) -> Locator:
    return page.get_by_role("grid", name="Clicks by article and segment")


def cells(page: Page) -> list[list[str]]:
    rows = heat_map(page).locator("tbody tr").all()
    return [row.get_by_role("gridcell").all_inner_texts() for row in rows]


def cell(page: Page, article: str, segment: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^{re.escape(article)}, {re.escape(segment)}: "))


def choose_columns(page: Page, name: str) -> None:
    page.locator("#by").get_by_text(name, exact=True).click()
    expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()
    expect(page.locator("#heat[aria-busy]")).to_have_count(0)


class Switch:
    """A reader that can be exchanged, and be made to wait, while the board runs."""

    def __init__(self, reader: TrendingReader) -> None:
        self.reader = reader
        self._open = threading.Event()
        self._open.set()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """No heat map is answered in the block."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def heat_map(self, *arguments: Any, **options: Any) -> HeatMap:
        self._open.wait()
        return self.reader.heat_map(*arguments, **options)

    def __getattr__(self, name: str) -> object:
        return getattr(self.reader, name)
