"""The whole system on this machine: start it, reach it by the roles of the templates, stop it and leave
nothing."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from batch_server import CountTotals, TrendingReader, connect
from mobile_client.delivery import Stream
from names import OREGON, TOKYO, TWIN_ACCOUNT, Names, segments_version_key
from stacks.app import synthesise
from traffic.record import EntryPoint
from traffic.send import TRAFFIC_CLIENT_CONFIG
from twin.accounting import Accounts, take_accounts
from twin.analytics import AWS_JAR, EmulatedApplication, connector_properties, file_properties
from twin.delivery_stream import EmulatedDeliveryStream
from twin.deployment import deploy
from twin.emulator import Emulator
from twin.event_source import EventSource, start_event_sources
from twin.mobile_app import MobileApp
from twin.opensearch import OpenSearchServer
from twin.processes import TwinError
from twin.transport import FilesTransport, SegmentsFolder

ENVIRONMENT = "local"
Transport = Literal["files", "aws"]
# OpenSearch holds counts of clicks up to a day old; two more days cover a clock ahead and a day's border.
_COUNTED_SPAN = timedelta(days=3)


def chosen_transport() -> Transport:
    """From TRANSPORT; without it `aws` where the jar with the AWS connectors is built, else `files`."""
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

    def __init__(self, work: Path, transport: Transport) -> None:
        self.names = Names(environment=ENVIRONMENT, account=TWIN_ACCOUNT)
        self.work = work
        self._transport_kind = transport
        self._opensearch = OpenSearchServer(work / "opensearch.log")
        self.emulator = Emulator(opensearch_endpoint=self._opensearch.endpoint, log=work / "ministack.log")
        self.delivery_streams: dict[str, EmulatedDeliveryStream] = {}
        self.event_sources: list[EventSource] = []
        self.transport: FilesTransport | None = None
        self._segments: SegmentsFolder | None = None
        self.application: EmulatedApplication | None = None
        self.mobile_app: MobileApp
        """Of a reader who is logged in; there after `deploy()`."""

    @property
    def opensearch_endpoint(self) -> str:
        """OpenSearch itself, past IAM: for tests that look at documents."""
        return self._opensearch.endpoint

    def search_goes_away(self) -> None:
        """End OpenSearch as a machine that loses power would; its data stays."""
        self._opensearch.go_away()

    def search_comes_back(self) -> None:
        self._opensearch.come_back()

    def deploy(self) -> None:
        """Synthesise and create the stacks; start what AWS runs for them, but not the application."""
        with ThreadPoolExecutor() as pool:
            assembly = pool.submit(synthesise, ENVIRONMENT, self.work / "cdk.out")
            self.emulator.wait_until_ready()
            self._opensearch.wait_until_ready()
            deploy(assembly.result(), self.emulator)
        journal = self.work / "delivered"
        journal.mkdir()
        deployed = self.emulator.client("firehose", OREGON).list_delivery_streams(Limit=100)
        for name in deployed["DeliveryStreamNames"]:
            self.delivery_streams[name] = EmulatedDeliveryStream(self.emulator, name, journal)
        self.event_sources = start_event_sources(self.emulator)
        self.mobile_app = MobileApp(self.emulator, self.names)

    def publish_segments(self, csv: bytes, valid_from: datetime) -> str:
        """Publish a version of the segments; returns its key in the segments bucket."""
        key = segments_version_key(valid_from)
        s3 = self.emulator.client("s3", OREGON)
        s3.put_object(Bucket=self.names.segments_bucket, Key=key, Body=csv)
        return key

    def start_application(self) -> None:
        """Start Flink as the application's lifecycle resource asked for."""
        application = EmulatedApplication(self.emulator, self.names, self.work / "flink")
        self.application = application
        role = application.role_arn
        folder = self.work / "segments"
        self._segments = SegmentsFolder(self.emulator, self.names, application_role_arn=role, folder=folder)
        if self._transport_kind == "aws":
            tables = connector_properties(self.emulator, application.properties)
        else:
            root = self.work / "transport"
            self.transport = FilesTransport(
                self.emulator, application.properties, application_role_arn=role, root=root
            )
            tables = file_properties(root, application.properties)
        segments = {**application.properties["segments"], "path": folder.as_uri()}
        application.start({**tables, "segments": segments})

    def producers(self) -> dict[EntryPoint, Stream]:
        """Where clicks enter: the mobile stream with what Cognito vends to a reader's app, and the source
        stream with a web server's permissions."""
        names = self.names
        web_server = names.role_arn(names.web_server_role)
        web = self.emulator.client_as(web_server, "kinesis", OREGON, TRAFFIC_CLIENT_CONFIG)
        return {
            EntryPoint.MOBILE: self.mobile_app.stream(TRAFFIC_CLIENT_CONFIG),
            EntryPoint.WEB: Stream(web, names.source_stream),
        }

    def reader(self) -> TrendingReader:
        """The batch server's view of the counts, with its role."""
        session = self.emulator.session_as(self.names.role_arn(self.names.batch_server_role), TOKYO)
        return connect(self.emulator.search_endpoint, session)

    def totals(self, reader: TrendingReader) -> CountTotals:
        """All counts there are, as the batch server reads them."""
        now = datetime.now(UTC)
        return reader.totals(now - _COUNTED_SPAN, now + _COUNTED_SPAN)

    def counted(self) -> int:
        """The sum of all counts, as the batch server reads it."""
        return self.totals(self.reader()).clicks

    def accounts(self) -> Accounts:
        """Where every record went, with everything delivered that has been received so far."""
        for stream in self.delivery_streams.values():
            stream.flush()
        return take_accounts(self.emulator, self.names, counted=self.counted())

    def check(self) -> None:
        """Raise TwinError when a part has died."""
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

    def stop(self) -> None:
        """End every process and worker in the order of the data's flow, then raise the first error."""
        errors: list[Exception] = []
        parts = (*self.event_sources, self.application, self._segments, self.transport)
        for part in (*parts, *self.delivery_streams.values(), self.emulator, self._opensearch):
            try:
                if part is not None:
                    part.stop()
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]


@contextmanager
def running_twin() -> Iterator[Twin]:
    """A twin with its OpenSearch and emulated AWS starting; call `deploy()`, then `start_application()`.

    The working folder with all logs is removed at the end, unless an error ended the block.
    """
    transport = chosen_transport()
    work = Path(tempfile.mkdtemp(prefix="click-trends-twin-"))
    twin = Twin(work, transport)
    try:
        yield twin
    except BaseException as error:
        with suppress(Exception):  # the first error is the one to show
            twin.stop()
        if isinstance(error, Exception):
            error.add_note(f"the twin's logs are in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
        raise
    twin.stop()
    shutil.rmtree(work, ignore_errors=True)
