"""The board among hostile ids and other sites, and while OpenSearch or the board itself is away."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from clients.batch_server import TrendingReader
from clients.batch_server.text import age_text, length_text
from clients.board.server import Board, bind, running_board
from contract.event_time import format_time
from tests.clients.batch_server.counts import AddCounts, Count, count
from tests.clients.board.conftest import KEYS, LOST, SPANS, Clock, Look, StartBoard
from tests.clients.board.forward import forwarding
from tests.clients.board.pages import Switch, cell, cells, choose_columns, heat_map, some_counts

NOON = 1_785_585_600_000  # milliseconds since 1970
LONG = "長い" * 83 + "ab"  # 500 bytes
HOSTILE = (
    '<img src=x onerror="document.title=1"><script>alert(1)</script>',
    "a\x00b\x1b[2J\u202ec\ndata: x",
    LONG,
    "\u05e2\u05d1\u05e8\u05d9\u05ea-7 (\u05d0)",  # written from right to left
    "z" + "\u0301\u0336" * 100,
)


def test_with_opensearch_away_the_last_picture_stays_with_its_age_and_the_reason(
    opensearch: str, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    reader = TrendingReader(opensearch, KEYS, clock=clock, max_attempts=1)
    away = TrendingReader("http://127.0.0.1:9", KEYS, clock=clock, max_attempts=1)
    switch = Switch(reader)
    page = look(start_board(reader=switch))
    expect(cell(page, "news", "20s")).to_be_visible()
    before = cells(page)
    switch.reader = away
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.locator("#problem")).to_contain_text(re.compile(r"The last picture is \d+ s old"))
    expect(page.locator("#state")).to_have_text(re.compile(r"\d+ s old"))
    assert cells(page) == before
    newcomer = look(page.url)  # who comes now gets the last picture too
    expect(cell(newcomer, "news", "20s")).to_be_visible()
    switch.reader = reader
    expect(page.locator("#state")).to_have_text("live")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_when_the_board_itself_ends_the_last_picture_stays_until_it_is_back(
    opensearch: str, add_counts: AddCounts, clock: Clock, look: Look
) -> None:
    add_counts(some_counts(clock()))
    reader = TrendingReader(opensearch, KEYS, clock=clock)
    board = Board(reader=reader, spans=SPANS, time_zone="Mars/Base", clock=clock)
    with running_board(board, bind(0)) as address:
        page = look(address, tolerates=LOST)
        expect(cell(page, "news", "20s")).to_be_visible()
        expect(page.locator("#heat-note")).to_contain_text("UTC")
    expect(page.locator("#problem")).to_contain_text(AWAY)
    expect(cell(page, "news", "20s")).to_be_visible()
    with running_board(board, bind(int(address.rpartition(":")[2]))):
        expect(page.locator("#state")).to_have_text("live")


def test_a_connection_that_died_without_a_word_is_made_anew(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    """As of a laptop that was closed, or a port forward that is gone: nothing comes, and nothing ends."""
    add_counts(some_counts(clock()))
    with forwarding(start_board()) as forward:
        page = look(forward.address, tolerates=LOST, browser_clock=datetime.now(UTC))
        expect(cell(page, "news", "20s")).to_be_visible()
        forward.stall()
        page.clock.fast_forward(6_000)
        expect(page.locator("#problem")).to_contain_text(AWAY)
        page.clock.fast_forward(6_000)
        expect(page.locator("#state")).to_have_text("live")
        expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize("hours", [-7, 9])
def test_a_browser_whose_clock_is_wrong_by_hours_shows_the_right_ages(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look, hours: int
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board(), browser_clock=datetime.now(UTC) + timedelta(hours=hours))
    expect(page.locator("#state")).to_have_text("live")
    for stage in ("count", "read"):
        expect(page.locator(f"[data-stage={stage}] strong")).to_have_text(re.compile(r"^\d+ s$"))
    expect(page.locator("[data-stage=click] strong")).to_have_text(f"{clock():%H:%M}")


def test_a_page_that_nobody_sees_asks_nothing_until_it_is_seen_again(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    expect(cell(page, "news", "20s")).to_be_visible()
    with page.expect_event("requestfailed", lambda request: "/events" in request.url):
        page.evaluate(HIDE, True)
    with page.expect_request(re.compile("/events")):
        page.evaluate(HIDE, False)
    expect(page.locator("#state")).to_have_text("live")


AWAY = re.compile(r"^The board does not answer\. .* The last picture is \d+ s old\.$")
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_view_that_the_board_refuses_is_told_with_the_reason(start_board: StartBoard, look: Look) -> None:
    page = look(f"{start_board()}/?article={'a' * 513}", tolerates=["400 (Bad Request)"])
    expect(page.get_by_role("alert")).to_contain_text(
        "The board refuses this page: article has more than 512"
    )
    expect(page.locator("#state")).to_have_text("away")


@pytest.mark.parametrize(
    "time",
    [
        "since=foo&until=bar",
        "since=&until=",
        "since=2026-01-01T00:00:00.000Z",
        "until=2026-01-01T00:00:00.000Z",
        "last=10m&since=2026-01-01T00:00:00.000Z",
        "since=0001-01-01T00:00:00.000Z&until=9999-12-31T23:59:59.000Z",
        "since=%2B275760-09-13T00:00:00.000Z&until=%2B275760-09-13T00:00:00.000Z",
    ],
)
def test_an_address_with_a_time_that_is_none_is_told_and_another_can_be_chosen(
    start_board: StartBoard, look: Look, time: str
) -> None:
    page = look(f"{start_board()}/?{time}", tolerates=["400 (Bad Request)"])
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile("The board refuses this page: (write|choose|there)")
    )
    page.locator("#last").get_by_text("1h", exact=True).click()
    expect(page.locator("#state")).to_have_text("live")


def test_another_column_is_shown_as_awaited_until_its_answer_is_here(
    opensearch: str, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    switch = Switch(TrendingReader(opensearch, KEYS, clock=clock))
    page = look(start_board(reader=switch))
    expect(cell(page, "news", "20s")).to_be_visible()
    with switch.closed():
        page.locator("#by").get_by_text("gender", exact=True).click()
        expect(page.locator("#heat")).to_have_attribute("aria-busy", "true")
        page.locator("#heat-map thead button").first.click()  # draws what is there once more
        expect(page.locator("#compare-note")).to_contain_text("10s")
        expect(page.locator("#heat")).to_have_attribute("aria-busy", "true")
    expect(cell(page, "news", "male")).to_be_visible()
    expect(page.locator("#heat[aria-busy]")).to_have_count(0)


def test_seven_hundred_segments_are_shown_live_on_a_phone(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    segments = [f"region-{number:03}" for number in range(700)]

    def counts(clicks: int) -> list[Count]:
        now = clock()
        minute = now.replace(second=0, microsecond=0)
        return [
            count(minute, f"article-{article:02}", clicks + article, region=region, published_at=now)
            for article in range(12)
            for region in segments
        ]

    add_counts(counts(1))
    page = look(start_board(), viewport={"width": 375, "height": 812})
    choose_columns(page, "region")
    last = page.get_by_role("button", name=re.compile("^article-11, region-699: "))
    expect(last).to_have_text("12")
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    for chosen in page.get_by_role("combobox", name="region").all():  # the segment, and the one beside it
        expect(chosen.locator("option")).to_have_count(701)
    before = _layouts(page)
    add_counts(counts(1001))  # every cell grows
    expect(last).to_have_text("1,012")
    assert _layouts(page) - before < MAX_LAYOUTS


MAX_LAYOUTS = 1000
"""While 8,400 cells grow and seconds pass; with a layout for each of them it took minutes."""


def _layouts(page: Page) -> float:
    """How often the browser has laid the page out."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    metrics = session.send("Performance.getMetrics")["metrics"]
    [found] = [metric["value"] for metric in metrics if metric["name"] == "LayoutCount"]
    return float(found)


