"""Why an action stays that no recorded call needed: one table, each row with its source.

Most are calls that only AWS makes: the twin's stand-ins of Firehose, Lambda and Managed Service for Apache
Flink do their work by other calls.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StandingReason:
    """roles: their short names; sid: of the statement; actions: of it; source: a page, or a
    test."""

    roles: tuple[str, ...]
    sid: str
    actions: tuple[str, ...]
    why: str
    source: str

    def is_of(self, role: str, sid: str, action: str) -> bool:
        return role in self.roles and sid == self.sid and action in self.actions


FUNCTIONS = (
    "application-lifecycle",
    "feedback",
    "forwarder",
    "reconciliation",
    "redelivery",
    "replay",
    "search-bootstrap",
    "segments-publisher",
)
FLINK = ("AnalyticsRole", "replay-application")
DELIVERIES = ("RawBackupRole", "RejectsDeliveryRole", "counts-delivery")
FIREHOSE_GUIDE = "https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html"
FLINK_GUIDE = "https://docs.aws.amazon.com/managed-flink/latest/java/examples-gs-scala-create-run-cli.html"
ATHENA_GUIDE = "https://docs.aws.amazon.com/athena/latest/ug"
ATHENA_POLICY = "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonAthenaFullAccess.html"
SNS_GUIDE = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"

REASONS: tuple[StandingReason, ...] = (
    StandingReason(
        roles=FUNCTIONS,
        sid="WritesItsLog",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        why="Lambda writes the log with the function's role; the emulator writes it itself",
        source="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    ),
    StandingReason(
        roles=FLINK,
        sid="ReadsItsCode",
        actions=("s3:GetObjectVersion",),
        why="the service reads the code's version; the twin reads the object",
        source=FLINK_GUIDE,
    ),
    StandingReason(
        roles=FLINK,
        sid="FindsItsLog",
        actions=("logs:DescribeLogGroups",),
        why="the service writes the log with the application's role; the twin's Flink writes a file",
        source=FLINK_GUIDE,
    ),
    StandingReason(
        roles=FLINK,
        sid="WritesItsLog",
        actions=("logs:DescribeLogStreams", "logs:PutLogEvents"),
        why="the service writes the log with the application's role; the twin's Flink writes a file",
        source=FLINK_GUIDE,
    ),
    StandingReason(
        roles=("AnalyticsRole",),
        sid="ReadsClicks",
        actions=("kinesis:DescribeStreamSummary",),
        why="the connector asks for it; the twin's Flink reads files, which the twin fetches by other calls",
        source="https://github.com/apache/flink-connector-aws/blob/main/flink-connector-aws/"
        "flink-connector-aws-kinesis-streams/src/main/java/org/apache/flink/connector/kinesis/source/proxy/"
        "KinesisStreamProxy.java",
    ),
    StandingReason(
        roles=DELIVERIES,
        sid="FindsTheBucket",
        actions=("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"),
        why="Firehose asks for it; the twin's delivery puts whole objects",
        source=FIREHOSE_GUIDE,
    ),
    StandingReason(
        roles=DELIVERIES,
        sid="WritesObjects",
        actions=("s3:AbortMultipartUpload", "s3:GetObject"),
        why="Firehose asks for it; the twin's delivery puts whole objects",
        source=FIREHOSE_GUIDE,
    ),
    StandingReason(
        roles=DELIVERIES,
        sid="WritesItsLog",
        actions=("logs:PutLogEvents",),
        why="Firehose logs failed deliveries; the twin's delivery has a log of its own",
        source=FIREHOSE_GUIDE,
    ),
    StandingReason(
        roles=("RawBackupRole",),
        sid="ReadsTheSourceStream",
        actions=("kinesis:DescribeStream",),
        why="Firehose asks for it of a stream that it reads; the twin's delivery lists shards",
        source=FIREHOSE_GUIDE,
    ),
    StandingReason(
        roles=("counts-delivery",),
        sid="FindsTheDomain",
        actions=("es:DescribeDomain", "es:DescribeDomainConfig", "es:DescribeDomains"),
        why="Firehose finds the domain by its ARN; the twin's delivery knows the endpoint",
        source=FIREHOSE_GUIDE,
    ),
    StandingReason(
        roles=("counts-delivery",),
        sid="CountsDeliveryWrites",
        actions=("es:ESHttpPut",),
        why="Firehose's guide asks for POST and PUT; the twin's delivery sends bulk requests by POST",
        source=FIREHOSE_GUIDE,
    ),
    StandingReason(
        roles=("counts-delivery",),
        sid="CountsDeliveryReads",
        actions=("es:ESHttpGet",),
        why="Firehose reads settings, mappings and statistics; the twin's delivery reads nothing",
        source=FIREHOSE_GUIDE,
    ),
    StandingReason(
        roles=("forwarder",),
        sid="ReadsTheMobileStream",
        actions=("kinesis:DescribeStream", "kinesis:DescribeStreamSummary"),
        why="Lambda asks for both of an event source; the twin's event source lists shards",
        source="https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html",
    ),
    StandingReason(
        roles=("forwarder",),
        sid="KeepsBatchesGivenUp",
        actions=("s3:ListBucket",),
        why="Lambda asks for it of a bucket for failed batches; the twin's event source puts alone",
        source="https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html",
    ),
    StandingReason(
        roles=("feedback-schedule",),
        sid="InvokesFeedback",
        actions=("lambda:InvokeFunction",),
        why="EventBridge Scheduler invokes with this role; the emulator invokes without one",
        source="https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html",
    ),
    StandingReason(
        roles=("feedback-schedule",),
        sid="KeepsWhatIsNotInvoked",
        actions=("sqs:SendMessage",),
        why="EventBridge Scheduler keeps what it could not invoke with this role; the emulator has none such",
        source="https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html",
    ),
    StandingReason(
        roles=("analysts",),
        sid="AsksInTheWorkGroup",
        actions=(
            "athena:BatchGetQueryExecution",
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:GetQueryResultsStream",
            "athena:GetWorkGroup",
            "athena:ListQueryExecutions",
            "athena:StartQueryExecution",
            "athena:StopQueryExecution",
        ),
        why="people ask in Athena; tests ask DuckDB the same SQL",
        source=f"{ATHENA_GUIDE}/example-policies-workgroup.html",
    ),
    StandingReason(
        roles=("analysts",),
        sid="FindsTheDatabase",
        actions=("glue:GetDatabase", "glue:GetDatabases"),
        why="Athena reads the catalogue with the caller's permissions; tests ask DuckDB",
        source=f"{ATHENA_GUIDE}/fine-grained-access-to-glue-resources.html",
    ),
    StandingReason(
        roles=("analysts",),
        sid="FindsTheTables",
        actions=("glue:GetPartitions", "glue:GetTable", "glue:GetTables"),
        why="Athena reads the catalogue with the caller's permissions; tests ask DuckDB",
        source=f"{ATHENA_GUIDE}/fine-grained-access-to-glue-resources.html",
    ),
    StandingReason(
        roles=("analysts",),
        sid="ReadsClicks",
        actions=("s3:GetObject",),
        why="Athena reads objects with the caller's permissions; tests ask DuckDB",
        source=f"{ATHENA_GUIDE}/s3-permissions.html",
    ),
    StandingReason(
        roles=("analysts",),
        sid="KeepsAnswers",
        actions=(
            "s3:AbortMultipartUpload",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ),
        why="Athena keeps answers with the caller's permissions; tests ask DuckDB",
        source=ATHENA_POLICY,
    ),
    StandingReason(
        roles=("analysts",),
        sid="FindsObjects",
        actions=("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"),
        why="Athena lists objects with the caller's permissions; tests ask DuckDB",
        source=ATHENA_POLICY,
    ),
    StandingReason(
        roles=("erase-operator",),
        sid="KeepsTheirLife",
        actions=("s3:PutObjectTagging",),
        why="S3 asks for it of an object that is put with tags; the emulator asks for s3:PutObject alone",
        source="https://docs.aws.amazon.com/service-authorization/latest/reference/list_s3.html",
    ),
    StandingReason(
        roles=("replay-application",),
        sid="WritesCounts",
        actions=("s3:AbortMultipartUpload", "s3:DeleteObject"),
        why="Flink's S3A file system needs it where it writes; the twin's replay uploads finished files",
        source="https://hadoop.apache.org/docs/stable/hadoop-aws/tools/hadoop-aws/assumed_roles.html",
    ),
    StandingReason(
        roles=("search-bootstrap",),
        sid="SearchBootstrapEndsRetention",
        actions=("es:ESHttpDelete",),
        why="the twin's domain has no index state management, so there is no policy to delete",
        source="tests/lambdas/search_bootstrap/test_handler.py::"
        "test_the_retention_policy_is_deleted_when_indices_are_kept_for_ever",
    ),
    StandingReason(
        roles=("mobile-guest",),
        sid="PutsClicks",
        actions=("kinesis:PutRecord", "kinesis:PutRecords"),
        why="with mobile_apps.guest_access, which the twin lacks; readers put clicks in the same way",
        source="https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html",
    ),
    StandingReason(
        roles=("segments-publisher",),
        sid="SaysWhatWasRefused",
        actions=("sns:Publish",),
        why="with alarms.oregon_topic_arn, which the twin lacks",
        source="tests/lambdas/segments_publisher/test_on_s3.py::"
        "test_a_refusal_arrives_at_the_topic_and_at_no_other",
    ),
    StandingReason(
        roles=("segments-publisher",),
        sid="EncryptsItForTheTopic",
        actions=("kms:Decrypt", "kms:GenerateDataKey"),
        why="with alarms.oregon_topic_arn: SNS asks it of whoever publishes to an encrypted topic",
        source=SNS_GUIDE,
    ),
)
