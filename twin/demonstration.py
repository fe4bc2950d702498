"""One run of the whole path on this machine, shown in the terminal.

1. start the twin and publish the readers' segments
2. send clicks: mobile apps into Tokyo's stream, web servers into Oregon's
3. show what is trending, as the batch server reads it with its role: every second in the terminal, and on the
   board in a browser
4. when the traffic ends by itself, wait until every record is accounted for and show the totals
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from clients.batch_server import CountTotals, TrendingArticle, TrendingReader, TrendsError
from clients.board.reconciliation import Reconciliations, RecordReconciliation
from clients.board.server import ATTEMPTS, Board, Spans, bind_where_free, running_board
from twin.flink_job import JobState
from twin.headroom import disk_warning, memory_warning
from twin.reconciliation import LiveReconciliation
from twin.screen import FinalReconciliation, Picture, Screen, reconciliation_table
from twin.traffic.record import EntryPoint, Record
from twin.traffic.replay import AS_FAST_AS_POSSIBLE, read_recording, replayed
from twin.traffic.send import TrafficTally, send
from twin.traffic.simulated import readers, simulated_clicks, write_segments
from twin.twin import TIME_ZONE, Twin, running_twin

READERS = 20_000
SEED = 2026
# The first version of the segments holds for every click young enough to be counted.
FIRST_VERSION_AGE = timedelta(days=3)
PICTURE_SECONDS = 1.0
RATE_OVER_PICTURES = 5
SETTLE_SECONDS = 180.0
HOUR = timedelta(hours=1)
# So that something rises within minutes of the start, before an hour has passed.
SIMULATION_SPANS = Spans(last=timedelta(minutes=2), before=timedelta(minutes=20))


@dataclass(frozen=True)
class Traffic:
    """What a run sends. `records` makes the records, from the time at which sending starts."""

    records: Callable[[datetime], Iterator[Record]]
    window: timedelta
    window_name: str
    board_spans: Spans
    stays: bool = False
    """Whether the twin keeps running for questions when all is sent."""


def demonstrate(
    console: Console, *, input_file: Path | None, speed: float, rate: float, seconds: float | None
) -> bool:
    """Run until the traffic ends. Returns whether every record sent was accounted for.

    Raises TwinError, TrafficError, TrendsError or ReplayError.
    """
    traffic = _replay(input_file, speed) if input_file else _simulation(rate, seconds)
    started = time.monotonic()
    for warning in filter(None, (memory_warning(), disk_warning())):
        console.print(f"Warning: {warning}", style="yellow")
    with running_twin() as twin:
        console.print(
            "starting OpenSearch, the emulated AWS with the templates, and Flink: about a minute ..."
        )
        twin.deploy()
        segments = twin.work / "segments.csv"
        write_segments(segments, readers(READERS, SEED))
        valid_from = datetime.now(UTC) - FIRST_VERSION_AGE
        twin.wait_for_segments(twin.publish_segments(segments.read_bytes(), valid_from))
        return _Run(twin, traffic, console, started).until_the_end()


def _simulation(rate: float, seconds: float | None) -> Traffic:
    def records(started_at: datetime) -> Iterator[Record]:
        clicks = simulated_clicks(readers(READERS, SEED), rate=rate, started_at=started_at, seed=SEED)
        return itertools.takewhile(lambda record: seconds is None or record.due < seconds, clicks)

    return Traffic(records, timedelta(minutes=10), "the last 10 minutes", SIMULATION_SPANS)


def _replay(input_file: Path, speed: float) -> Traffic:
    recording = read_recording(input_file)

    def records(started_at: datetime) -> Iterator[Record]:
        return replayed(recording, speed=speed, started_at=started_at, entry_point=EntryPoint.MOBILE)

    records(datetime.now(UTC))  # raises ReplayError before anything is started
    if speed == AS_FAST_AS_POSSIBLE:
        day = timedelta(days=1)
        return Traffic(records, day, "the last 24 hours", Spans(last=day, before=day), stays=True)
    ten_minutes = timedelta(minutes=10)
    return Traffic(
        records, ten_minutes, "the last 10 minutes", Spans(last=ten_minutes, before=HOUR), stays=True
    )


def hints(board: str, environment: Path) -> list[str]:
    """Commands on separate lines of at most 80 columns, so that they can be copied."""
    return [
        f"the board: {board}; to ask questions, in another terminal here:",
        f"  . {environment}",
        "  click-trends top",
        "  click-trends board",
    ]


def application_problem(state: JobState | None) -> str | None:
    """The application's problem, for the screen; None while its job runs well."""
    if state is None:
        return "the analytics application is stopped: clicks wait in the source stream until it is started"
    return state.problem and f"the analytics application: {state.problem}"


def stay_for_questions(check: Callable[[], None], console: Console, board: str) -> None:
    """Wait for Ctrl-C after a replay, so that the counts can be looked at; not without a terminal."""
    if not console.is_terminal:
        return
    console.print(f"everything is sent; keep asking, or look at the board: {board} (Ctrl-C ends it)")
    with suppress(KeyboardInterrupt):
        while True:
            check()
            time.sleep(PICTURE_SECONDS)


