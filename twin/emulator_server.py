"""The process of the emulated AWS: MiniStack, without the two services that the twin's workers provide.

Run as `python -m twin.emulator_server` with MiniStack's environment variables plus
  SEARCH_GATEWAY_PORT   port on which the search domain answers (see twin/search_gateway.py)
  OPENSEARCH_ENDPOINT   http://host:port of the OpenSearch server behind the domain
  FLINK_JOBS            `twin` if the twin runs them; otherwise an application is RUNNING without a job
  JOB_MINUTES           `ahead` if it reports the next minute at once: see twin/managed_flink.py
  TWIN_CLOCK_FACTOR, TWIN_CLOCK_ORIGIN   the clock of alarms and schedules: twin/alarms/clock.py

Changes to MiniStack, and why:
- every request counts as TLS, because the bucket policies require it and loopback does not;
- its Kinesis event source is off: twin/event_source.py does partial failures, bisecting and retries;
- its streams stay fast however many records they hold: twin/stream_expiry.py;
- its Firehose keeps records and delivers nothing: twin/delivery_stream.py fetches them from GET
  /_twin/delivery-streams/<region>/<name>/records and delivers as Firehose does, with the role in the
  template;
- with FLINK_JOBS=twin, the twin runs the jobs of Managed Service for Apache Flink: twin/flink_commands.py;
- a shard can be stalled: twin/stalled_shards.py;
- a shard that is split or merged keeps its records: twin/resharding.py;
- a stream can be unreachable: twin/unreachable_streams.py;
- a delivery stream can refuse its records: twin/refusing_streams.py;
- a stream can refuse some of its puts, copies in S3 be slow: twin/service_faults.py;
- CloudWatch answers a query over metrics: twin/metrics.py;
- services and functions send the metrics that alarms need: twin/alarms/service_metrics.py;
- alarms are evaluated by the twin, on its clock: twin/alarms/emulated.py;
- schedules follow that clock: twin/alarms/schedules.py;
- Managed Service for Apache Flink has operations, which fail on demand, and a job's metric:
  twin/managed_flink.py;
- aws:PrincipalArn of a role's session is the role: twin/role_sessions.py;
- a copy in S3 may depend on nothing being there yet: twin/conditional_copy.py;
- it decides whether a role may call Managed Service for Apache Flink: twin/flink_permissions.py;
- identity pools refuse guests, the classic flow and roles that do not trust them: twin/identity_pools.py;
- the search domain's access policy takes part in authorising requests to the domain, and requests about a
  domain name that domain: twin/domain_arns.py;
- the search domain tells its health: twin/domain_health.py.

The patched names are private to MiniStack, so its version is pinned and `_require` checks each at start.
"""

import asyncio
import base64
import importlib.metadata
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from types import ModuleType
from typing import Any

import ministack.app
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.core import iam_actions, iam_evaluator
from ministack.services import (
    cloudwatch,
    cognito,
    eventbridge,
    firehose,
    kinesis,
    kinesisanalyticsv2,
    lambda_svc,
    opensearch,
    s3,
    scheduler,
    sts,
)
from ministack.services import kinesisanalyticsv2_flink as flink
from ministack.services.cloudformation import provisioners

from names import TWIN_ACCOUNT
from twin import (
    conditional_copy,
    domain_arns,
    domain_health,
    flink_commands,
    flink_permissions,
    identity_pools,
    managed_flink,
    metrics,
    permission_calls,
    refusing_streams,
    resharding,
    role_sessions,
    service_faults,
    snapshot_state,
    stalled_shards,
    stream_expiry,
    unreachable_streams,
)
from twin.alarms import emulated, schedules, service_metrics
from twin.alarms.clock import clock_of
from twin.search_gateway import SearchGateway

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PINNED_VERSION = "1.5.33"
RECORDS_PATH = "/_twin/delivery-streams/"
MAX_RECORDS_A_FETCH = 10_000
KEEP_ALIVE_SECONDS = 75
FAULTS = {
    unreachable_streams.UNREACHABLE_PATH: unreachable_streams.be_unreachable,
    refusing_streams.REFUSING_PATH: refusing_streams.refuse,
    service_faults.FAULTS_PATH: service_faults.set_service_faults,
}
"""By the path of a request whose body says what is to fail."""


