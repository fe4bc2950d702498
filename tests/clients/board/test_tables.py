"""Segments side by side, the heat map sorted by one, and the top of each as a table to take along."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from clients.batch_server import Segment, TrendingReader
from tests.clients.batch_server.counts import AddCounts, count
from tests.clients.board.conftest import KEYS, SPANS, Clock, Look, StartBoard, all_read
from tests.clients.board.pages import MINUTE, cell, choose_columns, heat_map, some_counts

HOUR = timedelta(hours=1)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1+1", '"=1"', "|cmd")


def test_two_segments_are_shown_side_by_side_and_both_stay_in_the_address(
    opensearch: str, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    choose_columns(page, "gender")
    page.get_by_role("button", name=re.compile("^male")).click()
    page.get_by_role("combobox", name="beside: gender").select_option("female")
    page.get_by_role("button", name="see below").click()
    expect(page.locator("#side-title")).to_be_focused()
    table = page.locator("#side table")
    reader = TrendingReader(opensearch, KEYS, clock=clock)
    for column, gender in enumerate(("male", "female")):
        top = reader.top(SPANS.last, Segment(gender=gender)).top
        expect(table.locator("thead th").nth(column + 1)).to_have_text(f"{gender} {top.clicks:,} clicks")
        first = top.articles[0]
        cells = table.locator("tbody tr").first.locator("td")
        expect(cells.nth(3 * column)).to_have_text(first.article_id)
        expect(cells.nth(3 * column + 1)).to_contain_text(f"{first.clicks:,} · ")
    expect(table).to_contain_text(re.compile(r"place \d there"))
    again = look(page.url)
    expect(again.locator("#side thead")).to_contain_text("female")
    again.get_by_role("button", name="close").click()
    expect(again.locator("#side")).to_be_hidden()
    expect(again.get_by_role("combobox", name="gender", exact=True)).to_have_value("=male")


def test_the_heat_map_is_sorted_by_any_segment_and_says_which(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    choose_columns(page, "gender")
    names = heat_map(page).locator("tbody .article")
    expect(names.first).to_have_text("news")
    page.get_by_label("sorted by").select_option("male")
    expect(names.first).to_have_text("men")
    expect(cell(page, "men", "male")).to_be_visible()
    expect(look(page.url).locator("#heat-map tbody .article").first).to_have_text("men")
    page.go_back()
    expect(names.first).to_have_text("news")


def _saved(page: Page, name: str) -> bytes:
    with page.expect_download() as told:
        page.get_by_role("button", name=name, exact=True).click()
    assert told.value.suggested_filename.endswith(f".{name.lower()}")
    return Path(told.value.path()).read_bytes()


def test_the_top_of_each_segment_is_taken_along_as_csv_and_as_a_picture(
    opensearch: str, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock() - MINUTE))
    now = clock().replace(second=0, microsecond=0)
    add_counts(
        count(now - 5 * MINUTE, each, 50 - place, age_band="20s") for place, each in enumerate(FORMULAS)
    )
    page = look(
        start_board(titles={"news": '記事 "一", 二\n三', "men": "=HYPERLINK(1)"}), accept_downloads=True
    )
    page.get_by_role("button", name="top of each").click()
    expect(page.locator("#tops thead th")).to_have_count(5)
    saved = _saved(page, "CSV")
    assert saved.startswith(b"\xef\xbb\xbf")
    header, *lines = csv.reader(io.StringIO(saved.decode("utf-8-sig"), newline=""), strict=True)
    assert header == [
        "since", "until", "complete_until", "segment", "place", "article_id", "title", "clicks",
    ]  # fmt: skip
    reader = TrendingReader(opensearch, KEYS, clock=clock, progress=all_read(clock))
    told = reader.top_of_segments(SPANS.last, [(), ("age_band",)], 20).lists
    expected = [
        (segment.label, place, each.article_id, each.clicks)
        for segment, top in told.items()
        for place, each in enumerate(top.articles, 1)
    ]
    assert [(line[3], int(line[4]), _read(line[5]), int(line[7])) for line in lines] == expected
    titles = {_read(line[5]): line[6] for line in lines}
    assert titles["news"] == '記事 "一", 二\n三'
    assert titles["men"] == "'=HYPERLINK(1)"
    for line in lines:
        for text in line:
            assert not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20|]", text), text
    picture = Image.open(io.BytesIO(_saved(page, "PNG")))
    assert picture.format == "PNG"
    assert picture.size[0] > 4 * 200
    assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 2


def _read(text: str) -> str:
    """An id as it was before it was made safe."""
    return text.removeprefix("'")


@pytest.mark.parametrize("marks", FORMULAS)
def test_what_begins_a_formula_in_a_spreadsheet_is_a_text_in_the_file(
    start_board: StartBoard, look: Look, marks: str
) -> None:
    page = look(start_board())
    text = page.evaluate("async (text) => (await import('/page/downloads.js')).csv([[text, 'a', -1]])", marks)
    (row,) = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    safe = marks if marks.startswith('"') else f"'{marks}"
    assert row == [safe, "a", "-1"]
