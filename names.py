"""Every name that two parts of the system must agree on, written once.

Shared by infrastructure (stacks/), the batch server, the local twin and the tests. The analytics application
gets its names through application properties, the Lambdas through environment variables: both are filled
from here.
Physical names are fixed, so an ARN in the other region is a literal and no cross-region lookup exists.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

# Where the two halves stand unless [regions] of an environment says otherwise
TOKYO = "ap-northeast-1"
OREGON = "us-west-2"

OREGON_STORAGE, TOKYO_STORAGE = "OregonStorage", "TokyoStorage"
OREGON_ANALYTICS, TOKYO_INGEST = "OregonAnalytics", "TokyoIngest"
STACKS = (OREGON_STORAGE, TOKYO_STORAGE, OREGON_ANALYTICS, TOKYO_INGEST)
"""In the order of their deployment; they are destroyed in the reverse order."""

TWIN_ACCOUNT = "000000000000"
"""No AWS account has this number: an environment that uses it can be deployed in the local twin only."""

# Prefixes in the buckets of Oregon
RAW_PREFIX = "raw/"
RAW_ERRORS_PREFIX = "raw-errors/"
SEGMENTS_PREFIX = "segments/"
REJECTED_PREFIX = "rejected/"
REJECTED_ERRORS_PREFIX = "rejected-errors/"
# Documents that OpenSearch did not take; below each prefix a folder of the sink's name
FAILED_DOCUMENTS_PREFIX = "failed-documents/"
WAITING_DOCUMENTS_PREFIX = "waiting-documents/"
GIVEN_UP_DOCUMENTS_PREFIX = "given-up/"
# Prefixes in the dead-letter bucket of Tokyo
REJECTED_RECORDS_PREFIX = "rejected-records/"
FAILED_BATCHES_PREFIX = "aws/lambda/"
"""Chosen by Lambda for batches that an event source mapping gives up; nothing can change it."""


def stack_name(environment: str, stack: str) -> str:
    """stack: one of STACKS."""
    return f"ClickTrends-{environment}-{stack}"


def segments_version_key(valid_from: datetime) -> str:
    """The object of a version of the segments, named after the second, in UTC, from which it holds."""
    return f"{SEGMENTS_PREFIX}{valid_from.astimezone(UTC):%Y%m%dT%H%M%SZ}.csv"


# Documents in OpenSearch: an index family has an index for each day of `minute`, as click-counts.2026.01.31.
# Its ingest pipeline and index template have its name. A family's name holds no dot (contract/sink.py), so
# the pattern of one cannot match the indices of another.


def index_prefix(index_family: str) -> str:
    return f"{index_family}."


def index_pattern(index_family: str) -> str:
    """Matches every index of the family and of no other."""
    return f"{index_prefix(index_family)}*"


def day_index(index_family: str, day: date) -> str:
    return f"{index_prefix(index_family)}{day:%Y.%m.%d}"


def delivery_index(index_family: str) -> str:
    """What Firehose names; it matches the index template, whose pipeline puts each document into the index of
    its day."""
    return f"{index_prefix(index_family)}undated"


def retention_policy(index_family: str) -> str:
    return f"{index_family}-retention"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Physical names and ARNs of one environment.

    environment: its name, as in environments/<name>.toml; account: 12 digits; tokyo, oregon: the regions that
    stand in these places.
    """

    environment: str
    account: str
    tokyo: str = TOKYO
    oregon: str = OREGON

    @property
    def prefix(self) -> str:
        return f"click-trends-{self.environment}"

    def stack(self, stack: str) -> str:
        """stack: one of STACKS."""
        return stack_name(self.environment, stack)

    def region_of(self, stack: str) -> str:
        """stack: one of STACKS."""
        return self.tokyo if stack in (TOKYO_STORAGE, TOKYO_INGEST) else self.oregon

    # Tokyo
    @property
    def mobile_stream(self) -> str:
        return f"{self.prefix}-mobile"

    @property
    def mobile_stream_arn(self) -> str:
        return f"arn:aws:kinesis:{self.tokyo}:{self.account}:stream/{self.mobile_stream}"

    @property
    def dead_letter_bucket(self) -> str:
        return f"{self.prefix}-dead-letters-{self.account}"

    @property
    def forwarder(self) -> str:
        return f"{self.prefix}-forwarder"

    @property
    def identity_pool(self) -> str:
        return f"{self.prefix}-mobile-apps"

    @property
    def user_pool(self) -> str:
        """The user pool and its app client."""
        return f"{self.prefix}-readers"

    @property
    def mobile_app_role(self) -> str:
        return f"{self.prefix}-mobile-app"

    @property
    def mobile_guest_role(self) -> str:
        return f"{self.prefix}-mobile-guest"

    @property
    def web_server_role(self) -> str:
        return f"{self.prefix}-web-server"

    @property
    def batch_server_role(self) -> str:
        return f"{self.prefix}-batch-server"

    @property
    def trending_table(self) -> str:
        """The rankings that web servers read."""
        return f"{self.prefix}-trending"

    @property
    def trending_table_arn(self) -> str:
        return f"arn:aws:dynamodb:{self.tokyo}:{self.account}:table/{self.trending_table}"

    @property
    def feedback(self) -> str:
        """The Lambda function and its role."""
        return f"{self.prefix}-feedback"

    @property
    def feedback_schedule(self) -> str:
        """What invokes the function, and its role."""
        return f"{self.prefix}-feedback-schedule"

    @property
    def feedback_dead_letters(self) -> str:
        """The queue of invocations that the schedule gave up."""
        return f"{self.prefix}-feedback-dead-letters"

    @property
    def tokyo_dashboard(self) -> str:
        """In CloudWatch. Dashboards are an account's, of no region, so the region is part of the name."""
        return f"{self.prefix}-tokyo"

    # Oregon
    @property
    def source_stream(self) -> str:
        return f"{self.prefix}-source"

    @property
    def source_stream_arn(self) -> str:
        return f"arn:aws:kinesis:{self.oregon}:{self.account}:stream/{self.source_stream}"

    @property
    def raw_bucket(self) -> str:
        return f"{self.prefix}-raw-{self.account}"

    @property
    def segments_bucket(self) -> str:
        return f"{self.prefix}-segments-{self.account}"

    @property
    def rejected_bucket(self) -> str:
        return f"{self.prefix}-rejected-{self.account}"

    @property
    def raw_backup_delivery_stream(self) -> str:
        return f"{self.prefix}-raw-backup"

    def delivery_stream(self, sink: str) -> str:
        """sink: the name of a contract.sink.Sink, such as `counts`."""
        return f"{self.prefix}-{sink}"

    def delivery_stream_arn(self, delivery_stream: str) -> str:
        """delivery_stream: its name."""
        return f"arn:aws:firehose:{self.oregon}:{self.account}:deliverystream/{delivery_stream}"

    def delivery_role(self, sink: str) -> str:
        return f"{self.prefix}-{sink}-delivery"

    @property
    def rejects_delivery_stream(self) -> str:
        return f"{self.prefix}-rejects"

    @property
    def application(self) -> str:
        return f"{self.prefix}-analytics"

    @property
    def application_arn(self) -> str:
        return f"arn:aws:kinesisanalytics:{self.oregon}:{self.account}:application/{self.application}"

    @property
    def application_lifecycle(self) -> str:
        return f"{self.prefix}-application-lifecycle"

    @property
    def search_bootstrap(self) -> str:
        """The Lambda function and its role."""
        return f"{self.prefix}-search-bootstrap"

    @property
    def search_domain(self) -> str:
        """At most 28 characters (a limit of OpenSearch Service), so an environment's name has at most 15."""
        return self.prefix

    @property
    def search_domain_arn(self) -> str:
        return f"arn:aws:es:{self.oregon}:{self.account}:domain/{self.search_domain}"

    @property
    def redelivery(self) -> str:
        """The Lambda function and its role."""
        return f"{self.prefix}-redelivery"

    @property
    def oregon_dashboard(self) -> str:
        return f"{self.prefix}-oregon"

    def role_arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{role}"
