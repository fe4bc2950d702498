"""A board in front of the real OpenSearch server, and a browser that looks at it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import Credentials
from playwright.sync_api import Browser, ConsoleMessage, Page

from clients.batch_server import ReadProgress, TrendingReader
from clients.batch_server.progress import Progress
from clients.board.server import ATTEMPTS, Board, Spans, bind, running_board
from tests.clients.board.browser import running_chromium
from tests.clients.conftest import add_counts, bootstrapped, day
from tests.conftest import PROJECT

__all__ = ["add_counts", "bootstrapped", "day"]

ARTIFACTS = PROJECT / ".cache" / "screenshots"
KEYS = Credentials("AKIDEXAMPLE", "secret")
SPANS = Spans(last=timedelta(minutes=10), before=timedelta(hours=1))

LOST = ("net::ERR_CONNECTION", "net::ERR_INCOMPLETE")
"""What Chromium logs when the board is away."""

Clock = Callable[[], datetime]
StartBoard = Callable[..., str]
Look = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module: while it runs, no other test may start an event loop in this thread."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def clock(day: datetime) -> Clock:
    """Runs as the real one does, from noon of the test's day: no midnight comes between."""
    ahead = day + timedelta(hours=12) - datetime.now(UTC)
    return lambda: datetime.now(UTC) + ahead


def all_read(clock: Clock) -> Progress:
    """Of an application that has read all there is."""
    return lambda: ReadProgress(read_until=clock(), behind=timedelta(0))


@pytest.fixture
def start_board(opensearch: str, clock: Clock) -> Iterator[StartBoard]:
    """start_board(**fields of a Board): its address. The reader asks the real server, unless one is given."""
    with ExitStack() as running:

        def start(*, endpoint: str = opensearch, clock: Clock = clock, **fields: Any) -> str:
            reader = TrendingReader(
                endpoint, KEYS, clock=clock, max_attempts=ATTEMPTS, progress=all_read(clock)
            )
            values: dict[str, Any] = {"reader": reader, "spans": SPANS, "time_zone": "UTC", "clock": clock}
            board = Board(**values | fields)
            return running.enter_context(running_board(board, bind(0)))

        yield start


@pytest.fixture
def look(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Look]:
    """look(address, **options of a browser context): the page there. Whatever it logs as an error fails the
    test, but for texts it `tolerates`; its screenshot stays in .cache/screenshots. browser_clock: what the
    page takes for the time."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    pages: list[Page] = []
    errors: list[str] = []

    def open_page(
        address: str,
        *,
        tolerates: Sequence[str] = (),
        browser_clock: datetime | None = None,
        **options: Any,
    ) -> Page:
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"} | options
        )
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))

        def check(told: ConsoleMessage) -> None:
            if told.type == "error" and not any(text in told.text for text in tolerates):
                errors.append(told.text)

        page.on("console", check)
        page.on("request", lambda asked: _check_host(asked.url, address, errors))
        if browser_clock is not None:
            page.clock.install(time=browser_clock)
        page.goto(address)
        pages.append(page)
        return page

    yield open_page
    for number, page in enumerate(pages):
        page.screenshot(path=ARTIFACTS / f"{request.node.name}-{number}.png", full_page=True)
        page.context.close()
    assert not errors, errors


def _check_host(url: str, address: str, errors: list[str]) -> None:
    if not url.startswith(address.split("?", maxsplit=1)[0].rstrip("/") + "/"):
        errors.append(f"asked another host: {url}")
