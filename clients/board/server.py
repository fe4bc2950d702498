"""Serves the board on 127.0.0.1: for as long as a command runs, or beside other work."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette

from clients.batch_server.errors import TrendsError
from clients.batch_server.reader import TrendingReader
from clients.board.alarms import ReadAlarms
from clients.board.application import CHARTS, Clock, application
from clients.board.asking import Asking
from clients.board.environment import connect_environment
from clients.board.messages import Titles
from clients.board.query_loop import ATTEMPTS, QueryLoop
from clients.board.ranges import Spans
from clients.board.ranking_freshness import RankingFreshness, ReadServed
from clients.board.reconciliation import Reconciliations
from clients.board.refused import ReadRefused
from clients.board.titles import read_titles

__all__ = [
    "ATTEMPTS",
    "Board",
    "Reconciliations",
    "Spans",
    "address",
    "bind",
    "bind_where_free",
    "connect_environment",
    "read_titles",
    "running_board",
    "serve",
]

HOST = "127.0.0.1"
DEFAULT_PORT = 8642
SHUTDOWN_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class Board:
    """What is shown. time_zone: of the times on the page; article_link: a template (links.py);
    reconciliations: where each click is counted; served: reads the ranking that the service has, alarms:
    its alarms, refused: refused files of the segments, where it is known how; clock: the reader's."""

    reader: TrendingReader
    spans: Spans
    time_zone: str
    titles: Titles = field(default_factory=dict)
    article_link: str | None = None
    reconciliations: Reconciliations | None = None
    served: ReadServed | None = None
    alarms: ReadAlarms | None = None
    refused: ReadRefused | None = None
    clock: Clock = lambda: datetime.now(UTC)

    def application(self) -> Starlette:
        loop = QueryLoop(Asking(self.reader, self.spans, self.clock, self.titles), self.titles)
        return application(
            loop,
            self.spans,
            time_zone=self.time_zone,
            article_link=self.article_link,
            reconciliations=self.reconciliations,
            served=RankingFreshness(self.served, loop) if self.served else None,
            alarms=self.alarms,
            refused=self.refused,
            clock=self.clock,
        )


def bind(port: int) -> socket.socket:
    """port: 0 for a free one. Raises TrendsError where it is taken, or the chart library is missing."""
    if not CHARTS.is_dir():
        raise TrendsError(f"the board draws with uPlot, which is not in {CHARTS}: run `make setup`")
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()  # whoever connects from now on waits until the server runs
    except (OSError, OverflowError) as error:
        listening.close()
        raise TrendsError(
            f"the board cannot listen on {HOST}:{port} ({error}): choose another --port"
        ) from error
    return listening


def bind_where_free() -> socket.socket:
    """DEFAULT_PORT, or any other where that is taken. Raises TrendsError as bind."""
    try:
        return bind(DEFAULT_PORT)
    except TrendsError:
        return bind(0)


def address(listening: socket.socket) -> str:
    return f"http://{HOST}:{listening.getsockname()[1]}"


def serve(board: Board, listening: socket.socket) -> None:
    """Returns after SIGINT or SIGTERM."""
    _server(board).run([listening])


@contextlib.contextmanager
def running_board(board: Board, listening: socket.socket) -> Iterator[str]:
    """The board's address, for the time of the block; served by a thread."""
    server = _server(board)
    thread = threading.Thread(target=server.run, args=([listening],), name="board", daemon=True)
    thread.start()
    try:
        yield address(listening)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _server(board: Board) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            board.application(),
            log_level="warning",
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,  # streams of events never end by themselves
            lifespan="on",
            server_header=False,
        )
    )