def _require(module: ModuleType, *names: str) -> None:
    """Raise RuntimeError if MiniStack no longer has a name that the twin replaces or reads."""
    missing = [name for name in names if not hasattr(module, name)]
    version = importlib.metadata.version("ministack")
    if missing or version != PINNED_VERSION:
        raise RuntimeError(
            f"the twin is made for ministack {PINNED_VERSION}, here is {version}"
            f" (missing in {module.__name__}: {', '.join(missing) or 'nothing'}); run `make setup`"
        )


def _deliver_nothing(*_: object) -> None:
    """Records stay in the delivery stream until the twin's worker fetches them."""


_describe_destination = firehose._dest_description


def _describe_as_the_api(destination: dict[str, Any]) -> Any:
    """MiniStack gives the search destination a name that SDKs drop, and omits FileExtension."""
    described = _describe_destination(destination)
    if extension := destination["config"].get("FileExtension"):
        described["ExtendedS3DestinationDescription"]["FileExtension"] = extension
    search = described.pop("AmazonOpenSearchDestinationDescription", None)
    if search is not None:
        search = {**search, "S3DestinationDescription": search["S3Configuration"]}
        described["AmazonopensearchserviceDestinationDescription"] = search
    return described


def _poll_nothing() -> bool:
    return False


def _domain_policy_for_arn(resource_arn: str) -> tuple[Any, str] | None:
    """The access policy of the domain that `resource_arn` is in, and the account that owns it."""
    domain_arn = "/".join(resource_arn.split("/")[:2])
    for record in opensearch._domains.values():
        if record["ARN"] == domain_arn:
            return record["AccessPolicies"], domain_arn.split(":")[4]
    return None


def replace_services() -> None:
    """Turn off what the twin's workers replace, and enforce policies that MiniStack ignores."""
    _require(lambda_svc, "_poll_kinesis")
    _require(kinesis, *stream_expiry.NEEDED_OF_KINESIS)
    _require(firehose, "_deliver_records_to_s3", "ingest_from_kinesis_source", "_dest_description")
    _require(firehose, "_streams", "_lock")
    _require(opensearch, *domain_health.NEEDED_OF_OPENSEARCH)
    domain_health.answer_health(opensearch, os.environ["OPENSEARCH_ENDPOINT"])
    _require(iam_evaluator, "_RESOURCE_POLICY_LOOKUPS", "enforce", "pin_signed_request", "pin_signed_body")
    _require(iam_actions, *domain_arns.NEEDED_OF_IAM_ACTIONS, *flink_permissions.NEEDED_OF_IAM_ACTIONS)
    _require(cognito, *identity_pools.NEEDED_OF_COGNITO)
    _require(sts, *identity_pools.NEEDED_OF_STS)
    _require(flink, *flink_commands.NEEDED_OF_FLINK)
    _require(provisioners, *emulated.NEEDED_OF_PROVISIONERS)
    lambda_svc._poll_kinesis = _poll_nothing
    stream_expiry.expire_the_oldest(kinesis)
    firehose._deliver_records_to_s3 = _deliver_nothing
    firehose.ingest_from_kinesis_source = _deliver_nothing
    firehose._dest_description = _describe_as_the_api
    opensearch.domain_policy_for_arn = _domain_policy_for_arn
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["es"] = ("opensearch", "domain_policy_for_arn")
    _require(
        iam_evaluator,
        *role_sessions.NEEDED_OF_IAM_EVALUATOR,
        *permission_calls.NEEDED_OF_IAM_EVALUATOR,
    )
    role_sessions.compare_roles(iam_evaluator)
    permission_calls.record_to_file(iam_evaluator)
    domain_arns.read_domains_from_paths(iam_actions)
    flink_permissions.decide(iam_actions, iam_evaluator)
    identity_pools.refuse_as_cognito_does()
    emulated.take_alarms_on_expressions(provisioners)
    emulated.turn_own_evaluator_off()
    _require(kinesisanalyticsv2, *managed_flink.NEEDED_OF_FLINK)
    _require(cloudwatch, *managed_flink.NEEDED_OF_CLOUDWATCH)
    _require(s3, *snapshot_state.NEEDED_OF_S3)
    _require(s3, *conditional_copy.NEEDED_OF_S3, *service_faults.NEEDED_OF_S3)
    conditional_copy.refuse_copies_over(s3)
    managed_flink.add_operations()
    _require(cloudwatch, *metrics.NEEDED_OF_CLOUDWATCH, *emulated.NEEDED_OF_CLOUDWATCH)
    _require(kinesis, *stalled_shards.NEEDED_OF_KINESIS)
    stalled_shards.stall_shards(kinesis)
    _require(kinesis, *resharding.NEEDED_OF_KINESIS, *unreachable_streams.NEEDED_OF_KINESIS)
    resharding.close_shards(kinesis)
    metrics.answer_queries(cloudwatch)
    _require(kinesis, *service_metrics.NEEDED_OF_KINESIS, *service_faults.NEEDED_OF_KINESIS)
    _require(firehose, *service_metrics.NEEDED_OF_FIREHOSE)
    _require(lambda_svc, *service_metrics.NEEDED_OF_LAMBDA)
    service_metrics.send_service_metrics()
    unreachable_streams.refuse_puts(kinesis)
    _require(firehose, *refusing_streams.NEEDED_OF_FIREHOSE)
    refusing_streams.refuse_puts(firehose, service_metrics.add)
    service_faults.cause_service_faults()
    _require(eventbridge, *schedules.NEEDED_OF_EVENTBRIDGE)
    _require(scheduler, *schedules.NEEDED_OF_SCHEDULER)


