"""The whole system on this machine: start it, reach it by the templates' roles, stop it and leave nothing."""

import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from analytics_sql.local_flink import AWS_JAR
from clients.batch_server import CountTotals, TrendingReader, TrendsError
from clients.batch_server.credentials import own_credentials
from clients.batch_server.progress import ProgressWatch
from clients.batch_server.search import MAX_ATTEMPTS, CountSearch
from clients.batch_server.served_rankings import ServedTable
from clients.mobile_app.delivery import Stream
from names import OREGON, SEGMENTS_PREFIX, TOKYO, TWIN_ACCOUNT, Names, segments_version_key
from twin.alarms.clock import AlarmClock
from twin.alarms.states import AlarmState, alarm_states
from twin.analytics import EmulatedApplication
from twin.click_outcomes import CountsOfARun
from twin.delivery_faults import DeliveryFaults
from twin.delivery_stream import EmulatedDeliveryStream, deliver_streams
from twin.deployment import deploy
from twin.emulator import Emulator
from twin.ended import TwinPart, end_all
from twin.event_source import EventSource, start_event_sources
from twin.flink_job import FlinkJob, JobState
from twin.logs import last_errors
from twin.mobile_app import MobileApp
from twin.opensearch import OpenSearchServer
from twin.processes import TwinError, wait_for
from twin.reader_environment import environment_file
from twin.reconciliation import Reconciliation, reconcile
from twin.replay_application import EmulatedReplay
from twin.sent_metrics import SentMetrics
from twin.signals import asked_to_end_afterwards, undisturbed
from twin.synthesis import PROJECT, Synthesis
from twin.table_options import Properties, connector_properties, file_properties
from twin.traffic.record import EntryPoint
from twin.traffic.send import TRAFFIC_CLIENT_CONFIG
from twin.transport import FilesTransport, SegmentsFolder
from twin.working_folders import is_empty, keep, remove, remove_left, working_folder

ENVIRONMENT = "local"
FLINK = "flink"
"""The part that runs the analytics application."""
SEGMENTS_TIMEOUT_SECONDS = 180
CAUSE_SECONDS = 2.0
"""A connection breaks before its process is seen to end."""
Transport = Literal["files", "aws"]
# OpenSearch holds counts of clicks up to a day old; two more days cover clocks ahead and a day's boundary.
_COUNTED_SPAN = timedelta(days=3)


def chosen_transport() -> Transport:
    """From TRANSPORT; by default `aws` if the jar with the AWS connectors is built, else `files`."""
    chosen = os.environ.get("TRANSPORT") or ("aws" if AWS_JAR.is_file() else "files")
    if chosen == "aws":
        if not AWS_JAR.is_file():
            raise TwinError("TRANSPORT=aws needs connectors/target/analytics-aws.jar: run `make aws-jar`")
        return "aws"
    if chosen == "files":
        return "files"
    raise TwinError(f"TRANSPORT is {chosen!r}: set it to files or aws")


