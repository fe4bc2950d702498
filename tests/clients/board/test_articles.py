"""An article of the board: found by id or title, told all about, linked; and values that are pointed at."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from clients.batch_server import ALL_READERS, Segment, TrendingReader, TrendsError
from clients.batch_server.errors import QuestionError
from clients.board import article
from clients.board.links import checked_template
from clients.board.questions import QuestionKind, questions_of_view
from clients.board.ranges import TimeShown
from tests.clients.batch_server.counts import AddCounts, Count, count
from tests.clients.board.conftest import KEYS, SPANS, Clock, Look, StartBoard
from tests.clients.board.pages import MINUTE, cell, heat_map, some_counts

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOSTILE = '=1+1<img src=x onerror="document.title=1">\u202e/../?#%2e*\\'


@pytest.mark.parametrize(
    "template",
    ["https://news.example/{article_id}", "http://127.0.0.1:8080/a?id={article_id}&x=1#{article_id}"],
)
def test_a_template_of_links_has_a_host_and_a_place_for_the_id(template: str) -> None:
    assert checked_template(template) == template


@pytest.mark.parametrize(
    "template",
    [
        "",
        "https://news.example/",
        "javascript:alert({article_id})",
        "https://{article_id}/",
        "https://{article_id}.example/",
        "https://user@news.example/{article_id}",
        "//news.example/{article_id}",
        "https:/{article_id}",
        "https://[/{article_id}",
        "https://news.example/ {article_id}",
    ],
)
def test_a_template_that_an_id_could_lead_elsewhere_is_refused(template: str) -> None:
    with pytest.raises(QuestionError, match="no template for links: write one as"):
        checked_template(template)


def test_what_is_told_about_an_article_and_found_is_asked_for_the_time_shown() -> None:
    shown = {"last": "6h", "about": HOSTILE, "find": "ne"}
    by_kind = {question.kind: question for question in questions_of_view(shown.items())}
    assert by_kind[QuestionKind.ABOUT].article_id == HOSTILE
    assert by_kind[QuestionKind.FOUND].text == "ne"
    assert {question.range for question in by_kind.values()} == {TimeShown(last=6 * HOUR)}


def _reader(opensearch: str, clock: Clock) -> TrendingReader:
    return TrendingReader(opensearch, KEYS, clock=clock)


def test_ids_are_found_by_any_part_and_nothing_in_them_is_a_pattern(
    opensearch: str, add_counts: AddCounts, clock: Clock
) -> None:
    now = clock()
    ids = ("News-1", "old*news", "old?x", "back\\slash", "記事", HOSTILE, "titled")
    add_counts(count(now, each, 10 - place, published_at=now) for place, each in enumerate(ids))

    def found(text: str, titled: tuple[str, ...] = ()) -> list[str]:
        answer = _reader(opensearch, clock).find(HOUR, text, titled)
        assert not answer.too_many
        return [each.article_id for each in answer.articles]

    assert found("NEWS") == ["News-1", "old*news"]
    assert found("*") == ["old*news", HOSTILE]
    assert found("?x") == ["old?x"]
    assert found("k\\s") == ["back\\slash"]
    assert found("事", ("titled", "nobody clicked it")) == ["記事", "titled"]
    assert found("nothing") == []
    with pytest.raises(TrendsError, match="1 to 100 characters"):
        found("x" * 101)


def test_more_articles_than_are_summed_up_are_not_told_as_if_they_were_all(
    opensearch: str, add_counts: AddCounts, clock: Clock
) -> None:
    now = clock()
    add_counts(count(now, f"many-{number}", 1, published_at=now) for number in range(1001))
    answer = _reader(opensearch, clock).find(HOUR, "many")
    assert (answer.too_many, answer.articles) == (True, ())


def _risen(now: datetime) -> list[Count]:
    """An hour and a half in which an article is clicked four times as much from 20 minutes ago on."""
    minute = now.replace(second=0, microsecond=0)
    return [
        count(minute - ago * MINUTE, name, clicks, age_band=age, published_at=now)
        for ago in range(100)
        for age in ("20s", "30s")
        for name, clicks in (("rises", 40 if ago < 20 else 10), ("others", 100))
    ]


def test_an_article_is_told_by_segment_with_its_places_and_when_it_rose(
    opensearch: str, add_counts: AddCounts, clock: Clock
) -> None:
    now = clock()
    add_counts(_risen(now))
    reader = _reader(opensearch, clock)
    told = article.view(reader, "rises", ("age_band",), TimeShown().covered(SPANS, now), SPANS)
    segments = [ALL_READERS, Segment(age_band="20s"), Segment(age_band="30s")]
    assert [series.segment for series in told.series] == segments
    same = reader.trend(HOUR, articles=["rises"], segment=segments[1], until=told.minutes.until)
    assert told.series[1].clicks[-60:] == same.series[0].clicks[-60:]
    assert [sum(clicks) for clicks in zip(*(s.clicks for s in told.series[1:]), strict=True)] == [
        *told.series[0].clicks
    ]
    assert told.places == dict.fromkeys(segments, 2)
    (rise,) = told.rises
    began = now.replace(second=0, microsecond=0) - 19 * MINUTE
    assert abs(rise.at - began) <= 2 * MINUTE
    assert rise.low > 2 < rise.growth
    assert (rise.span, rise.clicks > rise.before / 6) == (SPANS.last, True)


def test_an_article_that_does_not_rise_is_not_said_to_and_an_unknown_has_no_place(
    opensearch: str, add_counts: AddCounts, clock: Clock
) -> None:
    now = clock()
    add_counts(_risen(now))
    minute = now.replace(second=0, microsecond=0)
    shown = TimeShown(since=minute - 90 * MINUTE, until=minute - 30 * MINUTE)
    for article_id, places in (("rises", 3), ("nobody", 0)):
        told = article.view(
            _reader(opensearch, clock), article_id, ("age_band",), shown.covered(SPANS, now), SPANS
        )
        assert told.rises == ()
        assert len(told.places) == places
        assert sum(told.series[0].clicks) == (60 * 20 if places else 0)


def _open(page: Page, name: str) -> None:
    page.get_by_role("rowheader").get_by_role("button", name=name).click()
    expect(page.locator("#about [data-part=title]")).to_have_text(name)


def test_an_article_that_is_clicked_is_told_all_about_and_kept_in_the_address(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(_risen(clock()))
    page = look(start_board(article_link="https://news.example/a/{article_id}", titles={"rises": "Flood"}))
    _open(page, "Flood")
    about = page.locator("#about")
    expect(about.locator("[data-part=summary]")).to_contain_text("last hour; place 2")
    expect(about.locator("[data-part=rises] li")).to_have_text(re.compile(r"^▲ \d\d:\d\d: .\d"))
    expect(about.locator("figcaption .label")).to_have_text(["all readers", "20s", "30s"])
    expect(about.get_by_role("link")).to_have_attribute("href", "https://news.example/a/rises")
    expect(look(page.url).locator("#about [data-part=title]")).to_have_text("Flood")
    about.get_by_role("button", name="close").click()
    expect(about).to_be_hidden()
    page.go_back()
    expect(about).to_be_visible()
    # Found by its title, which its id does not hold, and opened from there by the keyboard.
    page.get_by_role("searchbox").fill("FLOO")
    page.keyboard.press("Enter")
    found = page.locator("#found")
    expect(found.locator("#found-note")).to_have_text("1 found")
    expect(found.locator("#found-title")).to_be_focused()  # it is far below
    about.get_by_role("button", name="close").click()
    found.get_by_role("button", name="Flood").press("Enter")
    expect(about.locator("[data-part=id]")).to_contain_text("id rises")
    about.get_by_role("button", name="close").press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Flood"
    found.get_by_role("button", name="close").press("Enter")
    expect(page.get_by_role("searchbox")).to_be_focused()


@pytest.mark.parametrize(("hostile", "linked"), [(HOSTILE, True), ("..", False)], ids=["marks", "dots"])
def test_a_hostile_id_is_found_opened_linked_and_read_back_as_it_is(
    *,
    add_counts: AddCounts,
    clock: Clock,
    start_board: StartBoard,
    look: Look,
    hostile: str,
    linked: bool,
) -> None:
    now = clock()
    add_counts([count(now.replace(second=0, microsecond=0), hostile, 7, age_band="20s", published_at=now)])
    page = look(start_board(article_link="https://news.example/a/{article_id}"))
    page.get_by_role("searchbox").fill(hostile[:12])
    page.keyboard.press("Enter")
    page.locator("#found ol button").click()
    shown = hostile.replace("\u202e", "\N{REPLACEMENT CHARACTER}")
    expect(page.locator("#about [data-part=title]")).to_have_text(shown)
    expect(page.locator("#about [data-part=summary]")).to_contain_text("7 clicks")
    assert page.title() == "click-trends"
    assert page.evaluate("new URLSearchParams(location.search).get('about')") == hostile
    links = page.locator("#about a")
    expect(links).to_have_count(int(linked))
    if linked:
        read = "(link) => decodeURIComponent(new URL(link.href).pathname.slice('/a/'.length))"
        assert links.evaluate(read) == hostile


def test_values_are_told_of_cells_and_bars_that_are_pointed_at_or_walked_to(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(some_counts(clock()))
    page = look(start_board())
    value = page.locator("#heat-value")
    cell(page, "news", "20s").hover()
    expect(value).to_have_text(re.compile(r"^news, 20s: [\d,]+ clicks, [\d.]+ % of the segment.s, 33.3 % of"))
    cell(page, "men", "30s").focus()
    expect(value).to_have_text(re.compile("^men, 30s: "))
    chart = page.get_by_role("slider", name="Clicks over time")
    chart.locator(".u-over").hover()
    told = re.compile(r"^\d\d:\d\d: [\d,]+ clicks, (complete|still counting)$")
    expect(chart.locator(".value")).to_have_text(told)
    chart.focus()
    page.keyboard.press("End")
    newest = chart.locator(".value").inner_text()
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuetext", told)
    assert chart.locator(".value").inner_text() != newest
    page.keyboard.press("Tab")
    expect(chart.locator(".value")).to_be_hidden()
    heat_map(page).locator("tbody .cell").first.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator("#about")).to_be_visible()
