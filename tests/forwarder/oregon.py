"""Oregon as the tests see it: what arrived there, and the ways in which it fails."""

import json
import threading
import urllib.request
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lambdas.forwarder.configuration import Configuration
from lambdas.forwarder.forwarding import Forwarder
from lambdas.forwarder.kinesis_event import read_event
from tests.forwarder.events import event, sequence_number

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client

PREFIX = "rejected-records/"
MOST_ATTEMPTS = 50


@dataclass(frozen=True, kw_only=True)
class Site:
    """A test's own source stream and dead-letter bucket, both called `name`."""

    name: str
    kinesis: "KinesisClient"
    s3: "S3Client"

    @property
    def environment(self) -> dict[str, str]:
        """The function's, as the infrastructure would set it."""
        return {
            "DESTINATION_SOURCE_STREAM": f"arn:aws:kinesis:us-west-2:000000000000:stream/{self.name}",
            "DEAD_LETTER_BUCKET": self.name,
            "DEAD_LETTER_PREFIX": PREFIX,
            "REQUESTS_IN_FLIGHT": "4",
            "AWS_REGION": "ap-northeast-1",
        }

    def forwarder(self) -> Forwarder:
        return Forwarder(Configuration.read(self.environment))

    def arrived(self) -> Counter[bytes]:
        """How many times each line stands in the source stream."""
        lines: Counter[bytes] = Counter()
        for shard in self.kinesis.list_shards(StreamName=self.name)["Shards"]:
            iterator = self.kinesis.get_shard_iterator(
                StreamName=self.name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while records := (answer := self.kinesis.get_records(ShardIterator=iterator))["Records"]:
                lines.update(record["Data"] for record in records)
                iterator = answer["NextShardIterator"]
        return lines

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
        """How many times each record stands in the dead letters, by its original bytes."""
        return Counter(
            b64decode(letter["data"]) for letters in self.dead_letters().values() for letter in letters
        )


def carry(forwarder: Forwarder, records: list[bytes], *, seconds: float = 20.0) -> int:
    """Hand the batch over as Lambda does, until all is done. Returns the number of attempts."""
    first = 0
    for attempt in range(1, MOST_ATTEMPTS + 1):
        repeat_from = forwarder.forward(read_event(event(records[first:], first=first)), seconds)
        if repeat_from is None:
            return attempt
        first = int(repeat_from.sequence_number) - int(sequence_number(0))
    raise AssertionError(f"not done after {MOST_ATTEMPTS} attempts")


class Faults:
    """microburst: fails requests in AWS's own way."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def set(self, *rules: dict[str, Any]) -> None:
        self._call("rules", list(rules))

    def fired(self) -> int:
        with urllib.request.urlopen(f"{self.endpoint}/_microburst/fired") as answer:
            return len(json.load(answer))

    def _call(self, path: str, body: object) -> None:
        request = urllib.request.Request(
            f"{self.endpoint}/_microburst/{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        urllib.request.urlopen(request).close()


class RefusingGate:
    """A proxy that refuses the records of PutRecords for which `refuses` says so, and passes on the rest."""

    def __init__(self, upstream: str) -> None:
        gate = self
        self.refuses: Callable[[bytes], bool] = lambda _: False
        self._lock = threading.Lock()
        self._upstream = upstream

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                answer = json.dumps(gate.put_records(request, self.headers.items())).encode()
                self.send_response(200)
                self.send_header("content-type", "application/x-amz-json-1.1")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def put_records(self, request: dict[str, Any], headers: Any) -> dict[str, Any]:
        records = request["Records"]
        with self._lock:
            refused = [self.refuses(b64decode(record["Data"])) for record in records]
        passed = [record for record, no in zip(records, refused, strict=True) if not no]
        taken = iter(self._pass_on({**request, "Records": passed}, headers) if passed else [])
        no_room = {
            "ErrorCode": "ProvisionedThroughputExceededException",
            "ErrorMessage": "Rate exceeded for shard",
        }
        return {
            "FailedRecordCount": sum(refused),
            "Records": [no_room if no else next(taken) for no in refused],
        }

    def _pass_on(self, request: dict[str, Any], headers: Any) -> list[dict[str, Any]]:
        kept = {name: value for name, value in headers if name.lower() not in {"host", "content-length"}}
        forwarded = urllib.request.Request(self._upstream, data=json.dumps(request).encode(), headers=kept)
        with urllib.request.urlopen(forwarded) as answer:
            result: list[dict[str, Any]] = json.load(answer)["Records"]
            return result

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
