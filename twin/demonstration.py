"""One run of the whole path on this machine, shown in the terminal.

1. start the twin and publish the readers' segments
2. send clicks: mobile apps into Tokyo's stream, web servers into Oregon's
3. show what is trending, as the batch server reads it with its role: every second in the terminal, and on the
   board in a browser
4. when the traffic ends by itself, wait until every click is accounted for and show the totals
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from clients.batch_server import CountTotals, TrendingArticle, TrendingReader, TrendsError
from clients.board.reconciliation import ClickTotals, Reconciliations
from clients.board.server import ATTEMPTS, Board, Spans, bind_where_free, running_board
from twin.board_readers import BoardReaders
from twin.drills.control import Control, controlled
from twin.drills.run import DrilledRun
from twin.ended import EndedPart
from twin.flink_job import JobState
from twin.headroom import disk_warning, memory_warning
from twin.logs import what_to_do
from twin.processes import TwinError
from twin.reader_environment import TIME_ZONE
from twin.reconciliation import LiveReconciliation, Refused
from twin.recovery import Recovery
from twin.screen import FinalReconciliation, Picture, Screen, reconciliation_table
from twin.traffic.record import EntryPoint, Record
from twin.traffic.replay import AS_FAST_AS_POSSIBLE, read_recording, replayed
from twin.traffic.send import TrafficTally, send
from twin.traffic.simulated import evenly, readers, simulated_clicks, write_segments
from twin.twin import Twin, running_twin

READERS = 20_000
SEED = 2026
# The first version of the segments holds for every click young enough to be counted.
FIRST_VERSION_AGE = timedelta(days=3)
PICTURE_SECONDS = 1.0
RATE_OVER_PICTURES = 5
SETTLE_SECONDS = 180.0
NO_PICTURE_SECONDS = 300.0
"""On a busy machine. An answer of OpenSearch alone is awaited for half a minute."""
STARTS_AT_ONCE = 3
PATIENCE_SECONDS = 1800.0
"""With a stream that takes nothing: the longest drill keeps one away for ten minutes."""
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
    """Run until the traffic ends. Returns whether every click sent was accounted for.

    Raises TwinError, TrafficError, TrendsError or ReplayError.
    """
    return run(_replay(input_file, speed) if input_file else _simulation(rate, seconds), console)


def run(traffic: Traffic, console: Console) -> bool:
    """Start a twin and send the traffic through it, like `demonstrate`."""
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
        clicks = simulated_clicks(readers(READERS, SEED), at=evenly(rate), started_at=started_at, seed=SEED)
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


def what_goes_on(ended: Sequence[EndedPart], starting: Sequence[str], *, flows: bool) -> list[str]:
    """Lines for the screen. starting: names of parts; flows: whether clicks are sent."""
    advice = dict.fromkeys(filter(None, (what_to_do(part.problem) for part in ended)))
    held = [] if flows else ["no click is sent: a drill waits until every one is accounted for"]
    return [
        *advice,
        *(part.told for part in ended),
        *(f"{name} is started again" for name in starting),
        *held,
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
        self._live = Refused(0, 0)
        self._flows = threading.Event()
        self._flows.set()
        self._drawn = threading.Condition()
        self._pictures = 0
        self._shown: Picture | None = None
        self._drill: Callable[[], str] = str
        beside = BoardReaders(twin.emulator, twin.names)
        self._board = Board(
            reader=twin.reader(max_attempts=ATTEMPTS),
            spans=traffic.board_spans,
            time_zone=TIME_ZONE,
            reconciliations=self._reconciliations,
            served=twin.served_table().read,
            alarms=beside.alarms,
            refused=beside.refused,
        )

    def until_the_end(self) -> bool:
        stop = threading.Event()
        with (
            running_board(self._board, bind_where_free()) as address,
            ThreadPoolExecutor(max_workers=1 + STARTS_AT_ONCE) as pool,
        ):
            recovery = Recovery(self._twin, pool)
            screen_hints = hints(address, self._twin.write_reader_environment())
            sending = pool.submit(self._send, stop)
            try:
                control = Control(self._drilled(), recovery)
                self._drill = control.under_way
                with controlled(control, self._twin.work):
                    return self._show(screen_hints, sending, recovery, address)
            except KeyboardInterrupt:
                self._console.print("stopping everything ...")
                raise
            finally:
                stop.set()
                self._flows.set()

    def _drilled(self) -> DrilledRun:
        def send_beside(records: Sequence[Record]) -> None:
            send(records, self._twin.producers(), self._tally, threading.Event(), pack_bytes=0)

        return DrilledRun(
            twin=self._twin, send=send_beside, hold_traffic=self._traffic_held, picture=self._next_picture
        )

    @contextmanager
    def _traffic_held(self) -> Iterator[None]:
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    def _next_picture(self) -> Picture:
        """One made from now on. Raises TwinError if none comes."""
        with self._drawn:
            number = self._pictures + 1  # the one in the making may be of before
            if not self._drawn.wait_for(lambda: self._pictures > number, timeout=NO_PICTURE_SECONDS):
                raise TwinError(f"the run has shown nothing for {NO_PICTURE_SECONDS:.0f} s")
            assert self._shown is not None  # they were counted
            return self._shown

    def _send(self, stop: threading.Event) -> None:
        def flowing() -> Iterator[Record]:
            for record in self._traffic.records(datetime.now(UTC)):
                self._flows.wait()
                yield record

        send(flowing(), self._twin.producers(), self._tally, stop, patience_seconds=PATIENCE_SECONDS)

    def _show(
        self, screen_hints: Sequence[str], sending: "Future[None]", recovery: Recovery, address: str
    ) -> bool:
        with Screen(self._console, screen_hints) as screen:
            self._show_until_settled(screen, sending, recovery)
        sending.result()
        totals = self._totals()
        self._console.print(reconciliation_table(totals))
        if self._traffic.stays:
            told: set[str] = set()

            def tell() -> None:
                """What has ended since, each time in one line."""
                lines = [part.told for part in recovery.ended()]
                for line in lines:
                    if line not in told:
                        self._console.print(line, style="red", markup=False, soft_wrap=True)
                told.clear()
                told.update(lines)

            stay_for_questions(tell, self._console, address)
        return totals.missing == 0

    def _show_until_settled(self, screen: Screen, sending: "Future[None]", recovery: Recovery) -> None:
        """Draw pictures until everything sent is accounted for, or SETTLE_SECONDS after the last click.

        Raises TwinError if a part has ended that nobody can start again, and nobody watches.
        """
        give_up_at = float("inf")
        while True:
            ended = recovery.ended()
            lost = [part for part in ended if not part.can_start]
            if lost and not self._console.is_terminal:
                raise TwinError(lost[0].problem)
            picture = self._picture(what_goes_on(ended, recovery.starting(), flows=self._flows.is_set()))
            screen.show(picture)
            with self._drawn:
                self._shown, self._pictures = picture, self._pictures + 1
                self._drawn.notify_all()
            if sending.done() and not lost:
                sending.result()
                give_up_at = min(give_up_at, time.monotonic() + SETTLE_SECONDS)
                if picture.is_settled:
                    return
            if time.monotonic() > give_up_at:
                return
            time.sleep(PICTURE_SECONDS)

    def _picture(self, parts: Sequence[str] = ()) -> Picture:
        """parts: what is to be said of the twin's parts."""
        problems = [*parts, *self._tally.problems()]
        is_read = False
        try:
            self._read = self._read_counts()
            is_read = True
        except TrendsError as error:
            problems.append(str(error))
        read = self._read
        try:
            self._live = self._reconciliation.now()
        except (BotoCoreError, ClientError) as error:
            problems.append(f"what was rejected is not known: {error}")
            is_read = False
        live = self._live
        sent = self._tally.totals().sent
        if read is not None and is_read:
            if sent < read.totals.clicks + live.rejected + live.unparseable:
                with suppress(TrendsError):  # OpenSearch went away; the next picture looks again
                    live = self._reconciliation.look_again(self._twin.counts_of_the_run())
            self._reconciliations.tell(
                ClickTotals(
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
            alarms=self._twin.alarms(),
            drill=self._drill(),
        )

    def _read_counts(self) -> _Read:
        """Raises TrendsError."""
        at = datetime.now(UTC)
        totals = self._twin.totals(self._reader)
        lists = self._reader.top_of_segments(self._traffic.window, [("age_band",)]).lists
        trending = {segment.label: top.articles for segment, top in lists.items()}
        return _Read(at=at, totals=totals, trending=trending)

    def _rate(self, sent: int) -> float:
        """Clicks sent a second, over the last pictures."""
        self._sent_lately.append((time.monotonic(), sent))
        (first_at, first_sent), (last_at, last_sent) = self._sent_lately[0], self._sent_lately[-1]
        return (last_sent - first_sent) / (last_at - first_at) if last_at > first_at else 0.0

    def _totals(self) -> FinalReconciliation:
        found = self._twin.reconciliation()
        letters = {
            f"{reason} (dead letter)": number for reason, number in found.rejected_by_forwarder.items()
        }
        return FinalReconciliation(
            sent=self._tally.totals().sent,
            counted=found.counted,
            rejected={**found.rejected, **letters},
            unparseable=found.unparseable,
            counted_and_rejected=found.counted_and_rejected,
        )
