"""The board as people see it: Chromium in front of it, a real OpenSearch behind it."""

import io
import itertools
import json
import re
from datetime import datetime, timedelta

import numpy
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from clients.batch_server import ALL_READERS, ReadProgress, Segment, TrendingReader, TrendsError
from clients.batch_server.served_rankings import Served
from clients.board import query_loop, ranking_freshness
from clients.board.reconciliation import ClickTotals, Reconciliations
from tests.clients.batch_server.counts import AddCounts, count
from tests.clients.board.colour_distance import MIN_STEP, distance
from tests.clients.board.conftest import ARTIFACTS, KEYS, SPANS, Clock, Look, StartBoard
from tests.clients.board.pages import LIVE_MS, MINUTE, cell, cells, choose_columns, heat_map, some_counts
from tests.clients.board.sample import served
from tests.conftest import PROJECT

SIZES = ((375, 812), (768, 1024), (1280, 720), (1920, 1080), (3840, 2160))


def _reader(opensearch: str, clock: Clock) -> TrendingReader:
    return TrendingReader(opensearch, KEYS, clock=clock)


def test_the_cells_are_the_readers_answers_by_each_column(
    opensearch: str, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    for column, label in (("age_band", "age band"), ("gender", "gender"), ("region", "region")):
        choose_columns(page, label)
        answer = _reader(opensearch, clock).heat_map(SPANS.last, (column,), 12)
        heads = [
            f"{s.label}{clicks:,}" for s, clicks in zip(answer.segments, answer.segment_clicks, strict=True)
        ]
        expect(heat_map(page).locator("thead button")).to_have_text(heads)
        assert cells(page) == [[f"{clicks:,}" for clicks in row] for row in answer.cells]
        rows = heat_map(page).get_by_role("rowheader")
        expect(rows).to_have_text([f"{a.label}{a.clicks:,}" for a in answer.articles])


@pytest.mark.parametrize("time_of_day", [timedelta(hours=12), timedelta(minutes=3)], ids=["noon", "midnight"])
def test_a_new_count_is_seen_within_three_seconds(
    *,
    add_counts: AddCounts,
    clock: Clock,
    start_board: StartBoard,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
    time_of_day: timedelta,
) -> None:
    monkeypatch.setattr(query_loop, "MAX_SAVED", 1.0)  # as after minutes of looking: nothing is saved up

    def at_that_time() -> datetime:
        return clock() - timedelta(hours=12) + time_of_day

    add_counts(some_counts(at_that_time()))
    page = look(start_board(clock=at_that_time))
    expect(cell(page, "news", "20s")).to_be_visible()
    for clicks in (777, 888):
        now = at_that_time()
        minute = now.replace(second=0, microsecond=0)
        add_counts([count(minute, "breaking", clicks, age_band="20s", published_at=now)])
        expect(cell(page, "breaking", "20s")).to_have_text(str(clicks), timeout=LIVE_MS)


def test_the_chosen_series_the_rising_and_the_compared_are_the_librarys_answers(
    opensearch: str, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    choose_columns(page, "gender")
    cell(page, "men", "male").click()
    page.get_by_role("button", name=re.compile("^male")).click()
    reader = _reader(opensearch, clock)
    series = reader.trend(SPANS.before, articles=["men"], segment=Segment(gender="male")).series[0]
    expect(page.locator("#series-title")).to_have_text("men")
    expect(page.locator("#series-note")).to_contain_text(f"male: {sum(series.clicks):,} clicks")
    expect(page.locator("#series canvas")).to_be_visible()
    rising = reader.rising(SPANS.last, SPANS.before, limit=6).articles
    assert rising[0].article_id == "rising"
    expect(page.locator("#rising li .label")).to_have_text([article.label for article in rising])
    assert rising[0].before == 0
    expect(page.locator("#rising li").first).to_contain_text("▲ new")
    expect(page.locator("#rising li").first).to_contain_text(re.compile(r"0 before; .[\d.]+ or more"))
    answer = reader.compare(SPANS.before, Segment(gender="male"), 6)
    assert answer.more[0].article_id == "men"
    expect(page.locator("#compare li .label")).to_have_text([a.label for a in (*answer.more, *answer.less)])
    expect(page.locator("#compare .more").first).to_contain_text(f"{answer.more[0].clicks:,} here")
    # The choice is in the address: the same page again shows the same.
    again = look(page.url)
    expect(again.locator("#compare li .label").first).to_have_text("men")
    expect(again.locator("#series-note")).to_contain_text("male: ")


def test_a_heat_map_that_leaves_articles_out_says_so(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    now = clock()
    minute = now.replace(second=0, microsecond=0)
    add_counts(count(minute, f"a-{number:02}", 30 - number, published_at=now) for number in range(12))
    page = look(start_board())
    expect(heat_map(page).get_by_role("rowheader")).to_have_count(12)
    expect(page.locator("#heat-note")).not_to_contain_text("most clicked")
    add_counts([count(minute, "a-12", 1, published_at=now)])
    expect(page.locator("#heat-note")).to_contain_text("UTC; the 12 most clicked articles")


def test_before_the_first_count_the_page_says_what_it_waits_for(start_board: StartBoard, look: Look) -> None:
    page = look(start_board())
    expect(page.locator("#heat-empty")).to_contain_text("No clicks were counted in the last 10 minutes")
    expect(page.locator("[data-stage=count] strong")).to_have_text("none yet")
    expect(page.locator("#rising-empty")).to_contain_text("Too few clicks yet")
    expect(page.locator("#clicks-note .key")).to_have_text(["Nothing is complete yet", "still counting"])
    expect(heat_map(page)).to_be_hidden()


def test_nothing_can_be_asked_before_the_scripts_run(start_board: StartBoard, look: Look) -> None:
    page = look(start_board(), java_script_enabled=False)
    asking = page.locator(":is(button, input, select):not(dialog *, [hidden] *)")
    assert asking.count() > 5
    assert [each.get_attribute("id") for each in asking.all() if each.is_enabled()] == []


def test_the_first_minute_is_shown_as_still_counting(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    now = clock()
    add_counts([count(now.replace(second=0, microsecond=0), "first", 1, age_band="20s", published_at=now)])
    page = look(start_board())
    expect(cell(page, "first", "20s")).to_have_text("1")
    expect(page.locator("#clicks-note")).to_contain_text("Nothing is complete yet")
    expect(page.locator("[data-stage=count] strong")).to_have_text(re.compile(r"^\d+ s$"))


def test_the_page_says_so_when_no_one_knows_which_minutes_are_complete(
    opensearch: str, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    unknown = ReadProgress(problem="CloudWatch is away")
    reader = TrendingReader(opensearch, KEYS, clock=clock, progress=lambda: unknown)
    page = look(start_board(reader=reader))
    expect(page.locator("[data-stage=click] .detail")).to_have_text("complete minutes not known")
    note = page.locator("#clicks-note")
    expect(note.locator(".complete")).to_have_text("Which minutes are complete is not known")
    expect(note.locator(".running")).to_have_text("not known whether complete")
    expect(note).to_contain_text("CloudWatch is away.")


def test_the_twins_account_and_the_rejects_of_a_minute_are_shown(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock() - 2 * MINUTE))
    reconciliations = Reconciliations()
    reconciliations.tell(ClickTotals(sent=1000, counted=900, rejected=60, unparseable=30), at=clock())
    page = look(start_board(reconciliations=reconciliations))
    parts = [f"{name} {value}" for name, value in _account(page)]
    assert parts == ["sent 1,000=", "counted 900+", "rejected 60+", "unparseable 30+", "on the way 10"]
    expect(page.locator("#clicks-note .rejected")).to_contain_text("rejected")
    expect(page.locator("[data-stage]")).to_have_count(3)
    expect(page.locator("#clicks-note .elsewhere")).to_have_count(0)
    reconciliations.tell(ClickTotals(sent=1000, counted=920, rejected=60, unparseable=30), at=clock())
    expect(page.locator("[data-part='counted twice'] dd")).to_have_text("10")


def test_what_is_wrong_with_the_twins_segments_is_told_until_it_is_over(
    start_board: StartBoard, look: Look
) -> None:
    reconciliations = Reconciliations()
    page = look(start_board(reconciliations=reconciliations), viewport={"width": 375, "height": 812})
    line = page.locator("#segments-problem")
    expect(line).to_be_hidden()
    reconciliations.tell_segments(
        "segments: 1 refused, the last: 20260131T000000Z.csv, line 3: \x07 is not UTF-8"
    )
    expect(line).to_have_text("segments: 1 refused, the last: 20260131T000000Z.csv, line 3: � is not UTF-8")
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    reconciliations.tell_segments(None)
    expect(line).to_be_hidden()


def test_an_account_that_cannot_be_read_any_more_says_how_old_it_is(
    clock: Clock, start_board: StartBoard, look: Look
) -> None:
    reconciliations = Reconciliations()
    account = ClickTotals(sent=1000, counted=900, rejected=60, unparseable=30)
    reconciliations.tell(account, at=clock() - 2 * MINUTE)
    page = look(start_board(reconciliations=reconciliations))
    age = page.locator("[data-part=age]")
    expect(age).to_have_text("⚠ not known since2 min")
    reconciliations.tell(account, at=clock())
    expect(age).to_have_count(0)


def test_where_nobody_counts_every_record_the_page_says_where_rejects_are_counted(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board(), viewport={"width": 375, "height": 812})
    expect(page.locator("#clicks-note")).to_contain_text("Rejected clicks are in no count. CloudWatch counts")
    expect(page.locator("#clicks-note .rejected")).to_have_count(0)
    expect(page.locator("#account")).to_be_hidden()


def test_the_last_stage_shows_the_services_ranking_or_why_it_cannot_be_read(
    clock: Clock, start_board: StartBoard, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking_freshness, "SECONDS_BETWEEN", 0.2)
    table = _Table(clock)
    page = look(start_board(served=table.read))
    stage = page.locator("[data-stage=served]")
    expect(stage.locator("strong")).to_have_text("none yet")
    table.age = timedelta(seconds=42)  # unchanged for a while, yet what the feedback function calls fresh
    expect(stage.locator("strong")).to_have_text(re.compile(r"^4\d s$"))
    expect(stage).to_have_attribute("data-old", "false")
    table.problem = "the table trending cannot be read: AccessDeniedException"
    expect(page.locator("#served-problem")).to_have_text(table.problem)
    expect(stage).to_contain_text("the table cannot be read ⚠ old")
    expect(stage.locator("strong")).to_have_text(re.compile(r"^[45]\d s$"))
    table.problem, table.age = None, timedelta(minutes=9)
    expect(page.locator("#served-problem")).to_be_hidden()
    expect(stage.locator("strong")).to_have_text("9 min")
    expect(stage).to_have_attribute("data-old", "true")
    expect(page.locator("#state")).to_have_text("live")  # the counts are another stage


class _Table:
    """Of rankings whose newest counts are of this age, and which are fresh for eight minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.age: timedelta | None = None
        self.problem: str | None = None

    def read(self) -> Served:
        if self.problem is not None:
            raise TrendsError(self.problem)
        now = self._clock()
        if self.age is None:
            return Served(segment=ALL_READERS, ranking=None, at=now)
        return served(now, age=self.age)


def _account(page: Page) -> list[tuple[str, str]]:
    expect(page.locator("#account")).to_be_visible()
    names = page.locator("#account dt").all_inner_texts()
    return list(zip(names, page.locator("#account dd").all_inner_texts(), strict=True))


def test_the_keyboard_reaches_every_cell_and_keeps_its_place_while_numbers_change(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    expect(cell(page, "news", "20s")).to_be_visible()
    page.get_by_role("radio", name="age band", exact=True).focus()
    for _ in ("the order", "the table", "the heat map"):
        page.keyboard.press("Tab")
    focused = "document.activeElement.getAttribute('aria-label') ?? ''"
    assert page.evaluate(focused).split(":")[0] == f"{_first_article(page)}, 10s"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    kept = page.evaluate(focused).split(":")[0]
    assert kept.endswith(", 30s")
    minute = clock().replace(second=0, microsecond=0)
    add_counts([count(minute, "breaking", 5000, age_band="20s", published_at=clock())])
    expect(cell(page, "breaking", "20s")).to_be_visible(timeout=LIVE_MS)
    assert page.evaluate(focused).split(":")[0] == kept
    page.keyboard.press("Enter")
    expect(page.locator("#series-title")).to_have_text(kept.split(",")[0])


def _first_article(page: Page) -> str:
    return heat_map(page).locator("tbody .label").first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_size_is_readable_and_accessible_in_light_and_dark(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look, scheme: str
) -> None:
    add_counts(some_counts(clock()))
    reconciliations = Reconciliations()
    reconciliations.tell(ClickTotals(sent=1000, counted=900, rejected=60, unparseable=30), at=clock())
    page = look(start_board(reconciliations=reconciliations), color_scheme=scheme)
    expect(page.locator("#rising li")).not_to_have_count(0)
    expect(page.locator("#series-title .label")).to_be_visible()
    page.evaluate((PROJECT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=ARTIFACTS / f"{scheme}-{width}.png", full_page=True)
        # nothing wider than the screen, and the numbers large enough for it
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        size = float(page.evaluate("parseFloat(getComputedStyle(document.querySelector('.cell')).fontSize)"))
        assert size >= max(14, width / 120)
        if width >= 1920:
            assert page.evaluate("document.documentElement.scrollHeight") <= height
        found = page.evaluate("axe.run().then((result) => result.violations)")
        assert not found, json.dumps([(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found])
    page.set_viewport_size({"width": 1280, "height": 800})
    emulation = page.context.new_cdp_session(page)
    for vision in ("none", "protanopia", "deuteranopia", "tritanopia"):
        emulation.send("Emulation.setEmulatedVisionDeficiency", {"type": vision})
        page.screenshot(path=ARTIFACTS / f"{scheme}-{vision}.png")
        steps = _steps_of_the_legend(page)
        assert len(steps) == 7
        assert min(distance(*pair) for pair in itertools.pairwise(steps)) > MIN_STEP


def _steps_of_the_legend(page: Page) -> list[str]:
    """The colours that were drawn, as #rrggbb."""
    legend = page.locator(".legend-steps")
    steps = legend.locator("i").count()
    pixels = numpy.asarray(Image.open(io.BytesIO(legend.screenshot())).convert("RGB"))
    height, width, _ = pixels.shape
    row = pixels[height // 2]
    return ["#" + row[(2 * step + 1) * width // (2 * steps)].tobytes().hex() for step in range(steps)]
