"""Every metric that an alarm or a graph of the templates uses: who publishes it, with which dimensions and
unit, and what there is while nothing happens. tests/stacks/test_catalogued_metrics.py holds them against it.

Written down from the pages and files that each row names, not from the stacks. What they do not say stands
here as not documented.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from lambdas.feedback import metrics as feedback
from lambdas.forwarder import metrics as forwarder
from lambdas.reconciliation import metrics as reconciliation
from lambdas.redelivery import metrics as redelivery
from lambdas.replay import metrics as replay
from lambdas.segments_publisher import metrics as segments_publisher
from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION

NOT_DOCUMENTED = "not documented"
MINUTE = 60


class MetricKind(StrEnum):
    """What a value is of. COUNT: what happened since the last one, so that values add up; GAUGE: how things
    are; COUNTER: what happened since a start, so that only its growth says something."""

    COUNT = "count"
    GAUGE = "gauge"
    COUNTER = "counter"


class Idle(StrEnum):
    """What there is in a period in which the publisher is well and nothing happens."""

    VALUE = "a value, 0 of a count"
    MISSING = "no data"
    NOT_DOCUMENTED = "not documented"


GAUGES = ("Minimum", "Maximum", "Average")
EACH = (*GAUGES, "Sum")
WORST = ("Maximum",)
TOTAL = ("Sum",)


@dataclass(frozen=True, kw_only=True)
class CataloguedMetric:
    """dimensions: the set that an alarm names; more_dimensions: whether others may stand beside it, so that
    only a Metrics Insights query finds it for sure; unit: as CloudWatch calls it; statistics: those that its
    page calls meaningful, or that make sense for its kind; period_seconds: between two values; publisher: the
    service, or the service and our code; silent: when there is no data; since: the version of the runtime
    that brought it; source: the page, or the file of our own."""

    namespace: str
    name: str
    dimensions: tuple[str, ...]
    unit: str
    publisher: str
    silent: str
    source: str
    kind: MetricKind = MetricKind.COUNT
    statistics: tuple[str, ...] = EACH
    idle: Idle = Idle.NOT_DOCUMENTED
    period_seconds: int = MINUTE
    more_dimensions: bool = False
    since: str | None = None


_AWS = "https://docs.aws.amazon.com"
_stream = partial(
    CataloguedMetric,
    namespace="AWS/Kinesis",
    dimensions=("StreamName",),
    publisher="Kinesis Data Streams",
    source=f"{_AWS}/streams/latest/dev/monitoring-with-cloudwatch.html",
)
_UNPUT = "no record is put; whether there is a 0 instead is not documented"
_UNREAD = "nothing calls GetRecords; whether there is a 0 instead is not documented"
KINESIS = (
    _stream(name="IncomingRecords", unit="Count", silent=_UNPUT),
    _stream(name="IncomingBytes", unit="Bytes", silent=_UNPUT),
    _stream(name="WriteProvisionedThroughputExceeded", unit="Count", silent=_UNPUT),
    _stream(name="GetRecords.Records", unit="Count", silent=_UNREAD),
    _stream(name="GetRecords.Bytes", unit="Bytes", silent=_UNREAD),
    _stream(
        name="GetRecords.IteratorAgeMilliseconds",
        unit="Milliseconds",
        kind=MetricKind.GAUGE,
        statistics=GAUGES,
        silent=_UNREAD,
    ),
)

_firehose = partial(
    CataloguedMetric,
    namespace="AWS/Firehose",
    dimensions=("DeliveryStreamName",),
    publisher="Data Firehose",
    source=f"{_AWS}/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html",
)
_fresh = partial(
    _firehose,
    unit="Seconds",
    kind=MetricKind.GAUGE,
    statistics=GAUGES,
    idle=Idle.MISSING,
    silent="nothing comes in, or delivery is wholly blocked",
    source=f"{_AWS}/firehose/latest/dev/data-freshness-metric-not-emitted.html",
)
_UNSENT = "nothing is put directly; whether there is a 0 instead is not documented"
_UNDELIVERED = "nothing is delivered; whether there is a 0 instead is not documented"
FIREHOSE = (
    _firehose(name="IncomingRecords", unit="Count", silent=_UNSENT),
    _firehose(name="IncomingBytes", unit="Bytes", silent=_UNSENT),
    _firehose(name="ThrottledRecords", unit="Count", silent=_UNSENT),
    _firehose(
        name="DataReadFromKinesisStream.Records",
        unit="Count",
        silent="nothing is read from its stream; whether there is a 0 instead is not documented",
    ),
    _firehose(name="DeliveryToS3.Records", unit="Count", silent=_UNDELIVERED),
    _firehose(name="DeliveryToAmazonOpenSearchService.Records", unit="Count", silent=_UNDELIVERED),
    _fresh(name="DeliveryToS3.DataFreshness"),
    _fresh(name="DeliveryToAmazonOpenSearchService.DataFreshness"),
)

_function = partial(
    CataloguedMetric,
    namespace="AWS/Lambda",
    dimensions=("FunctionName",),
    unit="Count",
    statistics=TOTAL,
    idle=Idle.MISSING,
    publisher="Lambda",
    source=f"{_AWS}/lambda/latest/dg/monitoring-metrics-types.html",
)
# Those of a mapping have to be switched on: MetricsConfig, with EventCount.
_mapping = partial(_function, dimensions=("EventSourceMappingUUID",))
_NOT_INVOKED = "the function is not invoked; an invocation that succeeds has a 0 here"
LAMBDA = (
    _function(name="Invocations", silent="the function is not invoked, or each invocation is throttled"),
    _function(name="Errors", silent=_NOT_INVOKED),
    _function(name="Throttles", silent="nobody invokes the function"),
    _function(
        name="IteratorAge",
        unit="Milliseconds",
        kind=MetricKind.GAUGE,
        statistics=("Average", "Maximum"),
        silent="no batch is handed over. Of the last record of a batch, when the mapping sends it to the "
        "function; by the guide's page on Kinesis, when the function has ended",
    ),
    _mapping(
        name="PolledEventCount", idle=Idle.VALUE, silent="the mapping is disabled; an empty poll has a 0"
    ),
    _mapping(name="DroppedEventCount", silent="no event is given up, or all went to the destination"),
    _mapping(
        name="OnFailureDestinationDeliveredEventCount",
        silent="no event is given up, or the destination does not take it: then it is a dropped one",
    ),
)

_table = partial(
    CataloguedMetric,
    namespace="AWS/DynamoDB",
    dimensions=("TableName",),
    unit="Count",
    publisher="DynamoDB",
    silent="nothing reads or writes; whether there is a 0 instead is not documented",
    source=f"{_AWS}/amazondynamodb/latest/developerguide/metrics-dimensions.html",
)
DYNAMODB = (_table(name="ConsumedReadCapacityUnits"), _table(name="ConsumedWriteCapacityUnits"))

_domain = partial(
    CataloguedMetric,
    namespace="AWS/ES",
    dimensions=("ClientId", "DomainName"),
    unit="Count",
    kind=MetricKind.GAUGE,
    idle=Idle.VALUE,
    publisher="OpenSearch Service",
    silent="the domain does not answer the service, or is not made yet",
    source=f"{_AWS}/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html",
)
_rate = partial(_domain, kind=MetricKind.COUNT, statistics=("Average", "Maximum", "Sum"))
OPENSEARCH = (
    _domain(name="ClusterStatus.red", statistics=WORST),
    _domain(name="ClusterIndexWritesBlocked", statistics=WORST),
    _domain(name="FreeStorageSpace", unit="Megabytes"),
    _domain(name="Nodes", statistics=WORST),
    _domain(name="AutomatedSnapshotFailure", statistics=("Minimum", "Maximum")),
    _domain(name="CPUUtilization", unit="Percent", statistics=("Maximum", "Average")),
    _domain(name="JVMMemoryPressure", unit="Percent", statistics=WORST),
    _rate(name="SearchRate"),
    _rate(name="IndexingRate"),
)

# Runtimes before Flink 2.2 have fullRestarts, uptime and downtime instead. The column Level of the guide's
# table names other things than levels too, as Flow and Host: they may be dimensions.
_job = partial(
    CataloguedMetric,
    namespace="AWS/KinesisAnalytics",
    dimensions=("Application",),
    unit="Milliseconds",
    kind=MetricKind.GAUGE,
    statistics=GAUGES,
    idle=Idle.VALUE,
    publisher="Managed Service for Apache Flink",
    silent="the application does not run",
    source=f"{_AWS}/managed-flink/latest/java/metrics-dimensions.html",
)
FLINK = (
    _job(name="runningTime", more_dimensions=True, since="Flink 2.2; before, uptime"),
    # Its row is missing in the guide's table. The guide calls it "a direct replacement in CloudWatch alarms"
    # of fullRestarts, whose level was Application.
    _job(name="numRestarts", unit="Count", kind=MetricKind.COUNTER, since="Flink 2.2; before, fullRestarts"),
    _job(name="numberOfFailedCheckpoints", unit="Count", kind=MetricKind.COUNTER),
    _job(name="lastCheckpointDuration"),
    _job(name="containerCPUUtilization", unit="Percent"),
    _job(name="heapMemoryUtilization", unit="Percent"),
    # The guide's table writes millisbehindLatest, its note and the connector millisBehindLatest.
    _job(
        name="millisBehindLatest",
        more_dimensions=True,
        silent="the application does not run; -1 until the source has read something",
    ),
)

_gauge = partial(
    _job,
    unit=NOT_DOCUMENTED,  # in milliseconds, seconds or percent, as the name says; CloudWatch is told nothing
    more_dimensions=True,
    publisher="Managed Service for Apache Flink, for the decoder or the join (connectors/)",
)
_REFERENCE = "connectors/src/main/java/clicktrends/reference/VersionedReferenceLookup.java"
_DECODER = "connectors/src/main/java/clicktrends/json/ReadMetrics.java"
GAUGES_OF_THE_JOB = (
    _gauge(name="segmentsUsers", source=_REFERENCE),
    _gauge(name="segmentsRefusedVersions", source=_REFERENCE),
    _gauge(name="segmentsShrunkenVersions", source=_REFERENCE),
    _gauge(name="segmentsSecondsSinceCheck", source=_REFERENCE),
    _gauge(name="clicksUnparseablePercent", source=_DECODER),
)

_own = partial(CataloguedMetric, namespace=NAMESPACE, dimensions=(SERVICE_DIMENSION,), statistics=EACH)
_forwarded = partial(
    _own,
    unit="Count",
    idle=Idle.MISSING,
    publisher="the forwarder, at the end of each invocation",
    silent="the mapping hands nothing over, or the invocation dies",
    source="lambdas/forwarder/metrics.py",
)
_fed_back = partial(
    _own,
    unit="Count",
    idle=Idle.VALUE,
    publisher="feedback, at the end of each run",
    silent="the schedule does not invoke it, or the run dies",
    source="lambdas/feedback/metrics.py",
)
_redelivered = partial(
    _own,
    unit="Count",
    idle=Idle.VALUE,
    publisher="redelivery, at the end of each invocation",
    silent="the schedule does not invoke it, or the invocation dies",
    source="lambdas/redelivery/metrics.py",
)
_published = partial(
    _own,
    unit="Count",
    idle=Idle.VALUE,
    publisher="the segments publisher, at the end of each invocation",
    silent="the schedule does not invoke it, or the invocation dies",
    source="lambdas/segments_publisher/metrics.py",
)
_at_once = partial(
    _published,
    idle=Idle.MISSING,
    publisher="the segments publisher, for each",
    silent="there was none",
)
_reconciled = partial(
    _own,
    unit="Count",
    idle=Idle.VALUE,
    period_seconds=60 * MINUTE,
    publisher="reconciliation, for the hour that became final",
    silent="the schedule does not invoke it, the invocation fails, or no hour became final",
    source="lambdas/reconciliation/metrics.py",
)
_replayed = partial(
    _own,
    unit="Count",
    idle=Idle.MISSING,
    publisher="the function of replays, when one puts counts or fails",
    silent="no replay puts counts or fails",
    source="lambdas/replay/metrics.py",
)
OURS = (
    *(
        _forwarded(name=name)
        for name in (
            forwarder.RECEIVED,
            forwarder.FORWARDED,
            forwarder.DROPPED,
            forwarder.REJECTED,
            forwarder.UNEXPECTED,
            forwarder.RETRIED,
        )
    ),
    _forwarded(name=forwarder.RECEIVED_BYTES, unit="Bytes"),
    _forwarded(name=forwarder.REJECTED_BYTES, unit="Bytes"),
    _forwarded(name=forwarder.FORWARDED_BYTES, unit="Bytes"),
    *(_fed_back(name=name) for name in (feedback.WRITTEN, feedback.UNCHANGED, feedback.FAILED)),
    _fed_back(
        name=feedback.AGE,
        unit="Seconds",
        kind=MetricKind.GAUGE,
        statistics=GAUGES,
        silent="the schedule does not invoke it, it cannot read the table, or no ranking was ever served",
    ),
    *(_redelivered(name=name) for name in (redelivery.STALE, redelivery.WAITING, redelivery.REDELIVERED)),
    _redelivered(
        name=redelivery.GIVEN_UP,
        idle=Idle.MISSING,
        publisher="redelivery, for each object of which it gives something up",
        silent="nothing is given up",
    ),
    _redelivered(
        name=redelivery.WAITING_AGE,
        unit="Seconds",
        kind=MetricKind.GAUGE,
        statistics=GAUGES,
        idle=Idle.MISSING,
        silent="no document began to wait",
    ),
    _published(name=segments_publisher.PUBLISHED),
    _published(name=segments_publisher.UPLOAD_AGE, unit="Seconds", kind=MetricKind.GAUGE, statistics=GAUGES),
    _at_once(name=segments_publisher.REFUSED),
    _at_once(name=segments_publisher.LATE),
    *(
        _reconciled(name=name)
        for name in (
            reconciliation.RECEIVED,
            reconciliation.COUNTED,
            reconciliation.REJECTED,
            reconciliation.UNPARSEABLE,
            reconciliation.SET_ASIDE,
            reconciliation.UNEXPLAINED,
        )
    ),
    _reconciled(
        name=reconciliation.OPEN_HOURS,
        kind=MetricKind.GAUGE,
        statistics=GAUGES,
        publisher="reconciliation",
        silent="the schedule does not invoke it",
    ),
    _replayed(name=replay.FAILED_REPLAYS),
    _replayed(name=replay.REPLAYED_COUNTS),
)

CATALOGUE = (
    *KINESIS,
    *FIREHOSE,
    *LAMBDA,
    *DYNAMODB,
    *OPENSEARCH,
    *FLINK,
    *GAUGES_OF_THE_JOB,
    *OURS,
)


class UnknownMetricError(Exception):
    """The message says which metric, and where to write it down."""


def catalogued(namespace: str, name: str, *, function: str | None = None) -> CataloguedMetric:
    """function: the package in lambdas/ that publishes it, where several have a metric of this name.

    Raises UnknownMetricError.
    """
    found = [
        each for each in _of(namespace, name) if function is None or f"lambdas/{function}/" in each.source
    ]
    if len(found) != 1:
        raise UnknownMetricError(
            f"{namespace} {name} is {'several metrics' if found else 'no metric'} of "
            "twin/alarms/catalogue.py. Find its page, and write it down there from that."
        )
    return found[0]


def _of(namespace: str, name: str) -> Iterable[CataloguedMetric]:
    return (each for each in CATALOGUE if (each.namespace, each.name) == (namespace, name))