@dataclass(frozen=True, kw_only=True)
class _Read:
    """The last answer of OpenSearch, and when."""

    at: datetime
    totals: CountTotals
    trending: Mapping[str, Sequence[TrendingArticle]]


class _Run:
    """A running twin with its traffic and its screen."""

    def __init__(self, twin: Twin, traffic: Traffic, console: Console, started: float) -> None:
        self._twin = twin
        self._traffic = traffic
        self._console = console
        self._started = started
        self._reader: TrendingReader = twin.reader()
        self._reconciliation = LiveReconciliation(twin.emulator, twin.names, twin.delivery_streams)
        self._tally = TrafficTally()
        self._read: _Read | None = None
        self._sent_lately: deque[tuple[float, int]] = deque(maxlen=RATE_OVER_PICTURES)
        self._reconciliations = Reconciliations()
        self._board = Board(
            reader=twin.reader(max_attempts=ATTEMPTS),
            spans=traffic.board_spans,
            time_zone=TIME_ZONE,
            reconciliations=self._reconciliations,
            served=twin.served_table().read,
        )

    def until_the_end(self) -> bool:
        stop = threading.Event()
        with (
            running_board(self._board, bind_where_free()) as address,
            ThreadPoolExecutor(max_workers=1) as pool,
        ):
            screen_hints = hints(address, self._twin.write_reader_environment())
            sending = pool.submit(self._send, stop)
            try:
                with Screen(self._console, screen_hints) as screen:
                    self._show_until_settled(screen, sending)
                sending.result()
                totals = self._totals()
                self._console.print(reconciliation_table(totals))
                if self._traffic.stays:
                    stay_for_questions(self._twin.check, self._console, address)
            except KeyboardInterrupt:
                self._console.print("stopping everything ...")
                raise
            finally:
                stop.set()
        return totals.missing == 0

    def _send(self, stop: threading.Event) -> None:
        send(self._traffic.records(datetime.now(UTC)), self._twin.producers(), self._tally, stop)

    def _show_until_settled(self, screen: Screen, sending: "Future[None]") -> None:
        """Draw pictures until everything sent is accounted for, or SETTLE_SECONDS after the last record."""
        give_up_at = float("inf")
        while True:
            self._twin.check()
            picture = self._picture()
            screen.show(picture)
            if sending.done():
                sending.result()
                give_up_at = min(give_up_at, time.monotonic() + SETTLE_SECONDS)
                if picture.is_settled:
                    return
            if time.monotonic() > give_up_at:
                return
            time.sleep(PICTURE_SECONDS)

    def _picture(self) -> Picture:
        problems = []
        is_read = False
        try:
            self._read = self._read_counts()
            is_read = True
        except TrendsError as error:
            problems.append(str(error))
        read = self._read
        live = self._reconciliation.now()
        sent = self._tally.totals().sent
        if read is not None and is_read:
            if sent < read.totals.clicks + live.rejected + live.unparseable:
                with suppress(OSError):  # OpenSearch went away; the next picture looks again
                    live = self._reconciliation.look_again(self._twin.clicks_counted_under)
            self._reconciliations.tell(
                RecordReconciliation(
                    sent=sent,
                    counted=read.totals.clicks,
                    rejected=live.rejected,
                    unparseable=live.unparseable,
                )
            )
        age = None if read is None else read.totals.age_of_newest_count(read.at)
        state = self._twin.application_state()
        segments_problem = self._twin.segments_problem()
        self._reconciliations.tell_segments(segments_problem)
        problems += [problem for problem in (application_problem(state), segments_problem) if problem]
        return Picture(
            uptime_seconds=time.monotonic() - self._started,
            rate_in=self._rate(sent),
            sent=sent,
            counted=None if read is None else read.totals.clicks,
            rejected=live.rejected,
            unparseable=live.unparseable,
            read_seconds_ago=None
            if read is None or is_read
            else (datetime.now(UTC) - read.at).total_seconds(),
            age_of_newest_count=None if age is None else age.total_seconds(),
            window=self._traffic.window_name,
            trending={} if read is None else read.trending,
            problems=problems,
        )

    def _read_counts(self) -> _Read:
        """Raises TrendsError."""
        at = datetime.now(UTC)
        totals = self._twin.totals(self._reader)
        lists = self._reader.top_of_segments(self._traffic.window, [("age_band",)]).lists
        trending = {segment.label: top.articles for segment, top in lists.items()}
        return _Read(at=at, totals=totals, trending=trending)

    def _rate(self, sent: int) -> float:
        """Records sent a second, over the last pictures."""
        self._sent_lately.append((time.monotonic(), sent))
        (first_at, first_sent), (last_at, last_sent) = self._sent_lately[0], self._sent_lately[-1]
        return (last_sent - first_sent) / (last_at - first_at) if last_at > first_at else 0.0

    def _totals(self) -> FinalReconciliation:
        found = self._twin.reconciliation()
        rejected = found.rejected + found.rejected_by_forwarder
        return FinalReconciliation(
            sent=self._tally.totals().sent,
            counted=found.counted,
            rejected=dict(rejected),
            unparseable=found.unparseable,
            counted_and_rejected=found.counted_and_rejected,
        )
