"""The faults that drive alarms, in lanes: a lane's follow each other, lanes run beside each other.

Of two faults at a time neither drives an alarm of the other; of a lane, each begins when its alarms are OK.
"""

from datetime import timedelta

from contract.sink import CLICK_COUNTS
from lambdas.forwarder.configuration import DEAD_LETTER_BUCKET
from names import OREGON, TOKYO, counts_alias
from tests.alarm_faults import inputs
from tests.alarm_faults.acts import (
    FLINK_STOPPED,
    NameOf,
    Pair,
    application_denied,
    deliveries_refused,
    delivery_denied,
    denied,
    each,
    flooded,
    invoke,
    mapping_changed,
    nothing,
    of_domain,
    of_job,
    puts_refused,
    rule_off,
    slow_copies,
    stalled,
    throttled,
    with_bug,
    without_variable,
    writes_blocked,
)
from tests.alarm_faults.alarm_fault import AlarmFault, caused, silent

DATA_AGE, COUNTS_AGE, RANKING_AGE, LATE = 360, 300, 480, 60
"""Seconds: thresholds of the alarms on ages."""
MINUTE = 60
SLOW_COPY = timedelta(seconds=20)
"""Of the wall: longer than the publisher allows for one (COMMIT_SECONDS)."""


_NO_FORWARDING = without_variable(lambda names: names.forwarder, TOKYO, DEAD_LETTER_BUCKET)
_SOON_GIVEN_UP = mapping_changed(
    {"MaximumRecordAgeInSeconds": MINUTE}, {"MaximumRecordAgeInSeconds": 6 * 3600}
)
_BUG = """
_compile_routing = compile_routing
def compile_routing(rules):
    route = _compile_routing(rules)
    def stumble(click):
        if len(str(click)) % 5 == 0:
            raise RuntimeError("a bug")
        return route(click)
    return stumble
"""

FORWARDER = [
    caused(
        "forwarder's mapping off",
        "forwarder-NothingRead",
        pair=mapping_changed({"Enabled": False}, {"Enabled": True}),
    ),
    caused(
        "shard of the mobile stream stalled",
        "mobile-GetRecords.IteratorAgeMilliseconds",
        pair=stalled(lambda names: names.mobile_stream, TOKYO),
        takes=LATE,
        injected=True,
    ),
    caused(
        "forwarder throttled",
        "forwarder-Throttles",
        pair=throttled(lambda names: names.forwarder, TOKYO),
    ),
    caused(
        "forwarder deployed without a variable",
        "forwarder-Errors",
        "forwarder-IteratorAge",
        pair=_NO_FORWARDING,
        takes=LATE,
    ),
    caused(
        "forwarder fails, and its mapping gives up",
        "forwarder-OnFailureDestinationDeliveredEventCount",
        pair=each(_SOON_GIVEN_UP, _NO_FORWARDING),
        takes=LATE,
    ),
    caused(
        "forwarder fails, and its dead letters are refused",
        "forwarder-DroppedEventCount",
        pair=each(_SOON_GIVEN_UP, denied(lambda names: names.forwarder, "s3:*"), _NO_FORWARDING),
        takes=LATE,
    ),
    caused(
        "forwarder deployed with a bug",
        "forwarder-Unexpected",
        pair=with_bug(lambda names: names.forwarder, TOKYO, "lambdas/forwarder/routing.py", _BUG),
    ),
    caused(
        "apps send what is no click",
        "forwarder-RejectedShare",
        pair=flooded(lambda names: names.mobile_stream, TOKYO, lambda: b"no click\n", a_call=10),
    ),
]

