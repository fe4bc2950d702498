"""The twin's emulated AWS: its delivery streams keep their records until a test fetches them."""

import base64
import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from lambdas.redelivery.configuration import RedeliveryConfiguration
from lambdas.redelivery.metrics import Outcomes
from lambdas.redelivery.redelivery import Redeliverer
from lambdas.shared.destinations import DeliveryStream, Outgoing
from names import (
    FAILED_DOCUMENTS_PREFIX,
    GIVEN_UP_DOCUMENTS_PREFIX,
    OREGON,
    WAITING_DOCUMENTS_PREFIX,
)
from tests.lambdas.redelivery.documents import INDEX, as_object
from twin.emulator import Emulator

ENOUGH_SECONDS = 55.0
GIVEN_UP = f"{GIVEN_UP_DOCUMENTS_PREFIX}counts/"
WAITING = f"{WAITING_DOCUMENTS_PREFIX}counts/"


@dataclass
class Deposit:
    """A test's own bucket and two delivery streams, `<name>-counts` and `<name>-others`."""

    name: str
    emulator: Emulator
    s3: Any
    now: float
    """Epoch seconds, as the function sees them."""

    @property
    def configuration(self) -> RedeliveryConfiguration:
        return RedeliveryConfiguration(
            bucket=self.name,
            failed_prefix=FAILED_DOCUMENTS_PREFIX,
            waiting_prefix=WAITING_DOCUMENTS_PREFIX,
            given_up_prefix=GIVEN_UP_DOCUMENTS_PREFIX,
            sinks={sink: self.arn(sink) for sink in ("counts", "others")},
            indices=dict.fromkeys(("counts", "others"), INDEX),
            first_pause_seconds=60,
            give_up_after_seconds=24 * 3600,
            records_per_second=1_000_000,
            region=OREGON,
        )

    def arn(self, sink: str) -> str:
        return f"arn:aws:firehose:{OREGON}:000000000000:deliverystream/{self.name}-{sink}"

    def redelivery(self) -> Redeliverer:
        return Redeliverer(self.configuration, clock=lambda: self.now)

    def fail(self, name: str, documents: list[Any], *, sink: str = "counts") -> str:
        """Write an object as Firehose does. Returns its key."""
        key = f"{FAILED_DOCUMENTS_PREFIX}{sink}/AmazonOpenSearchService_failed/2026/01/01/00/{name}.gz"
        self.put(key, as_object(documents))
        return key

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=content)

    def listed(self, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def taken(self, sink: str = "counts") -> list[bytes]:
        """The delivery stream's records since the last call."""
        url = f"{self.emulator.endpoint}/_twin/delivery-streams/{OREGON}/{self.name}-{sink}/records"
        found: list[bytes] = []
        while True:
            with urllib.request.urlopen(url, timeout=30) as answer:
                some = json.load(answer)
            if not some:
                return found
            found += [base64.b64decode(record) for record in some]


def run(deposit: Deposit, *, after: float = 0.0) -> Outcomes:
    """One invocation, `after` seconds from now."""
    deposit.now = time.time() + after
    return deposit.redelivery().run(ENOUGH_SECONDS)


class ScriptedDeliveryStream(DeliveryStream):
    """A delivery stream with scripted refusals; after the last it takes everything."""

    def __init__(self, *answers: str) -> None:
        super().__init__("arn:aws:firehose:us-west-2:000000000000:deliverystream/scripted", client=None)
        self._answers = list(answers)
        self.taken: list[bytes] = []

    def put(self, records: Sequence[Outgoing]) -> list[str | None]:
        answer = self._answers.pop(0) if self._answers else "all"
        codes: list[str | None] = [None] * len(records)
        if answer == "half":
            codes[::2] = ["ServiceUnavailableException"] * len(codes[::2])
        if answer == "die":
            raise SystemExit  # like a timeout
        self.taken += [record.data for record, code in zip(records, codes, strict=True) if code is None]
        return codes


def with_stream(deposit: Deposit, stream: ScriptedDeliveryStream) -> Redeliverer:
    function = deposit.redelivery()
    function._destinations["counts"] = stream
    return function


class OfAMinute:
    """The context of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        return 55_000


def published(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines in CloudWatch's embedded format."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


@pytest.fixture
def deposit(
    emulator: Emulator, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deposit]:
    name = f"t{abs(hash(request.node.name)):x}"[:20]
    for variable, value in {**emulator.client_environment(), "AWS_REGION": OREGON}.items():
        monkeypatch.setenv(variable, value)
    s3 = emulator.client("s3", OREGON)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": OREGON})
    firehose = emulator.client("firehose", OREGON)
    for sink in ("counts", "others"):
        firehose.create_delivery_stream(
            DeliveryStreamName=f"{name}-{sink}",
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::000000000000:role/any",
                "BucketARN": f"arn:aws:s3:::{name}",
            },
        )
    yield Deposit(name=name, emulator=emulator, s3=s3, now=0.0)
    for sink in ("counts", "others"):  # others ask how many of 100 are left
        with suppress(firehose.exceptions.ResourceNotFoundException):
            firehose.delete_delivery_stream(DeliveryStreamName=f"{name}-{sink}")
