"""The README's picture of the board: `python -m tests.clients.board.screenshot FILE`, of made-up clicks."""

import json
import sys
import tempfile
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Page, Route, ViewportSize

from clients.batch_server import TrendingReader
from clients.board.reconciliation import ClickTotals, Reconciliations
from clients.board.server import Board, bind, running_board
from contract.event_time import format_time
from contract.sink import CLICK_COUNTS
from lambdas.search_bootstrap.definitions import definitions
from names import day_index
from settings.search import SearchSettings
from stacks.search.bootstrap import definition_properties
from tests.clients.board.browser import running_chromium
from tests.clients.board.conftest import KEYS, SPANS, all_read
from tests.clients.board.sample import REFUSED_FILE, TITLES, an_hour, served, some_alarms
from tests.conftest import PROJECT
from twin.opensearch import running_opensearch

FONT = PROJECT / "node_modules" / "@fontsource" / "noto-sans-jp"
LOAD_FONT = """async () => {
  for (const weight of [400, 700]) await document.fonts.load(`${weight} 16px 'Noto Sans JP'`, "あ");
  document.documentElement.style.fontFamily = "'Noto Sans JP', sans-serif";
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
}"""
SIZE: ViewportSize = {"width": 1600, "height": 1150}
NOON = datetime(2040, 1, 1, 12, 0, 40, tzinfo=UTC)


def main(file: Path) -> None:
    ahead = NOON - datetime.now(UTC)

    def clock() -> datetime:
        return datetime.now(UTC) + ahead

    with (
        tempfile.TemporaryDirectory() as work,
        running_opensearch(Path(work) / "opensearch.log") as endpoint,
        running_chromium() as browser,
    ):
        put_sample(endpoint, clock())
        reader = TrendingReader(endpoint, KEYS, clock=clock, progress=all_read(clock))
        totals = reconciliations()
        board = Board(
            reader=reader,
            spans=SPANS,
            time_zone="Asia/Tokyo",
            titles=TITLES,
            reconciliations=totals,
            clock=clock,
            served=lambda: served(clock(), age=timedelta(seconds=34)),
            alarms=lambda: some_alarms(clock()),
            refused=lambda: [REFUSED_FILE],
        )
        with running_board(board, bind(0)) as address:
            context = browser.new_context(viewport=SIZE, bypass_csp=True, locale="en-GB")
            page = context.new_page()
            lay_out(page, address)
            tell_totals(totals, at=clock())
            page.wait_for_selector("[data-part=age]", state="detached")
            page.screenshot(path=file)
            context.close()


def put_sample(endpoint: str, now: datetime) -> None:
    for definition in definitions(definition_properties(SearchSettings())):
        if definition.body is not None:
            call(endpoint, "PUT", definition.path, json.dumps(definition.body))
    lines = []
    for count in an_hour(now):
        index = day_index(CLICK_COUNTS.index_family, count["minute"])
        document = count | {key: format_time(count[key]) for key in ("minute", "published_at")}
        lines += [json.dumps({"index": {"_index": index}}), json.dumps(document)]
    answer = call(endpoint, "POST", "/_bulk?refresh=true", "\n".join(lines) + "\n")
    assert not answer["errors"]


def call(endpoint: str, method: str, path: str, body: str) -> dict[str, object]:
    request = urllib.request.Request(
        endpoint + path,
        method=method,
        data=body.encode(),
        headers={"content-type": "application/x-ndjson" if path.startswith("/_bulk") else "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def reconciliations() -> Reconciliations:
    """Totals that balance but for a few clicks on their way, with some rejected each minute."""
    told = Reconciliations()
    for minutes in range(60, -1, -1):
        tell_totals(told, at=NOON - timedelta(minutes=minutes))
    return told


def tell_totals(told: Reconciliations, *, at: datetime) -> None:
    """What was rejected until then: 3 to 6 clicks a minute."""
    minutes = (at - NOON) // timedelta(minutes=1) + 60
    rejected = sum(3 + minute % 4 for minute in range(minutes))
    sent = 15_830 + rejected + 21 + 12
    told.tell(ClickTotals(sent=sent, counted=15_830, rejected=rejected, unparseable=21), at=at)


def lay_out(page: Page, address: str) -> None:
    """With a Japanese font from the package: not every machine has one."""

    def font(route: Route) -> None:
        route.fulfill(path=FONT / route.request.url.split("/screenshot-font/")[1])

    page.route("**/screenshot-font/**", font)
    page.goto(address)
    for name in ("japanese-400.css", "japanese-700.css"):
        page.add_style_tag(url=f"/screenshot-font/{name}")
    page.wait_for_selector("#rising li")
    page.wait_for_selector("#compare li")
    page.wait_for_selector("#series-title .label")
    page.evaluate(LOAD_FONT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