class Twin:
    """A deployed and running system. Use `running_twin()`; the parts are public for tests."""

    def __init__(
        self, work: Path, transport: Transport, faults: DeliveryFaults, clock_factor: float = 1.0
    ) -> None:
        self.clock = AlarmClock(clock_factor, origin=time.time())
        self.names = Names(environment=ENVIRONMENT, account=TWIN_ACCOUNT)
        self.work = work
        self._transport_kind = transport
        self._faults = faults
        self._opensearch = OpenSearchServer(work / "opensearch.log")
        self.search_slows_down = self._opensearch.slow_down
        self._emulator_log = work / "ministack.log"
        try:
            self.emulator = Emulator(
                opensearch_endpoint=self._opensearch.endpoint,
                log=self._emulator_log,
                runs_flink=True,
                clock=self.clock,
            )
        except BaseException:
            self._opensearch.stop()
            raise
        self.metrics: SentMetrics | None = None
        self._deliver: Callable[[], None] = lambda: None
        self.logs_are_kept = False
        self.delivery_streams: dict[str, EmulatedDeliveryStream] = {}
        self.event_sources: list[EventSource] = []
        self.transport: FilesTransport | None = None
        self._segments: SegmentsFolder | None = None
        self._synthesis: Synthesis | None = None
        self.application: EmulatedApplication | None = None
        self.replay: EmulatedReplay | None = None
        self.mobile_app: MobileApp
        """Of a logged-in reader; set by `deploy()`."""

    @property
    def opensearch_endpoint(self) -> str:
        """OpenSearch itself, bypassing IAM: for tests that look at documents."""
        return self._opensearch.endpoint

    def search_goes_away(self) -> None:
        """End OpenSearch like a machine that loses power; its data stays."""
        self._opensearch.go_away()

    def search_comes_back(self) -> None:
        self._opensearch.come_back()

    def deploy(self, project: Path = PROJECT) -> None:
        """Create a tree's stacks, start what AWS runs for them, then the application. Raises TwinError."""
        self._synthesis = Synthesis(ENVIRONMENT, self.work, project)
        self.emulator.wait_until_ready()
        self._opensearch.wait_until_ready()
        self.metrics = SentMetrics(
            self.emulator, self.names, self.clock, domain_endpoint=self._opensearch.endpoint
        )
        oregon, tokyo = self.metrics.oregon, self.metrics.tokyo
        self.application = EmulatedApplication(
            self.emulator,
            self.names,
            self.work / "flink",
            over=self._options_of_the_tables,
            publisher=oregon,
            seconds_behind=self._seconds_behind,
        )
        deploy(self._synthesis.assembly(), self.emulator, self.check)
        self.replay = EmulatedReplay(self.emulator, self.names, self.work / "replay")
        to = self.delivery_streams, self.emulator, self.work / "delivered", self._faults
        self._deliver = partial(deliver_streams, *to, publisher=oregon, clock=self.clock)
        self._deliver()
        self.event_sources = start_event_sources(self.emulator, tokyo, self.clock)
        self.mobile_app = MobileApp(self.emulator, self.names)

    def update(self, project: Path) -> None:
        """Deploy another tree over what `deploy()` made. Raises TwinError."""
        deploy(Synthesis(ENVIRONMENT, self.work, project).assembly(), self.emulator, self.check)
        self._deliver()

    def publish_segments(self, csv: bytes, valid_from: datetime) -> str:
        """Publish a version of the segments at any time, past the door. Returns its key in the bucket."""
        key = segments_version_key(valid_from)
        self.segments_writer().put_object(Bucket=self.names.segments_bucket, Key=key, Body=csv)
        return key

    def segments_writer(self) -> Any:
        """A client of S3 with the role of the publisher, the only one that may write versions."""
        return self.emulator.client_as(self.names.role_arn(self.names.segments_publisher), "s3", OREGON)

    def wait_for_segments(self, key: str) -> None:
        """Wait until the application has read the version with this key, so that the next click finds it."""
        application = self.application
        assert application is not None, "only a deployed application reads segments"
        version = key.removeprefix(SEGMENTS_PREFIX)

        def loaded() -> bool:
            self.check()
            return application.has_logged(f"/{version}: ")

        wait_for(
            loaded,
            what=f"version {version} of the segments read by the application",
            timeout_seconds=SEGMENTS_TIMEOUT_SECONDS,
            poll_seconds=0.5,
            seen=application.last_errors,
        )

    def _options_of_the_tables(self, application: EmulatedApplication) -> Properties:
        """Overrides of the deployed property groups, so that Flink reaches the emulated AWS."""
        role, deployed = application.role_arn, application.properties
        folder = self.work / "segments"
        if self._segments is None:
            self._segments = SegmentsFolder(
                self.emulator, self.names, application_role_arn=role, folder=folder
            )
        if self._transport_kind == "aws":
            tables = connector_properties(self.emulator, deployed)
        else:
            root = self.work / "transport"
            if self.transport is None:
                self.transport = FilesTransport(self.emulator, deployed, application_role_arn=role, root=root)
            self.transport.begin_anew(application.restored_at, deployed)
            application.metrics.unparseable_percent = self.transport.unparseable_percent
            tables = file_properties(root, deployed)
        return {**tables, "segments": self._segments.options(deployed["segments"])}

    def _seconds_behind(self, job: FlinkJob) -> float | None:
        return job.seconds_behind() if self.transport is None else self.transport.seconds_behind

    def alarms(self) -> list[AlarmState]:
        """Every alarm of the templates, by name; none while the emulated AWS does not answer."""
        try:
            return alarm_states(self.emulator)
        except OSError:
            return []

    def application_state(self) -> JobState | None:
        """The last state of the application's job."""
        return None if self.application is None else self.application.state

    def segments_problem(self) -> str | None:
        """What is wrong with the published segments, as the application last reported."""
        segments = None if self.application is None else self.application.segments
        return None if segments is None else segments.problem

    def producers(self) -> dict[EntryPoint, Stream]:
        """Where clicks enter: the mobile stream with the credentials that Cognito vends to a reader's app,
        and the source stream with a web server's permissions."""
        names = self.names
        web_server = names.role_arn(names.web_server_role)
        web = self.emulator.client_as(web_server, "kinesis", OREGON, TRAFFIC_CLIENT_CONFIG)
        return {
            EntryPoint.MOBILE: self.mobile_app.stream(TRAFFIC_CLIENT_CONFIG),
            EntryPoint.WEB: Stream(web, names.source_stream),
        }

    def reader(self, max_attempts: int = MAX_ATTEMPTS) -> TrendingReader:
        """The batch server's view of the counts, with its role."""
        role = self.names.role_arn(self.names.batch_server_role)
        return TrendingReader(
            self.emulator.search_endpoint,
            own_credentials(self.emulator.session_as(role, TOKYO)),
            max_attempts=max_attempts,
            progress=ProgressWatch(self.emulator.client_as(role, "cloudwatch", OREGON), self.names),
        )

    def served_table(self) -> ServedTable:
        """The served rankings, read with the batch server's role."""
        role = self.names.role_arn(self.names.batch_server_role)
        return ServedTable(self.emulator.client_as(role, "dynamodb", TOKYO), self.names.trending_table)

    def write_reader_environment(self) -> Path:
        """See twin/reader_environment.py."""
        file = self.work / "batch_server.env"
        file.write_text(environment_file(self.emulator, self.names, self.work))
        return file

    def totals(self, reader: TrendingReader) -> CountTotals:
        """All counts, as the batch server reads them."""
        now = datetime.now(UTC)
        return reader.totals(now - _COUNTED_SPAN, now + _COUNTED_SPAN)

    def counted(self) -> int:
        """The sum of all counts, as the batch server reads it."""
        return self.totals(self.reader()).clicks

    def reconciliation(self) -> Reconciliation:
        """Where every click went, after everything received so far is delivered."""
        for stream in self.delivery_streams.values():
            stream.flush()
        refresh = f"{self.opensearch_endpoint}/_refresh"
        urllib.request.urlopen(refresh, data=b"", timeout=30).close()  # makes the last deliveries visible
        counts = self.counts_of_the_run()
        return reconcile(self.emulator, self.names, counted=self.counted(), counts=counts)

    def counts_of_the_run(self) -> CountsOfARun:
        """By window and key, with the batch server's role."""
        role = self.names.role_arn(self.names.batch_server_role)
        credentials = own_credentials(self.emulator.session_as(role, TOKYO))
        return CountsOfARun(CountSearch(self.emulator.search_endpoint, credentials, OREGON))

    def last_seen(self) -> str:
        """For a failed wait: where the records are, the application's job, and the last errors."""
        streams = [(name, stream.received) for name, stream in self.delivery_streams.items()]
        streams += [("event source", source.received) for source in self.event_sources]
        received = [f"{name} received {records} records" for name, records in streams]
        try:
            counted = f"{self.counted()} clicks counted"
        except TrendsError as error:
            counted = f"counts cannot be read: {error}"
        job = f"the job of the application: {self.application_state()}"
        errors = "" if self.application is None else f"\n{self.application.last_errors()}"
        seen = "; ".join([counted, *received, job])
        return f"{seen}{errors}\n{last_errors([self._emulator_log])}"

    def keep_logs(self) -> None:
        """Keep the working folder at the end."""
        self.logs_are_kept = True

    def parts(self) -> Iterator[TwinPart]:
        """Those that run now; parts on which others depend come first."""
        yield TwinPart(name="ministack", check=self.emulator.check, start=None)
        yield TwinPart(name="opensearch", check=self._opensearch.check, start=self.search_comes_back)
        for name, stream in self.delivery_streams.items():
            yield TwinPart(name=name, check=stream.check, start=stream.start_again)
        for source in self.event_sources:
            yield TwinPart(name=source.name, check=source.check, start=source.start_again)
        yield from () if self.metrics is None else self.metrics.parts()
        workers = {"transport": self.transport, "segments": self._segments, "replay": self.replay}
        for name, part in workers.items():
            if part is not None:
                yield TwinPart(name=name, check=part.check, start=part.start_again)
        if self.application is not None:
            yield TwinPart(name=FLINK, check=self.application.check, start=self.application.start_again)

    def check(self) -> None:
        """Raise TwinError if a part has died."""
        for part in self.parts():
            part.check()

    def check_soon(self) -> None:
        """Like `check()`, for CAUSE_SECONDS, because a part may still be dying."""
        deadline = time.monotonic() + CAUSE_SECONDS
        while time.monotonic() < deadline:
            self.check()
            time.sleep(0.1)

    def stop(self) -> None:
        """End every process and worker in the order of the data's flow, then raise the first error."""
        parts = (
            ("synthesis", self._synthesis),
            *((source.name, source) for source in self.event_sources),
            (FLINK, self.application),
            ("replay", self.replay),
            ("segments", self._segments),
            ("transport", self.transport),
            *self.delivery_streams.items(),
            ("metrics", self.metrics),
            ("ministack", self.emulator),
            ("opensearch", self._opensearch),
        )
        end_all([(name, part.stop) for name, part in parts if part is not None])


