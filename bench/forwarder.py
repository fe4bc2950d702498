"""How fast one invocation of the forwarder carries a batch to Oregon, when every call there takes 150 ms.

Oregon is bench/oregon.py, a process of its own. The forwarder is held to one core, for the one vCPU of
1,769 MB. Time runs from the event's JSON text, which Lambda's runtime parses, to the handler's answer.

python -m bench.forwarder
"""

import base64
import contextlib
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from settings.forwarder import ForwarderSettings
from settings.forwarder_capacity import SHARD_BYTES_PER_SECOND, SHARD_RECORDS_PER_SECOND

ROUND_TRIP_MILLISECONDS = 150
RECORDS = 10_000
RECORD_BYTES = 300
INVOCATIONS = 7
GOAL_SECONDS = 1.5

# fluent-plugin-kinesis and fluentd as documented: 500 records a request, one request after the
# other, one flush thread, a flush every 60 s.
# https://github.com/awslabs/aws-fluent-plugin-kinesis#configuration-batch-request
# https://docs.fluentd.org/configuration/buffer-section#flushing-parameters
FLUENTD_RECORDS_PER_REQUEST = 500
FLUENTD_FLUSH_THREADS = 1
FLUENTD_FLUSH_SECONDS = 60

_IN_THIS_PROCESS = "--in-this-process"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Seconds: the first invocation of an environment, those after it, and the processor time of these."""

    first: float
    later: list[float]
    processor: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.later)


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def event_text() -> str:
    """The batch as Lambda's runtime receives it: clicks of RECORD_BYTES, half of them to be reformatted."""
    return json.dumps({"Records": [_event_record(number) for number in range(RECORDS)]})


def _event_record(number: int) -> dict[str, Any]:
    click = {
        "click_id": f"{number:032x}",
        "clicked_at": "2026-01-31T12:34:56.789Z" if number % 2 else 1_769_862_896_789,
        "user_id": f"user-{number:08}",
        "article_id": f"article-{number % 997:06}",
        "platform": "ios",
    }
    data = json.dumps(click).encode()
    data = data[:-1] + b', "session": "' + b"s" * (RECORD_BYTES - len(data) - 16) + b'"}\n'
    assert len(data) == RECORD_BYTES
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


def measure(requests_in_flight: int) -> Measured:
    """In a fresh process, as a new environment of Lambda is."""
    with _oregon() as endpoint:
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "ap-northeast-1",
            "DESTINATION_SOURCE_STREAM": "arn:aws:kinesis:us-west-2:000000000000:stream/source",
            "DEAD_LETTER_BUCKET": "none-is-rejected",
            "DEAD_LETTER_PREFIX": "rejected-records/",
            "REQUESTS_IN_FLIGHT": str(requests_in_flight),
        }
        command = [sys.executable, "-m", "bench.forwarder", _IN_THIS_PROCESS]
        answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(answer.stdout.splitlines()[-1]))


@contextlib.contextmanager
def _oregon() -> Iterator[str]:
    """The endpoint of a stand-in that answers each request after the round trip."""
    command = [sys.executable, "-m", "bench.oregon", str(ROUND_TRIP_MILLISECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def _measure_in_this_process() -> Measured:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    text = event_text()
    handler = importlib.import_module("lambdas.forwarder.handler").handler
    seconds, processor = [], []
    for _ in range(INVOCATIONS):
        began, used = time.perf_counter(), time.process_time()
        answer = handler(json.loads(text), _Context())
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
        assert answer == {"batchItemFailures": []}
    return Measured(first=seconds[0], later=seconds[1:], processor=processor[1:])


def main() -> None:
    settings = ForwarderSettings()
    ours = measure(settings.requests_in_flight)
    one_by_one = measure(1)
    fluentd = RECORDS / FLUENTD_RECORDS_PER_REQUEST / FLUENTD_FLUSH_THREADS * ROUND_TRIP_MILLISECONDS / 1000

    table = Table(
        "", "first s", "median s", "fastest-slowest s", "processor s", "records/s", title_justify="left",
        title=f"{RECORDS:,} records of {RECORD_BYTES} bytes, one invocation on one core, "
        f"{ROUND_TRIP_MILLISECONDS} ms a call to Oregon",
    )  # fmt: skip
    table.add_row(f"forwarder, {settings.requests_in_flight} requests in flight", *_figures(ours))
    table.add_row("forwarder, 1 request in flight", *_figures(one_by_one))
    rate = RECORDS / fluentd
    table.add_row("fluentd by its defaults (calculated, *)", "", f"{fluentd:.2f}", "", "", f"{rate:,.0f}")
    console = Console(width=120, highlight=False)
    console.print(table)
    console.print(
        f"* kinesis_streams: {FLUENTD_RECORDS_PER_REQUEST} records a request, one after the other, "
        f"{FLUENTD_FLUSH_THREADS} flush thread, nothing but the round trip counted; a chunk also waits up to "
        f"{FLUENTD_FLUSH_SECONDS} s for its flush."
    )
    lane = RECORDS / ours.median
    lanes = settings.parallelization_factor
    assumed = settings.capacity(RECORD_BYTES)
    by_count = lane * lanes / SHARD_RECORDS_PER_SECOND
    by_bytes = lane * lanes * RECORD_BYTES / SHARD_BYTES_PER_SECOND
    console.print(
        f"One lane of a shard: {lane:,.0f} records/s. Lanes of a shard: {lanes}. Head-room over the shard's "
        f"own limit: {by_count:.0f} times its {SHARD_RECORDS_PER_SECOND:,} records/s, "
        f"{by_bytes:.0f} times its 1 MiB/s."
    )
    console.print(
        f"The check at synth assumes {assumed.lane_records_per_second:,.0f} records/s a lane, in "
        f"batches of {assumed.records_per_batch:,}: more of this size "
        "do not fit in Lambda's 6 MB of payload."
    )
    verdict = "reached" if ours.median < GOAL_SECONDS else "MISSED"
    console.print(f"Goal: under {GOAL_SECONDS} s: {verdict} ({ours.median:.2f} s).")


def _figures(measured: Measured) -> list[str]:
    return [
        f"{measured.first:.2f}",
        f"{measured.median:.2f}",
        f"{min(measured.later):.2f}-{max(measured.later):.2f}",
        f"{statistics.median(measured.processor):.2f}",
        f"{RECORDS / measured.median:,.0f}",
    ]


if __name__ == "__main__":
    if _IN_THIS_PROCESS in sys.argv:
        print(json.dumps(asdict(_measure_in_this_process())))
    else:
        main()