FLINK = [
    caused(
        "Flink stopped",
        "analytics-runningTime",
        "analytics-segmentsUsers",
        "analytics-clicksUnparseablePercent",
        "analytics-NothingPut",
        pair=FLINK_STOPPED,
    ),
    caused(
        "shards of the source stream stalled",
        "source-GetRecords.IteratorAgeMilliseconds",
        "analytics-millisBehindLatest",
        pair=stalled(lambda names: names.source_stream, OREGON),
        takes=LATE,
        injected=True,
    ),
    caused(
        "checkpoints cannot be written",
        "analytics-numRestarts",
        "analytics-numberOfFailedCheckpoints",
        pair=inputs.CHECKPOINTS_REFUSED,
        takes=4 * MINUTE,
    ),
    caused(
        "application may not list the segments",
        "analytics-segmentsSecondsSinceCheck",
        pair=application_denied("s3:ListBucket"),
        takes=70,
    ),
    caused(
        "segments version broken",
        "analytics-segmentsRefusedVersions",
        pair=inputs.BROKEN_VERSION,
    ),
    caused(
        "segments version shrunken",
        "analytics-segmentsShrunkenVersions",
        pair=inputs.SHRUNKEN_VERSION,
    ),
    caused(
        "clock of a web server wrong",
        "analytics-RejectedShare",
        pair=flooded(lambda names: names.source_stream, OREGON, inputs.early_click, a_call=15),
    ),
]

SEARCH = [
    caused(
        "OpenSearch away",
        "ClusterStatus.red",
        "redelivery-WaitingAge",
        pair=Pair(lambda twin: twin.search_goes_away(), lambda twin: twin.search_comes_back()),
        takes=8 * MINUTE,
        after=["Flink stopped"],
    ),
    caused(
        "indices read-only",
        "ClusterIndexWritesBlocked",
        pair=writes_blocked(lambda _: counts_alias(CLICK_COUNTS.index_family)),
    ),
    caused(
        "delivery streams without permissions",
        "counts-DeliveryToAmazonOpenSearchService.DataFreshness",
        "raw-backup-DeliveryToS3.DataFreshness",
        "raw-backup-NothingWritten",
        "rejects-DeliveryToS3.DataFreshness",
        "rejects-NothingWritten",
        "feedback-RankingAge",
        pair=each(
            delivery_denied(lambda names: names.delivery_stream(CLICK_COUNTS.name)),
            delivery_denied(lambda names: names.raw_backup_delivery_stream),
            delivery_denied(lambda names: names.rejects_delivery_stream),
        ),
        takes=RANKING_AGE + 2 * MINUTE,
    ),
    caused(
        "feedback without permissions",
        "feedback-Errors",
        pair=denied(lambda names: names.feedback, "dynamodb:*"),
    ),
    caused(
        "feedback throttled",
        "feedback-Throttles",
        "feedback-RankingAge",
        pair=throttled(lambda names: names.feedback, TOKYO),
        after=["Flink stopped"],
    ),
]

REDELIVERY = [
    caused(
        "failed documents unreadable",
        "redelivery-GivenUp",
        pair=inputs.FAILED_DOCUMENTS_UNREADABLE,
        takes=MINUTE,
        after=["OpenSearch away"],
    ),
    caused(
        "schedule of redelivery off",
        "redelivery-Invocations",
        pair=rule_off(lambda names: names.redelivery),
    ),
    caused(
        "redelivery without permissions",
        "redelivery-Errors",
        pair=denied(lambda names: names.redelivery, "s3:*"),
    ),
    caused(
        "redelivery throttled",
        *silent("redelivery"),
        pair=throttled(lambda names: names.redelivery, OREGON),
    ),
]

PUBLISHER = [
    caused(
        "segments upload broken",
        "segments-publisher-RefusedSegments",
        pair=inputs.uploaded(b"broken"),
        takes=MINUTE,
    ),
    caused(
        "segments publisher without permissions",
        "segments-publisher-Errors",
        pair=denied(lambda names: names.segments_publisher, "s3:*"),
    ),
    caused(
        "segments publisher throttled",
        "segments-publisher-Throttles",
        "segments-publisher-UploadAge",
        pair=throttled(lambda names: names.segments_publisher, OREGON),
    ),
]

