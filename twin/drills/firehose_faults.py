"""Faults of Firehose: what it takes, what it may deliver, and how often it does."""

import json
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import replace

from names import OREGON
from twin.drills.fault import Fault
from twin.drills.permissions import ALLOW, allow_command, are_allowed, deny
from twin.drills.run import DrilledRun
from twin.refusing_streams import REFUSING_PATH
from twin.twin import Twin


def _repeats(run: DrilledRun) -> Callable[[], None]:
    streams = list(run.twin.delivery_streams.values())
    before = [stream.faults for stream in streams]
    for stream in streams:
        stream.faults = replace(stream.faults, repeated=1.0)

    def as_before() -> None:
        for stream, faults in zip(streams, before, strict=True):
            stream.faults = faults

    return as_before


def _refuses(run: DrilledRun) -> Callable[[], None]:
    def refuse(names: Sequence[str]) -> None:
        url = f"{run.twin.emulator.endpoint}{REFUSING_PATH}"
        urllib.request.urlopen(url, data=json.dumps(names).encode(), timeout=30).close()

    refuse(list(run.twin.delivery_streams))
    return lambda: refuse([])


def _roles(twin: Twin) -> list[str]:
    """Of all delivery streams."""
    firehose = twin.emulator.client("firehose", OREGON)
    roles = set()
    for name in twin.delivery_streams:
        described = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        [destination] = described["Destinations"]
        kind = destination.get("AmazonopensearchserviceDestinationDescription")
        arn = (kind or destination["ExtendedS3DestinationDescription"])["RoleARN"]
        roles.add(arn.rsplit("/", 1)[-1])
    return sorted(roles)


def _may_not_deliver(run: DrilledRun) -> None:
    deny(run.twin, _roles(run.twin), "s3:PutObject", "es:*")


FIREHOSE_FAULTS = (
    Fault(
        name="firehose-refuses",
        what="Firehose takes no record: it answers ServiceUnavailableException, as above its quota",
        seen="the newest count grows old",
        runbook="ThrottledRecords",
        cause=_refuses,
        lasts_seconds=30,
    ),
    Fault(
        name="firehose-denied",
        what="a policy denies the roles of all delivery streams to write into bucket and domain",
        seen="the newest count grows old; no object comes into raw/ and rejected/",
        runbook="NothingWritten",
        cause=_may_not_deliver,
        command=lambda twin: allow_command(_roles(twin)),
        operation=ALLOW,
        over=lambda twin: are_allowed(twin, _roles(twin)),
    ),
    Fault(
        name="firehose-repeats",
        what="Firehose makes every delivery twice",
        seen="nothing",
        runbook=None,
        cause=_repeats,
        lasts_seconds=30,
    ),
)
