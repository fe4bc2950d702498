"""Limits of a request to Kinesis or Firehose, and the forwarder's timeouts.

Functions keep to them, and settings compute from them what a hop carries.
"""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """Limits of a request. Sizes in bytes; a record's size includes its partition key, if any."""

    records: int
    request_bytes: int
    record_bytes: int


PUT_RECORDS = RequestLimits(records=500, request_bytes=5 * MIB, record_bytes=1 * MIB)
"""Kinesis data stream. PutRecords takes 10 MiB since 2025, but a stream takes records over 1 MiB only if
configured so, and emulators take 5 MiB. 500 clicks of 300 bytes are far from both.
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
https://docs.aws.amazon.com/streams/latest/dev/large-records.html"""
PUT_RECORD_BATCH = RequestLimits(records=500, request_bytes=4 * MIB, record_bytes=1000 * 1024)
"""Firehose delivery stream. That is for records put into it. For those that it reads from a data stream its
FAQ says 1,024 KB, and no page says what becomes of one beyond its limit (from Kafka: an object of failed
records).
https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
https://aws.amazon.com/firehose/faqs/
https://docs.aws.amazon.com/firehose/latest/dev/limits.html"""

REQUEST_BYTES = 300_000
"""Most bytes of our own requests to either, far within the limits: twenty of them carry a full batch of the
forwarder at once. A lost answer repeats one, a thousand clicks. Smaller ones take more processor time."""

CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 5
"""Of one request to either."""

FORWARDER_ANSWER_RESERVE_SECONDS = 1.0
"""Reserved at the end of the forwarder's invocation for the dead letters and the metrics."""
FORWARDER_ATTEMPT_RESERVE_SECONDS = (
    CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS + FORWARDER_ANSWER_RESERVE_SECONDS
)
"""Reserved for that and for the answer to the last attempt to deliver."""