REPLAY = [
    caused(
        "replay overdue",
        "replay-FailedReplays",
        pair=inputs.REPLAY_OVERDUE,
        takes=5 * MINUTE,
    ),
    caused(
        "replay without permissions",
        "replay-Errors",
        pair=denied(lambda names: names.replay, "s3:*"),
    ),
    caused(
        "replay throttled",
        *silent("replay"),
        pair=throttled(lambda names: names.replay, OREGON),
    ),
]

SERVICES = [
    caused(
        "Kinesis refuses puts as too many",
        "mobile-WriteProvisionedThroughputExceeded",
        "source-WriteProvisionedThroughputExceeded",
        pair=puts_refused(lambda names: names.mobile_stream, lambda names: names.source_stream),
        injected=True,
    ),
    caused(
        "Firehose refuses puts as too many",
        "counts-ThrottledRecords",
        "rejects-ThrottledRecords",
        pair=deliveries_refused(),
        injected=True,
        after=["Flink stopped"],
    ),
]

HEALTH = [
    caused(
        "snapshot of the domain fails",
        "AutomatedSnapshotFailure",
        pair=of_domain("AutomatedSnapshotFailure", 1),
        injected=True,
        after=["OpenSearch away"],
    ),
    caused(
        "disk of the domain nearly full",
        "FreeStorageSpace",
        pair=of_domain("FreeStorageSpace", 1_000),
        injected=True,
        after=["OpenSearch away"],
    ),
    caused(
        "heap of the domain nearly full",
        "JVMMemoryPressure",
        pair=of_domain("JVMMemoryPressure", 99),
        injected=True,
        after=["OpenSearch away"],
    ),
    caused(
        "heap of the application nearly full",
        "analytics-heapMemoryUtilization",
        pair=of_job("heapMemoryUtilization", 95),
        injected=True,
        after=["Flink stopped"],
    ),
    caused(
        "node of the domain lost",
        "Nodes",
        pair=of_domain("Nodes", 0),
        injected=True,
        after=["OpenSearch away"],
    ),
]


def _of_deployments(name: str, function: NameOf) -> list[AlarmFault]:
    """Of a function that only deployments invoke."""
    return [
        caused(
            f"{name} asked for nothing", f"{name}-Errors", pair=Pair(invoke(function, OREGON, {}), nothing)
        ),
        caused(f"{name} throttled", f"{name}-Throttles", pair=throttled(function, OREGON, invoked=True)),
    ]


DEPLOYMENT = [
    *_of_deployments("search-bootstrap", lambda names: names.search_bootstrap),
    *_of_deployments("application-lifecycle", lambda names: names.application_lifecycle),
]

LANES = [
    FORWARDER,
    FLINK,
    SEARCH,
    REDELIVERY,
    PUBLISHER,
    REPLAY,
    SERVICES,
    DEPLOYMENT,
    *([fault] for fault in HEALTH),
]
"""On a clock on which a minute is long enough for a function to run."""

PUBLICATION = [
    caused(
        "copy of a version slow",
        "segments-publisher-LateSegments",
        pair=each(slow_copies(SLOW_COPY), inputs.uploaded(None)),
        takes=20 * MINUTE,
        injected=True,
    ),
]

RECONCILIATION = [
    caused(
        "clicks in the raw backup that nobody counted",
        "reconciliation-Unexplained",
        pair=inputs.UNCOUNTED_CLICKS,
        after=["copy of a version slow"],
    ),
    caused(
        "reconciliation without permissions",
        "reconciliation-Errors",
        "reconciliation-OpenHours",
        pair=each(
            denied(lambda names: names.reconciliation, "s3:*"), Pair(inputs.reconcile_an_early_hour, nothing)
        ),
    ),
    caused(
        "reconciliation throttled",
        *silent("reconciliation"),
        pair=throttled(lambda names: names.reconciliation, OREGON),
    ),
]

HOURLY_LANES = [PUBLICATION, RECONCILIATION]
"""On a clock on which an hour passes in a minute; the slow copy holds up all of the emulated AWS."""
