"""Measures how fast one invocation of the forwarder carries a batch to Oregon; prints JSON.

python -m bench.forwarder --round-trip MILLISECONDS --click-bytes N --clicks-per-record N --record-bytes N
                          --in-flight N [--orjson]

Oregon is bench/kinesis_stub.py, a process of its own. The forwarder is held to one core, for the one vCPU of
1,769 MB. Time runs from the event's JSON text, which Lambda's runtime parses, to the handler's answer.
--orjson: the forwarder's own reading and writing of JSON by that compiled library.
"""

import argparse
import base64
import contextlib
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson

from names import REJECTED_RECORDS_PREFIX
from twin.processes import die_with_parent

CLICKS = 10_000
INVOCATIONS = 5
INVOCATIONS_IN_SEQUENCE = 2
MIN_CLICK_BYTES = 250


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def event_text(click_bytes: int, clicks_per_record: int) -> str:
    """The batch as Lambda's runtime receives it: clicks of this size, half of which need reformatting."""
    clicks = [_click(number, click_bytes) for number in range(CLICKS)]
    records = [
        b"".join(clicks[first : first + clicks_per_record]) for first in range(0, CLICKS, clicks_per_record)
    ]
    return json.dumps({"Records": [_event_record(number, data) for number, data in enumerate(records)]})


def _click(number: int, click_bytes: int) -> bytes:
    click = {
        "click_id": f"{number:032x}",
        "clicked_at": "2026-01-31T12:34:56.789Z" if number % 2 else 1_769_862_896_789,
        "user_id": f"user-{number:08}",
        "article_id": f"article-{number % 997:06}",
        "platform": "ios",
    }
    data = json.dumps(click).encode()
    data = data[:-1] + b', "session": "' + b"s" * (click_bytes - len(data) - 16) + b'"}\n'
    assert len(data) == click_bytes
    return data


def _event_record(number: int, data: bytes) -> dict[str, Any]:
    sequence_number = 49590338271490256608559692538361571095921575989136588898 + number
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": f"user-{number:08}",
            "sequenceNumber": str(sequence_number),
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": 1769862897.123,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:{sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::000000000000:role/click-trends-local-forwarder",
        "awsRegion": "ap-northeast-1",
        "eventSourceARN": "arn:aws:kinesis:ap-northeast-1:000000000000:stream/click-trends-local-mobile",
    }


def _environment(endpoint: str, requests_in_flight: int, record_bytes: int) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "ap-northeast-1",
        "DESTINATION_SOURCE_STREAM": "arn:aws:kinesis:us-west-2:000000000000:stream/source",
        "DEAD_LETTER_BUCKET": "none-is-rejected",
        "DEAD_LETTER_PREFIX": REJECTED_RECORDS_PREFIX,
        "RECORD_BYTES": str(record_bytes),
        "REQUESTS_IN_FLIGHT": str(requests_in_flight),
    }


@contextlib.contextmanager
def _oregon(round_trip_milliseconds: int) -> Iterator[str]:
    """The endpoint of a stand-in that answers each request after the round trip."""
    command = [sys.executable, "-m", "bench.kinesis_stub", str(round_trip_milliseconds)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 (one system call, takes no lock)
    ) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


class _Orjson:
    def raw_decode(self, text: str) -> tuple[Any, int]:
        return orjson.loads(text), len(text)


def _use_orjson() -> None:
    vars(importlib.import_module("contract.click"))["_DECODER"] = _Orjson()
    routing = importlib.import_module("lambdas.forwarder.routing")
    vars(routing)["_encode"] = lambda value: orjson.dumps(value).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--round-trip", type=int, required=True)
    parser.add_argument("--click-bytes", type=int, required=True)
    parser.add_argument("--clicks-per-record", type=int, required=True)
    parser.add_argument("--record-bytes", type=int, required=True)
    parser.add_argument("--in-flight", type=int, required=True)
    parser.add_argument("--orjson", action="store_true")
    given = parser.parse_args()
    if given.click_bytes < MIN_CLICK_BYTES:
        parser.error(f"--click-bytes must be at least {MIN_CLICK_BYTES}")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    text = event_text(given.click_bytes, given.clicks_per_record)
    seconds, processor = [], []
    with _oregon(given.round_trip) as endpoint:
        os.environ |= _environment(endpoint, given.in_flight, given.record_bytes)
        handler = importlib.import_module("lambdas.forwarder.handler").handler
        if given.orjson:
            _use_orjson()
        for _ in range(INVOCATIONS if given.in_flight > 1 else INVOCATIONS_IN_SEQUENCE):
            began, used = time.perf_counter(), time.process_time()
            answer = handler(json.loads(text), _Context())
            seconds.append(time.perf_counter() - began)
            processor.append(time.process_time() - used)
            assert answer == {"batchItemFailures": []}
    print(json.dumps({"first": seconds[0], "seconds": seconds[1:], "processor": processor[1:]}))


if __name__ == "__main__":
    main()
