"""What people hear who do not see the page: each thing once, each answer to a choice, and no refresh."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from playwright.sync_api import Locator, Page, expect

from clients.batch_server import TrendingReader
from tests.clients.batch_server.counts import AddCounts, Count, count
from tests.clients.board.conftest import KEYS, Clock, Look, StartBoard
from tests.clients.board.environments import REFUSED, alarm
from tests.clients.board.pages import AGES, MINUTE, Switch, cell
from tests.clients.board.screen_reader import ScreenReader

ON = alarm("click-trends-production-a-RankingAge", "ALARM", 5, "https://wiki.example/runbook#rankingage")
COUNT_FOCUSED = """() => {
  window.focused = 0;
  document.addEventListener("focusin", () => { window.focused += 1; });
}"""


def _counts(now: datetime) -> list[Count]:
    """All that is shown is of one minute: no number changes while a test runs."""
    minute = now.replace(second=0, microsecond=0)
    told = [("news", "male", 200), ("news", "female", 200), ("men", "male", 300), ("men", "female", 50)]
    counts = []
    for age_band in AGES:
        for article, gender, clicks in told:
            for ago in (0, 30):
                fields = {"age_band": age_band, "gender": gender, "published_at": now}
                counts.append(count(minute - ago * MINUTE, article, clicks, **fields))
        counts.append(count(minute, "rising", 100, age_band=age_band, gender="male", published_at=now))
    return counts


def _shown(page: Page) -> None:
    for panel in ("#rising li", "#compare li", "#series-title .label"):
        expect(page.locator(panel)).not_to_have_count(0)


def _after(said: Sequence[str], phrase: str, number: int) -> Sequence[str]:
    at = said.index(phrase)
    return said[at + 1 : at + 1 + number]


def _named(cell: Locator) -> str:
    return f"{cell.get_attribute('aria-label')}; {cell.get_attribute('aria-description')}"


def test_the_page_is_read_in_order_and_each_thing_once(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(_counts(clock()))
    page = look(f"{start_board(alarms=lambda: [ON], refused=lambda: REFUSED)}/?compare.gender=male")
    _shown(page)
    expect(page.locator("#alarms .on li")).to_have_count(1)
    said = ScreenReader(page).walk()
    assert [phrase for phrase in said if phrase.startswith("heading")] == [
        "heading, click-trends, level 1",
        "heading, How fresh, level 2",
        "heading, Alarms, level 2",
        "heading, Refused segments, level 2",
        "heading, Clicks by article and segment, level 2",
        "heading, Rising, level 2",
        "heading, Compared with everyone else, level 2",
        "heading, Clicks over time, level 2",
        "heading, news, level 2",
    ]
    radio = "radio, last hour, not checked, position 2, set size 4"
    assert _after(said, radio, 1) == ["radio, last 6 hours, not checked, position 3, set size 4"]
    assert _after(said, "button, pause", 1) == ["pause"]
    assert _after(said, "heading, Alarms, level 2", 2) == ["paragraph", "1 of 1 in ALARM"]
    link = "link, what to do: click-trends-production-a-RankingAge"
    assert _after(said, link, 3) == ["what to do", "paragraph", "The newest ranking is old."]
    assert _after(said, "rowheader, news 1,200", 8) == [
        "button, news, all about it",
        "1,200",
        "gridcell, 400",
        "button, news, 10s: 400 clicks, 47.1 % of the segment\u2019s, 33.3 % of the article\u2019s, pressed",
        "400",
        "gridcell, 400",
        "button, news, 20s: 400 clicks, not pressed",
        "400",
    ]
    rising = _after(said, "heading, Rising, level 2", 9)
    assert rising[-4:-1] == ["button, rising, all about it", "new", ","]
    assert rising[-1].startswith("300 now, 0 before; ")
    men = _after(said, "heading, Compared with everyone else, level 2", 80)
    assert "," in _after(men, "button, men, all about it", 2)


def test_what_comes_with_every_refresh_is_not_told(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(_counts(clock()))
    page = look(f"{start_board()}/?compare.gender=male", browser_clock=datetime.now(UTC))
    _shown(page)
    reader = ScreenReader(page)
    focused = cell(page, "men", "20s")
    focused.focus()
    page.evaluate(COUNT_FOCUSED)
    named = _named(focused)
    assert re.fullmatch("men, 20s: 350 clicks; 41.2 % of the segment.s, 33.3 % of the article.s", named)
    reader.told()
    minute = clock().replace(second=0, microsecond=0)
    for clicks in (600, 1200):  # the second: its row comes first now
        fields = {"age_band": "20s", "gender": "male", "published_at": clock()}
        add_counts([count(minute, "men", clicks, **fields)])
        expect(focused).to_have_text(f"{50 + clicks:,}")
        assert _named(focused) == named
    expect(page.locator("#heat tbody .label").first).to_have_text("men")
    assert page.evaluate("window.focused") == 0  # the focus was not lost for a moment, either
    assert reader.told() == []
    page.clock.fast_forward(31_000)
    expect(focused).to_have_attribute("aria-label", "men, 20s: 1,250 clicks")


def test_the_answer_to_a_choice_is_told_once(
    add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(_counts(clock()))
    page = look(f"{start_board()}/?compare.gender=male")
    _shown(page)
    reader = ScreenReader(page)
    reader.told()
    cell(page, "men", "20s").click()
    expect(page.locator("#said")).to_contain_text("men: ")
    [told] = reader.told()
    assert re.fullmatch(r"polite: men: 20s: 700 clicks, last hour, most 350 at \d\d:\d\d", told)
    page.get_by_role("button", name=re.compile("^20s")).click()
    expect(page.locator("#said")).to_contain_text("No significant difference")
    assert reader.told() == [
        "polite: Compared with everyone else: 20s, last hour; "
        "No significant difference: 3 articles were looked at."
    ]
    page.locator("#find input").fill("ris")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("Articles found: 1 found")
    page.locator("#found").get_by_role("button", name="rising").click()
    expect(page.locator("#said")).to_contain_text("rising: 300 clicks, last hour; place 3")
    assert len(reader.told()) == 2


def test_a_problem_is_told_once_and_so_is_its_end(
    opensearch: str, add_counts: AddCounts, clock: Clock, start_board: StartBoard, look: Look
) -> None:
    add_counts(_counts(clock()))
    switch = Switch(TrendingReader(opensearch, KEYS, clock=clock, max_attempts=1))
    page = look(f"{start_board(reader=switch)}/?compare.gender=male")
    _shown(page)
    reader = ScreenReader(page)
    reader.told()
    back, switch.reader = (
        switch.reader,
        TrendingReader("http://127.0.0.1:9", KEYS, clock=clock, max_attempts=1),
    )
    problem = page.locator("#problem")
    expect(problem).to_contain_text("cannot be reached")
    for _ in range(3):  # it grows old meanwhile
        expect(problem).not_to_have_text(problem.inner_text())
    [told] = reader.told()
    assert re.match("assertive: (alert, )?.*cannot be reached", told), told
    assert "old" not in told
    switch.reader = back
    expect(page.locator("#state")).to_have_text("live")
    assert reader.told() == ["polite: live"]
