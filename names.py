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

OPERATOR_COMMANDS = ("publish", "reconcile", "replay", "correct", "erase")
"""Of `click-trends`, each with a role of its own."""

TWIN_ACCOUNT = "000000000000"
"""No AWS account has this number: an environment that uses it can be deployed in the local twin only."""

# Prefixes in the buckets of Oregon
RAW_PREFIX = "raw/"
RAW_ERRORS_PREFIX = "raw-errors/"
ERASED_PREFIX = "erased/"
"""In the raw bucket: how many clicks of erased readers each object had (contract/tally.py)."""
REPLAYS_PREFIX = "replays/"
SEGMENTS_PREFIX = "segments/"
SEGMENTS_CORRECTIONS_PREFIX = "corrections/"
"""Corrected content of past versions: read by replays and corrections, and by the application once
its settings name it."""
INCOMING_SEGMENTS_PREFIX = "incoming/"
REFUSED_SEGMENTS_PREFIX = "refused/"
SEGMENTS_RECEIPTS_PREFIX = "receipts/"
STAGED_SEGMENTS_PREFIX = f"{SEGMENTS_RECEIPTS_PREFIX}.staged/"
REJECTED_PREFIX = "rejected/"
REJECTED_ERRORS_PREFIX = "rejected-errors/"
# Documents that OpenSearch did not take; below each prefix a folder of the sink's name
FAILED_DOCUMENTS_PREFIX = "failed-documents/"
WAITING_DOCUMENTS_PREFIX = "waiting-documents/"
GIVEN_UP_DOCUMENTS_PREFIX = "given-up/"
# Prefix in the bucket of the answers to SQL over raw/ and rejected/
QUERY_RESULTS_PREFIX = "results/"
# Prefixes in the dead-letter bucket of Tokyo
REJECTED_RECORDS_PREFIX = "rejected-records/"
FAILED_BATCHES_PREFIX = "aws/lambda/"
"""Chosen by Lambda for batches that an event source mapping gives up; nothing can change it."""

# A rewritten object begins a new life in S3. It gets the rest of its first one by a tag that rules of the
# bucket know, with at most nine values.
REMAINING_DAYS_TAG = "remaining-days"


def remaining_days_values(retention_days: int) -> range:
    """Values of REMAINING_DAYS_TAG in a bucket that keeps objects so many days."""
    step = -(-retention_days // 10)
    return range(step, retention_days, step)


def stack_name(environment: str, stack: str) -> str:
    """stack: one of STACKS."""
    return f"ClickTrends-{environment}-{stack}"


def segments_version_key(valid_from: datetime) -> str:
    """The object of a version of the segments, named after the second, in UTC, from which it holds."""
    return f"{SEGMENTS_PREFIX}{valid_from.astimezone(UTC):%Y%m%dT%H%M%SZ}.csv"


def segments_corrections_prefix(valid_from: datetime) -> str:
    """Of the corrections of a version, each named by a number of four digits; the last one counts."""
    return f"{SEGMENTS_CORRECTIONS_PREFIX}{valid_from.astimezone(UTC):%Y%m%dT%H%M%SZ}/"


# Documents in OpenSearch: an index family has an index for each day of `minute`, as click-counts.2026.01.31.
# Its ingest pipeline, its index template and the alias that readers search have its name. Generation 2 and
# later of its counts are in families of their own, as click-counts_2.2026.01.31. The name of a sink's family
# holds neither a dot nor an underscore (contract/sink.py), so no pattern of one matches an index of another.


def counts_alias(index_family: str) -> str:
    """What readers search. It names one index of each day: of the generation that serves the day."""
    return index_family


def generation_family(index_family: str, generation: int) -> str:
    """generation: of the counts (analytics.counts_generation)."""
    return index_family if generation == 1 else f"{index_family}_{generation}"


def index_prefix(index_family: str) -> str:
    return f"{index_family}."


def index_pattern(index_family: str) -> str:
    """Matches every index of the family and of no other."""
    return f"{index_prefix(index_family)}*"


def generation_patterns(index_family: str) -> tuple[str, str]:
    """Match every index of every generation of the family, and of no other family."""
    return index_pattern(index_family), f"{index_family}_*"


def day_index(index_family: str, day: date) -> str:
    return f"{index_prefix(index_family)}{day:%Y.%m.%d}"


def delivery_index(index_family: str) -> str:
    """What Firehose names; it matches the index template, whose pipeline puts each document into the index of
    its day."""
    return f"{index_prefix(index_family)}undated"


def unserved_template(index_family: str) -> str:
    """The index template of indices that readers do not see yet, or no longer."""
    return f"{index_family}_unserved"


def undated_template(index_family: str) -> str:
    """The index template of what Firehose names: an index that takes no document."""
    return f"{index_family}_undated"


def retention_policy(index_family: str) -> str:
    return f"{index_family}-retention"


@dataclass(frozen=True, kw_only=True)
class Names:
    """Physical names and ARNs of one environment.

    environment: its name, as in environments/<name>.toml; account: 12 digits; tokyo, oregon: the regions that
    stand in these places; counts_generation: which the application counts into.
    """

    environment: str
    account: str
    tokyo: str = TOKYO
    oregon: str = OREGON
    counts_generation: int = 1

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
    def query_results_bucket(self) -> str:
        """Answers to what analysts ask in SQL."""
        return f"{self.prefix}-query-results-{self.account}"

    @property
    def analysts(self) -> str:
        """The workgroup in Athena of whoever asks in SQL, and their role."""
        return f"{self.prefix}-analysts"

    @property
    def query_database(self) -> str:
        """In the Glue Data Catalog, with the tables over raw/ and rejected/. SQL would need quotes around a
        hyphen."""
        return self.prefix.replace("-", "_")

    @property
    def raw_backup_delivery_stream(self) -> str:
        return f"{self.prefix}-raw-backup"

    def delivery_stream(self, sink: str) -> str:
        """sink: the name of a contract.sink.Sink, such as `counts`.

        Each generation has its own: while an update replaces the application, the former one still delivers
        to the former indices.
        """
        return generation_family(f"{self.prefix}-{sink}", self.counts_generation)

    def index_family(self, family: str) -> str:
        """Into which the application counts. family: of a sink."""
        return generation_family(family, self.counts_generation)

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
    def segments_publisher(self) -> str:
        """The Lambda function and its role."""
        return f"{self.prefix}-segments-publisher"

    @property
    def reconciliation(self) -> str:
        """The Lambda function and its role."""
        return f"{self.prefix}-reconciliation"

    @property
    def replay(self) -> str:
        """The Lambda function that starts and ends replays, and its role."""
        return f"{self.prefix}-replay"

    @property
    def replay_application(self) -> str:
        """The application that exists while a replay runs, and its role."""
        return f"{self.prefix}-replay-application"

    @property
    def replay_application_arn(self) -> str:
        return f"arn:aws:kinesisanalytics:{self.oregon}:{self.account}:application/{self.replay_application}"

    def operator_role(self, command: str) -> str:
        """Whose permissions `click-trends <command>` works with. command: one of OPERATOR_COMMANDS."""
        return f"{self.prefix}-{command}-operator"

    @property
    def oregon_dashboard(self) -> str:
        return f"{self.prefix}-oregon"

    def role_arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{role}"
