"""The whole system on this machine: start it, reach it by the templates' roles, stop it and leave nothing."""

import json
import os
import shlex
import shutil
import signal
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from analytics_sql.local_flink import AWS_JAR
from clients.batch_server import CountTotals, TrendingReader, TrendsError
from clients.batch_server.credentials import own_credentials
from clients.batch_server.progress import ProgressWatch
from clients.batch_server.search import MAX_ATTEMPTS
from clients.batch_server.served_rankings import ServedTable
from clients.mobile_app.delivery import Stream
from contract.sink import CLICK_COUNTS
from names import OREGON, SEGMENTS_PREFIX, TOKYO, TWIN_ACCOUNT, Names, index_pattern, segments_version_key
from twin.analytics import EmulatedApplication
from twin.click_outcomes import Key
from twin.delivery_faults import DeliveryFaults
from twin.delivery_stream import EmulatedDeliveryStream
from twin.deployment import deploy
from twin.emulator import Emulator
from twin.event_source import EventSource, start_event_sources
from twin.flink_job import FlinkJob, JobState
from twin.logs import last_errors
from twin.mobile_app import MobileApp
from twin.opensearch import OpenSearchServer
from twin.processes import TwinError, wait_for
from twin.reconciliation import Reconciliation, reconcile
from twin.synthesis import Synthesis
from twin.table_options import Properties, connector_properties, file_properties
from twin.traffic.record import EntryPoint
from twin.traffic.send import TRAFFIC_CLIENT_CONFIG
from twin.transport import FilesTransport, SegmentsFolder