@pytest.mark.parametrize(
    ("told", "state", "problem"),
    [
        ({"heardAt": NOON}, "live", None),
        ({"heardAt": NOON - 6000}, "away", "The last picture is 2 s old. The board does not answer."),
        ({"heardAt": NOON - 3000}, "live", None),
        (
            {"heardAt": NOON - 3000, "lost": True},
            "away",
            "The last picture is 2 s old. The board does not answer.",
        ),
        ({"heardAt": NOON - 1000, "lost": True}, "live", None),
        ({"heardAt": None}, "waiting", None),
        ({"heardAt": None, "waited": 11}, "away", "The last picture is 2 s old. The board does not answer."),
        (
            {"heardAt": None, "lost": True, "freshness": None},
            "away",
            "There is no picture yet. The board does not answer.",
        ),
        ({"heardAt": NOON, "freshness": None}, "waiting", None),
        (
            {"heardAt": NOON, "status": {"problem": "It is away."}},
            "away",
            "The last picture is 2 s old. It is",
        ),
        ({"heardAt": NOON, "read": 16}, "away", "is 16 s old. OpenSearch does not answer."),
        ({"heardAt": NOON, "refused": "50 viewers"}, "away", "The board refuses this page: 50 viewers."),
    ],
)
def test_whether_the_picture_is_live_is_told_by_its_age_and_what_is_known(
    blank: Page, told: dict[str, Any], state: str, problem: str | None
) -> None:
    read = datetime.fromtimestamp(NOON / 1000 - told.pop("read", 2), UTC)
    known = {"now": NOON, "freshness": {"asked_at": format_time(read)}, "status": {"problem": None}} | told
    found = blank.evaluate("(known) => import('/page/status.js').then((m) => m.liveness(known))", known)
    assert found["state"] == state
    if problem is None:
        assert found["problem"] is None
    else:
        assert problem in f"{found['shown']} {found['problem']}"


