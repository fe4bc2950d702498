"""What neither a template nor a setting tells, with reasons. docs/operate/cost.md lists the main ones."""

from operations.cost.range import Range
from settings.capacity import KPU_DISK_GB

HOURS = 730
"""Of a mean month, as AWS reckons."""
SECONDS = HOURS * 3600
DAYS = HOURS / 24
KB = 1024
GB = 1024**3

REJECTED_SHARE = Range(0, 0.01)
"""Of the clicks. More is a fault that an alarm tells."""
QUIET_SHARE = 0.02
"""Of the peak, in a quiet hour; only the table of billed bytes uses it."""
FAILED_SHARE = Range(0, 0.001)
"""Of documents and of records that end in a bucket for failed ones."""
GZIP = Range(0.1, 0.35)
"""Of clicks as JSON, one a line."""

REQUEST_OVERHEAD = Range(1.05, 1.7)
"""Bytes over the wire for each byte of a record: CBOR or base64 in JSON, its key, headers and TLS."""
PACKED_FROM = 10
"""Clicks in a record from which on the next holds."""
PACKED_REQUEST_OVERHEAD = Range(1.05, 1.45)
"""The same where records hold many clicks: base64 adds a third, headers and TLS 1 kB to a request of
10 kB."""
ANSWER_SHARE = 0.1
"""Bytes of the answers to the batch server, which cross from Oregon, as a share of the counts."""

FIREHOSE_WRITERS = Range(1, 4)
"""Objects that a delivery stream fills at the same time; it splits itself as it grows."""

SNAPSHOTS_KEPT = Range(1, 10)
"""After each deployment the newest ten stay: lambdas/application_lifecycle/lifecycle.py."""
STATE_BYTES_PER_COUNT = Range(50, 200)
"""A key of the counts and its clicks, in RocksDB and in a snapshot."""
MAX_KPUS = 64
"""Default quota of an application, to which auto scaling may go: Managed Service for Apache Flink developer
guide, "Quotas"."""
STORAGE_GB_PER_KPU = KPU_DISK_GB
"""Running application storage comes with each KPU and is charged (Managed Service for Apache Flink developer
guide, "Per second billing")."""

CUSTOM_RESOURCE_CALLS = Range(1, 60)
"""Deployments a month."""
UNKNOWN_CALLS = Range(0, HOURS * 60)
"""Of a function whose work is declared nowhere: never, or once a minute."""
COLD_SECONDS = Range(0.1, 60)
REDELIVERY_RUN_SECONDS = Range(0.2, 3)
"""Listing two prefixes for each sink, where nothing failed. While counts are redelivered, up to 55 s."""

RECONCILIATION_RUN_SECONDS = Range(2, 900)
"""It reads the objects of a day and more; at most its timeout."""
RECONCILIATION_METRICS = 7
"""lambdas/reconciliation/metrics.py."""

REDELIVERY_METRICS = Range(3, 5)
"""lambdas/redelivery/metrics.py: three always, two where counts wait or are given up."""

SEGMENTS_RUN_SECONDS = Range(0.1, 1)
"""Listing uploads and reading the journal; a version of 10 million users takes some two minutes."""
SEGMENTS_METRICS = Range(2, 4)
"""lambdas/segments_publisher/metrics.py: two always, two where a file is refused or late."""

REPLAY_RUN_SECONDS = Range(0.1, 1)
"""Looking for a replay where none runs. What a replay costs is said when it is asked for."""

REPLAY_METRICS = Range(0, 2)
"""lambdas/replay/metrics.py: only while a replay runs."""

FORWARDER_LOG_BYTES = Range(1_000, 3_000)
"""Of an invocation: its start, end and report, and a line of metrics."""
FORWARDER_METRICS = Range(10, 25)
"""Custom metrics: lambdas/forwarder/metrics.py, one for each reason of a rejection that occurred."""
APPLICATION_LOG_GB = Range(0.1, 5)
OTHER_LOG_GB = Range(0, 0.5)
LOG_COMPRESSION = Range(0.15, 1)

SEGMENT_FILES_GB = Range(0.01, 2)
"""Versions of the segments, replaced ones included."""

QUERY_ANSWERS_GB = Range(0, 1)
"""Answers of a week to what analysts asked."""

KMS_CALLS_PER_STREAM = Range(HOURS * 12, HOURS * 12 * 20)
"""Once in 5 minutes for each set of credentials: Kinesis Data Streams developer guide, "Costs, Regions, and
performance considerations"."""

RANKED_SEGMENTS = Range(50, 700)
"""Segments with a ranking: values of each column and their combinations, up to 2 x 7 x 47 and some."""
CHANGED_SHARE = Range(0.05, 1)
"""Of the rankings, from one run to the next. A busy segment's change each time, as its clicks do."""
RANKING_BYTES = Range(250, 400)
"""Of an item without its articles: names of attributes, key, times."""
RANKED_ARTICLE_BYTES = Range(12, 70)
"""An id of 5 to 60 bytes and its clicks."""
RANKING_ANSWER_BYTES = Range(60, 150)
"""Of an article in the answer of OpenSearch to the feedback function."""
FEEDBACK_METRICS = 5
"""lambdas/feedback/metrics.py."""
METRICS_ASKED = Range(5, 80)
"""For a look at what was read: the source stream's, and one of each of its shards, asked twice."""
READS_PER_CLICK = Range(0, 1)
"""GetItem of the service for each click that it serves."""
TABLE_GB = Range(0, 0.1)

MONTHLY_USERS = Range(0, 10_000)
"""Readers of the user pool that log in; an administrator makes each."""
ALARM_EMAILS = Range(0, 1_000)
QUEUE_REQUESTS = Range(0, 200_000)
"""A queue that a function or a person looks at now and then."""