def take_records(region: str, name: str) -> list[bytes]:
    """Remove and return the oldest records of a delivery stream, at most MAX_RECORDS_A_FETCH."""
    with firehose._lock:
        stream = firehose._streams.get_scoped(TWIN_ACCOUNT, region, name)
        if not stream:
            return []
        held = stream["destinations"][0]["records"]
        taken = held[:MAX_RECORDS_A_FETCH]
        del held[:MAX_RECORDS_A_FETCH]
    return [base64.b64decode(record["data"]) for record in taken]


def _records(path: str) -> bytes:
    region, name, _ = path.removeprefix(RECORDS_PATH).split("/")
    records = [base64.b64encode(record).decode() for record in take_records(region, name)]
    return json.dumps(records).encode()


async def _body_of(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class EmulatorGateway:
    """The ASGI application: the twin's own paths, the search domain on its port, and MiniStack."""

    def __init__(self, aws: Any, gateway: SearchGateway, gateway_port: int) -> None:
        self._aws = aws
        self._gateway = gateway
        self._gateway_port = gateway_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._aws(scope, receive, send)
        elif scope["server"][1] == self._gateway_port:
            await self._gateway(scope, receive, send)
        elif scope["path"] == emulated.ALARMS_PATH:
            await _answer(send, emulated.described())
        elif scope["path"].startswith(RECORDS_PATH):
            await _answer(send, _records(scope["path"]))
        elif scope["path"].startswith(managed_flink.FAULTS_PATH):
            managed_flink.set_faults(scope["path"], await _body_of(receive))
            await _answer(send, b"{}")
        elif scope["path"].startswith(stalled_shards.STREAMS_PATH):
            stalled_shards.stall(scope["path"], await _body_of(receive))
            await _answer(send, b"{}")
        elif causes := FAULTS.get(scope["path"]):
            causes(await _body_of(receive))
            await _answer(send, b"{}")
        elif scope["path"].startswith(flink_commands.COMMANDS_PATH):
            if scope["method"] == "POST":
                await _answer(send, flink_commands.answer_command(scope["path"], await _body_of(receive)))
            else:
                await _answer(send, flink_commands.take_command(scope["path"]))
        else:
            scope["headers"] = [*scope["headers"], (b"x-forwarded-proto", b"https")]
            await self._aws(scope, receive, send)


def main() -> None:
    replace_services()
    clock = clock_of()
    schedules.follow(clock)
    emulated.AlarmEvaluator(clock).start()
    if os.environ.get("FLINK_JOBS") == "twin":
        flink_commands.replace_docker_by_commands()
    gateway_port = int(os.environ["SEARCH_GATEWAY_PORT"])
    emulator = EmulatorGateway(
        ministack.app.app, SearchGateway(os.environ["OPENSEARCH_ENDPOINT"]), gateway_port
    )
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}", f"127.0.0.1:{gateway_port}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.loglevel = os.environ["LOG_LEVEL"]
    asyncio.run(serve(emulator, config))


if __name__ == "__main__":
    main()