def test_the_page_writes_an_age_as_the_command_line_does(blank: Page) -> None:
    some = (-5, 0, 0.4, 0.5, 2.5, 99.4, 99.5, 100, 149, 150, 3569, 3570, 7190, 100_000, 172_770, 900_000)
    written = blank.evaluate("(some) => import('/page/text.js').then((m) => some.map(m.age))", some)
    assert written == [age_text(timedelta(seconds=seconds)) for seconds in some]


def test_the_page_writes_a_span_as_the_command_line_does(blank: Page) -> None:
    some = (10, 60, 90, 300, 3600, 5400, 7200, 86_400)
    written = blank.evaluate("(some) => import('/page/text.js').then((m) => some.map(m.span))", some)
    assert written == [length_text(timedelta(seconds=seconds)) for seconds in some]


def test_the_page_writes_a_time_to_the_second_where_it_is_asked_to(blank: Page) -> None:
    clock = (
        "(seconds) => import('/page/text.js').then((m) => m.clock('2026-01-31T09:15:20Z', 'UTC', seconds))"
    )
    assert [blank.evaluate(clock, asked) for asked in (False, True)] == ["09:15", "09:15:20"]


def test_the_page_tells_the_day_of_a_time_that_is_not_of_these_hours(blank: Page) -> None:
    moment = "([at, now]) => import('/page/text.js').then((m) => m.moment(at, 'Asia/Tokyo', Date.parse(now)))"
    for at, told in (("2026-01-31T03:00:00Z", "12:00"), ("2026-01-29T16:00:00Z", "2026-01-30 01:00")):
        assert blank.evaluate(moment, [at, "2026-01-31T04:00:00Z"]) == told


