"""What is done to parts of a running twin, and how it is undone: each a pair of functions of the twin."""

import io
import json
import threading
import urllib.request
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from names import OREGON, TOKYO, Names
from twin.processes import wait_for
from twin.refusing_streams import REFUSING_PATH
from twin.service_faults import FAULTS_PATH
from twin.stalled_shards import STREAMS_PATH
from twin.twin import Twin

Act = Callable[[Twin], None]
NameOf = Callable[[Names], str]
POLICY = "fault"
PAUSE_SECONDS = 0.2
START_SECONDS = 300.0


class Pair(NamedTuple):
    cause: Act
    end: Act


def nothing(_: Twin) -> None:
    """The fault has ended by itself, or is no lasting one."""


def each(*pairs: Pair) -> Pair:
    """All of them, ended in the opposite order."""

    def cause(twin: Twin) -> None:
        for pair in pairs:
            pair.cause(twin)

    def end(twin: Twin) -> None:
        for pair in reversed(pairs):
            pair.end(twin)

    return Pair(cause, end)


def denied(role: NameOf, *actions: str) -> Pair:
    """The role loses the permission for these actions."""
    return _denied(lambda twin: role(twin.names), actions)


def application_denied(*actions: str) -> Pair:
    """The application's role loses the permission for these actions."""

    def role(twin: Twin) -> str:
        assert twin.application is not None, "the twin is not deployed"
        return twin.application.role_arn.rsplit("/", 1)[-1]

    return _denied(role, actions)


def delivery_denied(stream: NameOf) -> Pair:
    """The delivery stream's role may write nowhere."""

    def role(twin: Twin) -> str:
        answer = twin.emulator.client("firehose", OREGON).describe_delivery_stream(
            DeliveryStreamName=stream(twin.names)
        )
        destination = answer["DeliveryStreamDescription"]["Destinations"][0]
        described = destination.get("AmazonopensearchserviceDestinationDescription")
        described = described or destination["ExtendedS3DestinationDescription"]
        return str(described["RoleARN"].rsplit("/", 1)[-1])

    return _denied(role, ["es:*", "s3:*"])


def _denied(role: Callable[[Twin], str], actions: Sequence[str]) -> Pair:
    def cause(twin: Twin) -> None:
        statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
        twin.emulator.client("iam", OREGON).put_role_policy(
            RoleName=role(twin),
            PolicyName=POLICY,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    def end(twin: Twin) -> None:
        twin.emulator.client("iam", OREGON).delete_role_policy(RoleName=role(twin), PolicyName=POLICY)

    return Pair(cause, end)


def throttled(function: NameOf, region: str, *, invoked: bool = False) -> Pair:
    """Its reserved concurrency is 0. invoked: once, as nothing else does."""

    def cause(twin: Twin) -> None:
        name = function(twin.names)
        twin.emulator.client("lambda", region).put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=0
        )
        if invoked:
            invoke(function, region, {})(twin)

    def end(twin: Twin) -> None:
        twin.emulator.client("lambda", region).delete_function_concurrency(FunctionName=function(twin.names))

    return Pair(cause, end)


def invoke(function: NameOf, region: str, event: Mapping[str, Any]) -> Act:
    def invoked(twin: Twin) -> None:
        client = twin.emulator.client("lambda", region)
        try:
            client.invoke(FunctionName=function(twin.names), Payload=json.dumps(event))
        except client.exceptions.TooManyRequestsException:
            return  # as wanted

    return invoked


def rule_off(rule: NameOf) -> Pair:
    def cause(twin: Twin) -> None:
        twin.emulator.client("events", OREGON).disable_rule(Name=rule(twin.names))

    def end(twin: Twin) -> None:
        twin.emulator.client("events", OREGON).enable_rule(Name=rule(twin.names))

    return Pair(cause, end)


def mapping_changed(during: Mapping[str, Any], after: Mapping[str, Any]) -> Pair:
    """Of the forwarder's event source mapping."""

    def change(settings: Mapping[str, Any]) -> Act:
        def changed(twin: Twin) -> None:
            client = twin.emulator.client("lambda", TOKYO)
            [mapping] = client.list_event_source_mappings()["EventSourceMappings"]
            client.update_event_source_mapping(UUID=mapping["UUID"], **settings)

        return changed

    return Pair(change(during), change(after))


def without_variable(function: NameOf, region: str, variable: str) -> Pair:
    """The function is deployed without one of its environment variables."""
    former: dict[str, str] = {}

    def change(twin: Twin, variables: dict[str, str]) -> None:
        twin.emulator.client("lambda", region).update_function_configuration(
            FunctionName=function(twin.names), Environment={"Variables": variables}
        )

    def cause(twin: Twin) -> None:
        client = twin.emulator.client("lambda", region)
        found = client.get_function_configuration(FunctionName=function(twin.names))
        former.update(found["Environment"]["Variables"])
        change(twin, {name: value for name, value in former.items() if name != variable})

    return Pair(cause, lambda twin: change(twin, former))


def with_bug(function: NameOf, region: str, file: str, code: str) -> Pair:
    """The function is deployed with this code at the end of one of its files."""
    former: list[bytes] = []

    def change(twin: Twin, package: bytes) -> None:
        twin.emulator.client("lambda", region).update_function_code(
            FunctionName=function(twin.names), ZipFile=package
        )

    def cause(twin: Twin) -> None:
        found = twin.emulator.client("lambda", region).get_function(FunctionName=function(twin.names))
        with urllib.request.urlopen(found["Code"]["Location"], timeout=30) as answer:
            former.append(answer.read())
        change(twin, _with_code(former[-1], file, code))

    return Pair(cause, lambda twin: change(twin, former[-1]))