ENVIRONMENT = "local"
TIME_ZONE = "Asia/Tokyo"  # where the readers click
COMMANDS = Path(__file__).parents[1] / ".venv" / "bin"
SEGMENTS_TIMEOUT_SECONDS = 60
CAUSE_SECONDS = 2.0
"""A connection breaks before its process is seen to end."""
Transport = Literal["files", "aws"]
# OpenSearch holds counts of clicks up to a day old; two more days cover clocks ahead and a day's boundary.
_COUNTED_SPAN = timedelta(days=3)
_ASK_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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

    def __init__(self, work: Path, transport: Transport, faults: DeliveryFaults) -> None:
        self.names = Names(environment=ENVIRONMENT, account=TWIN_ACCOUNT)
        self.work = work
        self._transport_kind = transport
        self._faults = faults
        self._opensearch = OpenSearchServer(work / "opensearch.log")
        self._emulator_log = work / "ministack.log"
        self.emulator = Emulator(
            opensearch_endpoint=self._opensearch.endpoint, log=self._emulator_log, runs_flink=True
        )
        self.logs_are_kept = False
        self.delivery_streams: dict[str, EmulatedDeliveryStream] = {}
        self.event_sources: list[EventSource] = []
        self.transport: FilesTransport | None = None
        self._segments: SegmentsFolder | None = None
        self._synthesis: Synthesis | None = None
        self.application: EmulatedApplication | None = None
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

    def deploy(self) -> None:
        """Synthesise and create the stacks, start what AWS runs for them, then the application.

        Raises TwinError.
        """
        self._synthesis = Synthesis(ENVIRONMENT, self.work)
        self.emulator.wait_until_ready()
        self._opensearch.wait_until_ready()
        self.application = EmulatedApplication(
            self.emulator,
            self.names,
            self.work / "flink",
            over=self._options_of_the_tables,
            seconds_behind=self._seconds_behind,
        )
        deploy(self._synthesis.assembly(), self.emulator, self.check)
        journal = self.work / "delivered"
        journal.mkdir()
        deployed = self.emulator.client("firehose", OREGON).list_delivery_streams(Limit=100)
        for name in deployed["DeliveryStreamNames"]:
            self.delivery_streams[name] = EmulatedDeliveryStream(self.emulator, name, journal, self._faults)
        self.event_sources = start_event_sources(self.emulator)
        self.mobile_app = MobileApp(self.emulator, self.names)

    def publish_segments(self, csv: bytes, valid_from: datetime) -> str:
        """Publish a version of the segments. Returns its key in the segments bucket."""
        key = segments_version_key(valid_from)
        s3 = self.emulator.client("s3", OREGON)
        s3.put_object(Bucket=self.names.segments_bucket, Key=key, Body=csv)
        return key

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
            self.transport.begin_anew(application.restored_at)
            tables = file_properties(root, deployed)
        return {**tables, "segments": {**deployed["segments"], "path": folder.as_uri()}}

    def _seconds_behind(self, job: FlinkJob) -> float | None:
        return job.seconds_behind() if self.transport is None else self.transport.seconds_behind

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
        """A file to source in a shell: `click-trends` then asks this twin, with the batch server's role."""
        role = self.names.role_arn(self.names.batch_server_role)
        variables = {
            **self.emulator.client_environment(),
            "CLICK_TRENDS_ENDPOINT": self.emulator.search_endpoint,
            "CLICK_TRENDS_ENVIRONMENT": ENVIRONMENT,
            "CLICK_TRENDS_ROLE_ARN": role,
            "CLICK_TRENDS_TABLE": self.names.trending_table,
            "CLICK_TRENDS_TIME_ZONE": TIME_ZONE,
        }
        file = self.work / "batch_server.env"
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        lines.append(
            f'export PATH="$PATH":{shlex.quote(str(COMMANDS))}'
        )  # the shell's own commands stay first
        file.write_text("\n".join([*lines, ""]))
        return file

    def totals(self, reader: TrendingReader) -> CountTotals:
        """All counts, as the batch server reads them."""
        now = datetime.now(UTC)
        return reader.totals(now - _COUNTED_SPAN, now + _COUNTED_SPAN)

    def counted(self) -> int:
        """The sum of all counts, as the batch server reads it."""
        return self.totals(self.reader()).clicks

    def reconciliation(self) -> Reconciliation:
        """Where every record went, after everything received so far is delivered."""
        for stream in self.delivery_streams.values():
            stream.flush()
        refresh = f"{self.opensearch_endpoint}/{index_pattern(CLICK_COUNTS.index_family)}/_refresh"
        urllib.request.urlopen(refresh, data=b"", timeout=30).close()  # makes the last deliveries visible
        return reconcile(
            self.emulator, self.names, counted=self.counted(), clicks_of=self.clicks_counted_under
        )

    def clicks_counted_under(self, key: Key) -> int:
        """In all segments; asked of OpenSearch itself, bypassing IAM, because no role asks for it."""
        minute, article_id = key
        filters = [{"term": {"minute": minute}}, {"term": {"article_id": article_id}}]
        query = {
            "size": 0,
            "query": {"bool": {"filter": filters}},
            "aggs": {"clicks": {"sum": {"field": "clicks"}}},
        }
        request = urllib.request.Request(
            f"{self.opensearch_endpoint}/{index_pattern(CLICK_COUNTS.index_family)}/_search",
            data=json.dumps(query).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(json.load(answer)["aggregations"]["clicks"]["value"])

    def last_seen(self) -> str:
        """For a failed wait: where the records are, the application's job, and the last errors."""
        received = [f"{name} received {stream.received}" for name, stream in self.delivery_streams.items()]
        sources = [f"event source received {source.received}" for source in self.event_sources]
        try:
            counted = f"{self.counted()} clicks counted"
        except TrendsError as error:
            counted = f"counts cannot be read: {error}"
        job = f"the job of the application: {self.application_state()}"
        errors = "" if self.application is None else f"\n{self.application.last_errors()}"
        seen = "; ".join([counted, *sources, *received, job])
        return f"{seen}{errors}\n{last_errors([self._emulator_log])}"

    def keep_logs(self) -> None:
        """Keep the working folder at the end."""
        self.logs_are_kept = True

    def check(self) -> None:
        """Raise TwinError if a part has died; parts on which others depend come first."""
        self.emulator.check()
        self._opensearch.check()
        for stream in self.delivery_streams.values():
            stream.check()
        for source in self.event_sources:
            source.check()
        if self.transport is not None:
            self.transport.check()
        if self._segments is not None:
            self._segments.check()
        if self.application is not None:
            self.application.check()

    def check_soon(self) -> None:
        """Like `check()`, for CAUSE_SECONDS, because a part may still be dying."""
        deadline = time.monotonic() + CAUSE_SECONDS
        while time.monotonic() < deadline:
            self.check()
            time.sleep(0.1)

    def stop(self) -> None:
        """End every process and worker in the order of the data's flow, then raise the first error."""
        errors: list[Exception] = []
        parts = (self._synthesis, *self.event_sources, self.application, self._segments, self.transport)
        for part in (*parts, *self.delivery_streams.values(), self.emulator, self._opensearch):
            try:
                if part is not None:
                    part.stop()
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not keep the twin from ending its processes, which takes seconds."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _ASK_TO_END}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _asked_to_end_afterwards() -> Iterator[None]:
    """Delays Ctrl-C to the end of this block: the processes and folders of a half-made twin could not be
    cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda signalled, _frame: asked.append(signalled))
        for number in _ASK_TO_END
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        signal.raise_signal(asked[0])


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
def running_twin(faults: DeliveryFaults | None = None) -> Iterator[Twin]:
    """A twin whose OpenSearch and emulated AWS are starting; call `deploy()`.

    The working folder with all logs is removed at the end, unless an error ended the block or `keep_logs()`
    was called.
    """
    transport = chosen_transport()
    work = Path(tempfile.mkdtemp(prefix="click-trends-twin-"))
    twin: Twin | None = None
    try:
        with _asked_to_end_afterwards():
            twin = Twin(work, transport, faults or DeliveryFaults())
        with _root_cause_first(twin):
            yield twin
    except BaseException as error:
        if twin is not None:
            with _undisturbed(), suppress(Exception):  # shows the first error
                twin.stop()
        if isinstance(error, Exception) and any(work.iterdir()):
            error.add_note(f"the twin's logs are in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
        raise
    try:
        with _undisturbed():
            twin.stop()
    except TwinError as error:
        error.add_note(f"the twin's logs are in {work}")
        raise
    if twin.logs_are_kept:
        print(f"the twin's logs are in {work}")
    else:
        shutil.rmtree(work, ignore_errors=True)