def test_what_is_not_zero_is_not_written_as_zero(blank: Page) -> None:
    some = (2029.4, 23.4, 2.34, 0.14, 0.0234, 0.00061, 1e-9, 0)
    written = blank.evaluate("(some) => import('/page/text.js').then((m) => some.map(m.times))", some)
    assert written == ["2,029", "23", "2.3", "0.1", "0.02", "0.0006", "0.0001", "0.0"]
    found = blank.evaluate(
        """() => import('/page/differences.js').then((m) =>
          m.compared({ clicks: 0, others: 960, times: 0.0002, low: 0.00001, high: 0.004 }, true))"""
    )
    assert (found["headline"], found["detail"]) == ("none", "0 here, 960 elsewhere; \u00d70.004 or less")


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    """A page of the board's that shows nothing, for its modules."""
    reader = TrendingReader("http://127.0.0.1:9", KEYS)
    with running_board(Board(reader=reader, spans=SPANS, time_zone="UTC"), bind(0)) as address:
        page = browser.new_page()
        page.goto(f"{address}/page/icon.svg")
        yield page
        page.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"content_type": "text/javascript", "body": "throw new Error('no such thing')"}, "no such thing"),
        ({"status": 404, "body": ""}, "board.js cannot be read"),
    ],
)
def test_a_page_that_cannot_start_says_why(
    browser: Browser, start_board: StartBoard, answer: dict[str, Any], reason: str
) -> None:
    page = browser.new_page()
    page.route("**/page/board.js", lambda asked: asked.fulfill(**answer))
    page.goto(start_board())
    expect(page.locator("#state")).to_have_text("stopped")
    expect(page.get_by_role("alert")).to_contain_text(reason)
    page.close()


def test_a_browser_without_a_valid_language_shows_the_board(
    browser: Browser, start_board: StartBoard
) -> None:
    page = browser.new_page()
    page.add_init_script(
        "Object.defineProperty(navigator, 'language', {value: 'en-US@posix', configurable: true})"
    )
    page.goto(start_board())
    expect(page.locator("#state")).to_have_text("live")
    page.close()


def test_hostile_and_japanese_ids_are_only_ever_text(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    now = clock()
    minute = now.replace(second=0, microsecond=0)
    ids = (*HOSTILE, "記事-1")
    add_counts(
        [
            count(minute, article, 50 - at, age_band="20s", region="<b>x</b>", published_at=now)
            for at, article in enumerate(ids)
        ]
    )
    page = look(start_board(titles={"記事-1": "今日の<i>見出し</i>"}), viewport={"width": 375, "height": 812})
    labels = heat_map(page).locator("tbody .label")
    replaced = "a?b?[2J?c?data: x".replace("?", "\N{REPLACEMENT CHARACTER}")
    expect(labels).to_have_text([HOSTILE[0], replaced, *HOSTILE[2:], "今日の<i>見出し</i>"])
    choose_columns(page, "region")
    for at in range(len(ids)):
        cell = heat_map(page).locator("tbody tr").nth(at).locator(".cell")
        expect(cell).to_have_text(str(50 - at))
        cell.click()
        expect(page.locator("#series-note")).to_contain_text(f"<b>x</b>: {50 - at} clicks")
    assert page.title() == "click-trends"
    assert page.evaluate("document.querySelectorAll('img, b, i:not(.legend i)').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_the_page_runs_nothing_that_is_written_into_it_and_no_other_site_may_ask(
    start_board: StartBoard,
) -> None:
    address = start_board()

    def status(path: str, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(address + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers["content-security-policy"]
        except urllib.error.HTTPError as error:
            return error.code, error.headers["content-security-policy"]

    code, policy = status("/")
    assert code == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert status("/settings", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert status("/settings", Host="attacker.example")[0] == 400
    assert status("/page/../server.py")[0] == 404
    assert status("/page/%2e%2e/server.py")[0] == 404
    assert status("/events?by=shoe_size")[0] == 400
    assert status("/events?article=" + "a" * 513)[0] == 400
    assert status("/events?article=a&article=b")[0] == 400