def _with_code(package: bytes, file: str, code: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as read, zipfile.ZipFile(written, "w") as changed:
        for name in read.namelist():
            changed.writestr(name, read.read(name) + (code.encode() if name == file else b""))
    return written.getvalue()


def _post(twin: Twin, path: str, said: object) -> None:
    urllib.request.urlopen(
        f"{twin.emulator.endpoint}{path}", data=json.dumps(said).encode(), timeout=30
    ).close()


def stalled(stream: NameOf, region: str) -> Pair:
    """Its shards give their consumers nothing."""

    def stall(twin: Twin, shards: list[str]) -> None:
        _post(twin, f"{STREAMS_PATH}{region}/{stream(twin.names)}/stalled", shards)

    def cause(twin: Twin) -> None:
        kinesis = twin.emulator.client("kinesis", region)
        shards = kinesis.list_shards(StreamName=stream(twin.names))["Shards"]
        stall(twin, [shard["ShardId"] for shard in shards])

    return Pair(cause, lambda twin: stall(twin, []))


def puts_refused(*streams: NameOf) -> Pair:
    """Kinesis refuses some calls that put into these streams."""

    def cause(twin: Twin) -> None:
        _post(twin, FAULTS_PATH, {"throttled": [stream(twin.names) for stream in streams]})

    return Pair(cause, lambda twin: _post(twin, FAULTS_PATH, {"throttled": []}))


def deliveries_refused() -> Pair:
    """Firehose refuses every put."""
    return Pair(
        lambda twin: _post(twin, REFUSING_PATH, list(twin.delivery_streams)),
        lambda twin: _post(twin, REFUSING_PATH, []),
    )


def slow_copies(taking: timedelta) -> Pair:
    def cause(twin: Twin) -> None:
        _post(twin, FAULTS_PATH, {"copy_seconds": taking.total_seconds()})

    return Pair(cause, lambda twin: _post(twin, FAULTS_PATH, {"copy_seconds": 0}))


def _injected(sent: Callable[[Twin], dict[str, float]], metric: str, value: float) -> Pair:
    def cause(twin: Twin) -> None:
        sent(twin)[metric] = value

    def end(twin: Twin) -> None:
        del sent(twin)[metric]

    return Pair(cause, end)


def of_domain(metric: str, value: float) -> Pair:
    """OpenSearch Service sends this value."""

    def sent(twin: Twin) -> dict[str, float]:
        assert twin.metrics is not None, "the twin is not deployed"
        return twin.metrics.domain.injected

    return _injected(sent, metric, value)


def of_job(metric: str, value: float) -> Pair:
    """Managed Service for Apache Flink sends this value."""

    def sent(twin: Twin) -> dict[str, float]:
        assert twin.application is not None, "the twin is not deployed"
        return twin.application.metrics.injected

    return _injected(sent, metric, value)


def flooded(
    stream: NameOf,
    region: str,
    record: Callable[[], bytes],
    *,
    a_call: int,
    pause_seconds: float = PAUSE_SECONDS,
) -> Pair:
    """Somebody puts as many such records again and again. pause_seconds: of the wall."""
    stop = threading.Event()
    flooding: list[threading.Thread] = []

    def flood(twin: Twin) -> None:
        kinesis, name = twin.emulator.client("kinesis", region), stream(twin.names)
        while not stop.is_set():
            records = [{"Data": record(), "PartitionKey": str(number)} for number in range(a_call)]
            with suppress(ClientError):  # throttled by another fault
                kinesis.put_records(StreamName=name, Records=records)
            stop.wait(pause_seconds)

    def cause(twin: Twin) -> None:
        stop.clear()
        flooding.append(threading.Thread(target=flood, args=(twin,), daemon=True))
        flooding[-1].start()

    def end(_: Twin) -> None:
        stop.set()
        flooding.pop().join()

    return Pair(cause, end)


def writes_blocked(index: NameOf) -> Pair:
    """The indices refuse writes, as a full disk makes them do."""

    def block(twin: Twin, *, blocked: bool) -> None:
        urllib.request.urlopen(
            urllib.request.Request(
                f"{twin.opensearch_endpoint}/{index(twin.names)}/_settings",
                data=json.dumps({"index.blocks.write": blocked or None}).encode(),
                headers={"content-type": "application/json"},
                method="PUT",
            ),
            timeout=30,
        ).close()

    return Pair(lambda twin: block(twin, blocked=True), lambda twin: block(twin, blocked=False))


def _status(twin: Twin) -> str:
    assert twin.application is not None, "the twin is not deployed"
    return str(twin.application.detail()["ApplicationStatus"])


def _flink_stops(twin: Twin) -> None:
    service = twin.emulator.client("kinesisanalyticsv2", OREGON)
    service.stop_application(ApplicationName=twin.names.application, Force=False)


def _flink_starts(twin: Twin) -> None:
    service = twin.emulator.client("kinesisanalyticsv2", OREGON)
    service.start_application(ApplicationName=twin.names.application)
    wait_for(
        lambda: _status(twin) == "RUNNING",
        what="the application RUNNING",
        timeout_seconds=START_SECONDS,
        poll_seconds=0.5,
        seen=lambda: _status(twin),
    )


FLINK_STOPPED = Pair(_flink_stops, _flink_starts)