@contextmanager
def _root_cause_first(twin: Twin) -> Iterator[None]:
    """If a part has died, an error in the block is a consequence: raises the part's death instead."""
    try:
        yield
    except Exception as error:
        try:
            twin.check_soon()
        except Exception as cause:
            if isinstance(cause, TwinError):
                raise cause from error
        raise


@contextmanager
def running_twin(faults: DeliveryFaults | None = None, clock_factor: float = 1.0) -> Iterator[Twin]:
    """A twin whose OpenSearch and emulated AWS are starting; call `deploy()`.

    clock_factor: of the clock of alarms, schedules and buffers (twin/alarms/clock.py).

    The working folder with all logs is removed at the end, unless an error ended the block or `keep_logs()`
    was called. What killed runs have left is removed first.
    """
    transport = chosen_transport()
    if left := remove_left():
        print(f"removed what killed runs had left: {len(left)} folders")
    work = working_folder("twin")
    twin: Twin | None = None
    try:
        with asked_to_end_afterwards():
            twin = Twin(work, transport, faults or DeliveryFaults(), clock_factor)
        with _root_cause_first(twin):
            yield twin
    except BaseException as error:
        if twin is not None:
            with undisturbed(), suppress(Exception):  # shows the first error
                twin.stop()
        if isinstance(error, Exception) and not is_empty(work):
            keep(work)
            error.add_note(f"the twin's logs are in {work}")
        else:
            remove(work)
        raise
    try:
        with undisturbed():
            twin.stop()
    except TwinError as error:
        keep(work)
        error.add_note(f"the twin's logs are in {work}")
        raise
    if twin.logs_are_kept:
        keep(work)
        print(f"the twin's logs are in {work}")
    else:
        remove(work)
