"""Oregon as the tests see it: a source stream and what arrived there."""

import json
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambdas.forwarder.configuration import ForwarderConfiguration
from lambdas.forwarder.forwarding import BatchForwarder
from lambdas.forwarder.kinesis_event import read_event
from names import REJECTED_RECORDS_PREFIX
from tests.lambdas.forwarder.events import event, sequence_number

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef
    from mypy_boto3_s3 import S3Client

MAX_ATTEMPTS = 50


@dataclass(frozen=True, kw_only=True)
class Site:
    """A test's own source stream and dead-letter bucket, both named `name`."""

    name: str
    kinesis: "KinesisClient"
    s3: "S3Client"

    @property
    def environment(self) -> dict[str, str]:
        """The function's environment, as the infrastructure sets it."""
        return {
            "DESTINATION_SOURCE_STREAM": f"arn:aws:kinesis:us-west-2:000000000000:stream/{self.name}",
            "DEAD_LETTER_BUCKET": self.name,
            "DEAD_LETTER_PREFIX": REJECTED_RECORDS_PREFIX,
            "RECORD_BYTES": "25000",
            "REQUESTS_IN_FLIGHT": "4",
            "AWS_REGION": "ap-northeast-1",
        }

    def forwarder(self, *, record_bytes: int = 25_000) -> BatchForwarder:
        environment = {**self.environment, "RECORD_BYTES": str(record_bytes)}
        return BatchForwarder(ForwarderConfiguration.read(environment))

    def arrived(self) -> Counter[bytes]:
        """How often each line is in the source stream."""
        return Counter(
            line
            for records in self.records_by_shard().values()
            for record in records
            for line in record["Data"].splitlines(keepends=True)
        )

    def records_by_shard(self) -> "dict[str, list[RecordTypeDef]]":
        found: dict[str, list[RecordTypeDef]] = {}
        for shard in self.kinesis.list_shards(StreamName=self.name)["Shards"]:
            found[shard["ShardId"]] = []
            iterator = self.kinesis.get_shard_iterator(
                StreamName=self.name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while records := (answer := self.kinesis.get_records(ShardIterator=iterator))["Records"]:
                found[shard["ShardId"]] += records
                iterator = answer["NextShardIterator"]
        return found

    def dead_letters(self) -> dict[str, list[dict[str, Any]]]:
        """The letters of each object, by its key."""
        listed = self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {
            item["Key"]: [
                json.loads(line)
                for line in self.s3.get_object(Bucket=self.name, Key=item["Key"])["Body"].read().splitlines()
            ]
            for item in listed
        }

    def rejected(self) -> Counter[bytes]:
        """How often each click or record is in the dead letters, by its original bytes."""
        return Counter(
            b64decode(letter["data"]) for letters in self.dead_letters().values() for letter in letters
        )


def carry(forwarder: BatchForwarder, records: list[bytes], *, seconds: float = 20.0) -> int:
    """Invoke with the batch as Lambda does, until it is done. Returns the number of attempts."""
    first = 0
    for attempt in range(1, MAX_ATTEMPTS + 1):
        repeat_from = forwarder.forward(read_event(event(records[first:], first=first)), seconds)
        if repeat_from is None:
            return attempt
        first = int(repeat_from.sequence_number) - int(sequence_number(0))
    raise AssertionError(f"not done after {MAX_ATTEMPTS} attempts")
