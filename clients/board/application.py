"""The board over HTTP: the page, its files, and a stream of server-sent events for each viewer."""

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clients.batch_server.errors import TrendsError
from clients.board.alarms import ReadAlarms
from clients.board.article import RANKED
from clients.board.environment import EnvironmentState
from clients.board.messages import status
from clients.board.query_loop import PartsAnswered, QueryLoop
from clients.board.questions import BoardQuestion, Lane, QuestionKind, questions_of_view
from clients.board.ranges import Spans
from clients.board.ranking_freshness import RankingFreshness
from clients.board.reconciliation import Reconciliations
from clients.board.refused import ReadRefused
from clients.board.runbook import section
from contract.count import SEGMENT_COLUMNS, WINDOW

PAGE = Path(__file__).parent / "page"
_BROUGHT = PAGE.with_name("charts")
_INSTALLED = Path(__file__).parents[2] / "node_modules" / "uplot" / "dist"
CHARTS = _BROUGHT if _BROUGHT.is_dir() else _INSTALLED
"""uPlot, which draws the series of the page: the wheel brings it, and `make setup` installs it."""
MAX_VIEWERS = 50
STATUS_SECONDS = 1.0
MAX_STALLED_SECONDS = 30.0
"""Without a viewer taking anything; then its stream ends, and nothing is asked for it."""
RECONNECT_MILLISECONDS = 1000

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}

Clock = Callable[[], datetime]

mimetypes.add_type("text/javascript", ".js")  # a machine may call it otherwise, and a browser then refuses it


class _OwnPagesOnly:
    """Sets HEADERS, and refuses what another web page asks for: whatever runs in a browser can reach
    127.0.0.1."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        asked_by = Request(scope).headers.get("sec-fetch-site", "none")
        app: ASGIApp = self._app
        if asked_by not in ("none", "same-origin"):
            app = PlainTextResponse("only the board's own page may ask for this", status_code=403)
        await app(scope, receive, send_with_headers)


class _Viewing(StreamingResponse):
    """A viewer's stream of events; `looking` is entered as soon as it is decided to send it."""

    def __init__(self, events: AsyncIterator[bytes], looking: AbstractContextManager[None]) -> None:
        super().__init__(events, media_type="text/event-stream")
        self._looking = looking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(MAX_STALLED_SECONDS):
                await send(message)

        with self._looking, suppress(TimeoutError, ClientDisconnect):
            await super().__call__(scope, receive, send_in_time)


async def _runbook(request: Request) -> Response:
    text = section(request.path_params["anchor"])
    if text is None:
        return PlainTextResponse("no such section of the runbook is here", status_code=404)
    return PlainTextResponse(text)


def application(
    loop: QueryLoop,
    spans: Spans,
    *,
    time_zone: str,
    article_link: str | None = None,
    reconciliations: Reconciliations | None,
    served: RankingFreshness | None,
    alarms: ReadAlarms | None,
    refused: ReadRefused | None,
    clock: Clock,
) -> Starlette:
    viewers: set[object] = set()
    environment = EnvironmentState(alarms, refused, loop, clock)

    async def page(_: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def settings(_: Request) -> Response:
        """What the page must know before its first event."""
        return JSONResponse(
            {
                "time_zone": time_zone,
                "columns": SEGMENT_COLUMNS,
                "last_seconds": spans.last.total_seconds(),
                "before_seconds": spans.before.total_seconds(),
                "grain_seconds": WINDOW.total_seconds(),
                "article_link": article_link,
                "ranked": RANKED,
                "served": served is not None,
                "account": reconciliations is not None,
            }
        )

    def alarms_now(_: Request) -> Response:
        """An empty list where nobody told how to read them, 503 where they cannot be read. Starlette runs it
        in a thread."""
        try:
            return JSONResponse([dict(alarm) for alarm in alarms()] if alarms else [])
        except TrendsError as error:
            return PlainTextResponse(str(error), status_code=503)

    async def events(request: Request) -> Response:
        try:
            questions = questions_of_view(request.query_params.multi_items())
        except TrendsError as error:
            return PlainTextResponse(str(error), status_code=400)
        if len(viewers) >= MAX_VIEWERS:
            return PlainTextResponse(f"{MAX_VIEWERS} viewers look already: close a page", status_code=503)
        return _Viewing(_events(questions), _looking(questions))

    @contextmanager
    def _looking(questions: tuple[BoardQuestion, ...]) -> Iterator[None]:
        viewer = object()
        viewers.add(viewer)
        try:
            with loop.watching(questions):
                yield
        finally:
            viewers.discard(viewer)

    async def _events(questions: tuple[BoardQuestion, ...]) -> AsyncIterator[bytes]:
        yield f"retry: {RECONNECT_MILLISECONDS}\n\n".encode()
        sent: dict[BoardQuestion, int] = {}
        parts_sent: PartsAnswered | None = None
        told: dict[str, bytes] = {}
        while True:
            for question in questions:
                answered = loop.answered(question)
                if answered is not None and answered.number != sent.get(question):
                    sent[question] = answered.number
                    yield _event(question.kind, answered.event)
                if question.lane == Lane.LONG and (parts := loop.parts(question)) != parts_sent:
                    parts_sent = parts
                    yield _event("parts", json.dumps(parts and asdict(parts)).encode())
            for name, event in environment.events().items():
                if event != told.get(name):
                    told[name] = event
                    yield _event(name, event)
            yield _event("status", _status())
            await loop.change(timeout=STATUS_SECONDS)

    def _status() -> bytes:
        stage = None if served is None else served.stage
        told = status(
            now=clock(),
            problem=loop.problem,
            report=None if reconciliations is None else reconciliations.newest,
            segments_problem=None if reconciliations is None else reconciliations.segments_problem,
            served=stage,
        )
        return json.dumps(told).encode()

    @asynccontextmanager
    async def asking(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(part.run()) for part in (loop, environment, served) if part is not None]
        yield
        for task in tasks:
            task.cancel()

    return Starlette(
        routes=[
            Route("/", page),
            Route("/settings", settings),
            Route("/alarms", alarms_now),
            Route("/runbook/{anchor}", _runbook),
            Route("/events", events),
            Mount("/page", StaticFiles(directory=PAGE)),
            Mount("/charts", StaticFiles(directory=CHARTS)),
        ],
        middleware=[
            Middleware(_OwnPagesOnly),
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
        ],
        lifespan=asking,
    )


def _event(name: QuestionKind | str, data: bytes) -> bytes:
    """data: JSON on one line."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
