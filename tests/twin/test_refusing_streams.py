"""Firehose that takes no records, as above its quota, and who puts them nevertheless."""

import json
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config

from names import OREGON, TWIN_ACCOUNT
from twin.emulator import Emulator
from twin.refusing_streams import REFUSING_PATH
from twin.transport import FilesTransport

STREAM = "refusing"
ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def firehose(emulator: Emulator) -> Any:
    client = emulator.client("firehose", OREGON, ONCE)
    role = f"arn:aws:iam::{TWIN_ACCOUNT}:role/any"
    client.create_delivery_stream(
        DeliveryStreamName=STREAM,
        ExtendedS3DestinationConfiguration={"RoleARN": role, "BucketARN": "arn:aws:s3:::any"},
    )
    yield client
    refuse(emulator)
    client.delete_delivery_stream(DeliveryStreamName=STREAM)


def refuse(emulator: Emulator, *names: str) -> None:
    url = f"{emulator.endpoint}{REFUSING_PATH}"
    urllib.request.urlopen(url, data=json.dumps(names).encode(), timeout=30).close()


def throttled(emulator: Emulator) -> float:
    now = datetime.now(UTC)
    found = emulator.client("cloudwatch", OREGON).get_metric_statistics(
        Namespace="AWS/Firehose",
        MetricName="ThrottledRecords",
        Dimensions=[{"Name": "DeliveryStreamName", "Value": STREAM}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))


def test_a_refused_put_is_unavailable_and_its_records_are_throttled(
    emulator: Emulator, firehose: Any
) -> None:
    refuse(emulator, STREAM, "another")
    records = [{"Data": b"1"}, {"Data": b"2"}]
    with pytest.raises(firehose.exceptions.ServiceUnavailableException):
        firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records)
    with pytest.raises(firehose.exceptions.ServiceUnavailableException):
        firehose.put_record(DeliveryStreamName=STREAM, Record=records[0])
    assert throttled(emulator) == 3
    refuse(emulator)
    assert firehose.put_record_batch(DeliveryStreamName=STREAM, Records=records)["FailedPutCount"] == 0


class UnavailableError(Exception):
    """Firehose's."""


class Refusing:
    """Firehose that takes a batch only at the `taken_at`th put."""

    exceptions = SimpleNamespace(ServiceUnavailableException=UnavailableError)

    def __init__(self, taken_at: float) -> None:
        self._left = taken_at
        self.puts = 0
        self.taken: list[bytes] = []

    def put_record_batch(self, *, Records: list[dict[str, bytes]], **_: object) -> Any:  # noqa: N803
        self.puts += 1
        if self.puts < self._left:
            raise UnavailableError
        self.taken += [record["Data"] for record in Records]
        return {"RequestResponses": [{}] * len(Records)}


def transport(firehose: Refusing) -> FilesTransport:
    made = FilesTransport.__new__(FilesTransport)
    made._firehose, made._ending = firehose, threading.Event()
    return made


def test_what_firehose_refuses_is_put_until_it_is_taken() -> None:
    firehose = Refusing(taken_at=3)
    transport(firehose)._put_batch(STREAM, [b"1", b"2"])
    assert (firehose.puts, firehose.taken) == (3, [b"1", b"2"])


def test_a_twin_ends_while_firehose_refuses() -> None:
    firehose = Refusing(taken_at=float("inf"))
    ending = transport(firehose)
    ending._ending.set()
    ending._put_batch(STREAM, [b"1"])
    assert firehose.puts == 1
