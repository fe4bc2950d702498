"""Calls that would tempt whoever got hold of a role's credentials, each with the roles that may make it.

No role is left out: whichever is not named may not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from contract.sink import CLICK_COUNTS
from names import OREGON, TOKYO, TWIN_ACCOUNT, Names, day_index
from operations.permissions.deciding import ENVIRONMENT, Call
from operations.permissions.options import ACCOUNT, OPTIONS

NAMES = Names(environment=ENVIRONMENT, account=TWIN_ACCOUNT)
DOMAIN = NAMES.search_domain_arn
FAMILY = CLICK_COUNTS.index_family
DAY = f"{DOMAIN}/{day_index(FAMILY, date(2026, 1, 31))}"
RAW, REJECTED, SEGMENTS, DEAD = (
    f"arn:aws:s3:::{bucket}"
    for bucket in (NAMES.raw_bucket, NAMES.rejected_bucket, NAMES.segments_bucket, NAMES.dead_letter_bucket)
)
VERSION = f"{SEGMENTS}/segments/20260131T000000Z.csv"
MOBILE, SOURCE, TABLE = NAMES.mobile_stream_arn, NAMES.source_stream_arn, NAMES.trending_table_arn
COUNTS, REJECTS, RAW_BACKUP = (
    NAMES.delivery_stream_arn(stream)
    for stream in (
        NAMES.delivery_stream(CLICK_COUNTS.name),
        NAMES.rejects_delivery_stream,
        NAMES.raw_backup_delivery_stream,
    )
)
APPLICATION, REPLAYS_APPLICATION = NAMES.application_arn, NAMES.replay_application_arn
IN_TOKYO, IN_OREGON = (f"arn:aws:lambda:{region}:{TWIN_ACCOUNT}:function:" for region in (TOKYO, OREGON))
QUEUE = f"arn:aws:sqs:{TOKYO}:{TWIN_ACCOUNT}:{NAMES.feedback_dead_letters}"
FORWARDER_LOG = f"arn:aws:logs:{TOKYO}:{TWIN_ACCOUNT}:log-group:/aws/lambda/{NAMES.forwarder}"
KEY = f"arn:aws:kms:{OREGON}:{TWIN_ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
REPLAY_ROLE = NAMES.role_arn(NAMES.replay_application)
READ_METRICS = {"batch-server", "feedback", "reconciliation", "reconcile-operator", "application-lifecycle"}
NOBODY: set[str] = set()


@dataclass(frozen=True, kw_only=True)
class OtherCall:
    """allowed_roles: the short names of the roles that may make it."""

    action: str
    resource: str
    region: str
    keys: tuple[tuple[str, str], ...] = ()
    allowed_roles: frozenset[str]

    def by(self, role: str) -> Call:
        return Call(role=role, action=self.action, resource=self.resource, region=self.region, keys=self.keys)

    def __str__(self) -> str:
        """An id of a test."""
        condition = "".join(f" {key}={value}" for key, value in self.keys)
        return f"{self.action} {self.resource.removeprefix('arn:aws:')}{condition}"


SEARCH = [
    ("ESHttpDelete", DAY, {"correct-operator"}),
    ("ESHttpDelete", f"{DOMAIN}/other", NOBODY),
    ("ESHttpDelete", f"{DOMAIN}/*", NOBODY),
    ("ESHttpDelete", f"{DAY}/_doc/1", {"correct-operator"}),
    ("ESHttpDelete", f"{DOMAIN}/_index_template/{FAMILY}", NOBODY),
    ("ESHttpDelete", f"{DOMAIN}/_ingest/pipeline/{FAMILY}", NOBODY),
    ("ESHttpDelete", f"{DOMAIN}/_plugins/_ism/policies/{FAMILY}-retention", {"search-bootstrap"}),
    ("ESHttpGet", f"{DAY}/_search", NOBODY),
    ("ESHttpPost", f"{DAY}/_count", {"counts-delivery"}),
    ("ESHttpPost", f"{DAY}/_msearch", {"counts-delivery"}),
    ("ESHttpGet", f"{DAY}/_doc/1", NOBODY),
    ("ESHttpGet", f"{DOMAIN}/_cat/indices", NOBODY),
    ("ESHttpGet", f"{DOMAIN}/_cluster/settings", NOBODY),
    ("ESHttpHead", DAY, NOBODY),
    ("ESHttpPatch", f"{DOMAIN}/_plugins/_security/api/roles", NOBODY),
    ("ESHttpPost", f"{DOMAIN}/_bulk", {"counts-delivery"}),
    ("ESHttpPost", f"{DAY}/_bulk", {"counts-delivery", "correct-operator"}),
    ("ESHttpPost", f"{DAY}/_doc", {"counts-delivery"}),
    # A document whose id is "_search", where whoever corrects may also send `_bulk`
    ("ESHttpPost", f"{DAY}/_doc/_search", {"counts-delivery", "correct-operator"}),
    ("ESHttpPost", f"{DAY}/_create/_count", {"counts-delivery"}),
    ("ESHttpPost", f"{DAY}/_delete_by_query", {"counts-delivery"}),
    ("ESHttpPost", f"{DAY}/_update_by_query", {"counts-delivery"}),
    ("ESHttpPost", f"{DOMAIN}/_aliases", {"counts-delivery", "correct-operator"}),
    ("ESHttpPost", f"{DOMAIN}/_reindex", {"counts-delivery"}),
    ("ESHttpPost", f"{DOMAIN}/_search", {"counts-delivery"}),
    ("ESHttpPut", f"{DAY}/_settings", {"counts-delivery"}),
    ("ESHttpPut", f"{DAY}/_alias/{FAMILY}", {"counts-delivery", "search-bootstrap"}),
    ("ESHttpPut", f"{DOMAIN}/_cluster/settings", {"counts-delivery"}),
    ("ESHttpPut", f"{DOMAIN}/_snapshot/theirs", {"counts-delivery"}),
    ("UpdateDomainConfig", DOMAIN, NOBODY),
    ("DeleteDomain", DOMAIN, NOBODY),
]
STREAM = [
    ("PutRecords", SOURCE, {"forwarder", "web-server"}),
    ("PutRecord", SOURCE, NOBODY),
    ("PutRecords", MOBILE, {"mobile-app"}),
    ("PutRecord", MOBILE, {"mobile-app"}),
    ("PutRecords", SOURCE.replace(NAMES.source_stream, "another"), NOBODY),
    ("PutRecords", SOURCE.replace(OREGON, TOKYO), NOBODY),
    ("GetRecords", SOURCE, {"AnalyticsRole", "RawBackupRole"}),
    ("GetRecords", MOBILE, {"forwarder"}),
    ("SubscribeToShard", f"{SOURCE}/consumer/theirs:1", NOBODY),
    *((action, stream, NOBODY) for stream in (SOURCE, MOBILE) for action in (
        "DeleteStream", "MergeShards", "SplitShard", "UpdateShardCount", "DecreaseStreamRetentionPeriod",
        "StopStreamEncryption", "RegisterStreamConsumer", "PutResourcePolicy",
    )),
]  # fmt: skip
DELIVERY = [
    ("PutRecordBatch", COUNTS, {"AnalyticsRole", "redelivery", "replay", "replay-operator"}),
    ("PutRecordBatch", REJECTS, {"AnalyticsRole"}),
    ("PutRecord", COUNTS, NOBODY),
    ("PutRecordBatch", RAW_BACKUP, NOBODY),
    ("UpdateDestination", COUNTS, NOBODY),
    ("DeleteDeliveryStream", COUNTS, NOBODY),
]
OBJECTS = [
    ("PutObject", f"{RAW}/raw/2026/01/31/00/a.gz", {"RawBackupRole", "erase-operator"}),
    ("PutObject", f"{RAW}/replays/a/counts", {"replay", "replay-application"}),
    ("PutObject", f"{RAW}/erased/a", {"erase-operator"}),
    ("PutObject", f"{REJECTED}/rejected/a.gz", {"RejectsDeliveryRole", "erase-operator"}),
    ("PutObject", f"{REJECTED}/given-up/a", {"redelivery"}),
    ("PutObject", VERSION, {"segments-publisher"}),
    ("PutObject", f"{SEGMENTS}/corrections/20260131T000000Z/0001.csv", {"segments-publisher"}),
    ("PutObject", f"{SEGMENTS}/receipts/a.json", {"segments-publisher"}),
    ("PutObject", f"{SEGMENTS}/incoming/a.csv", {"publish-operator", "erase-operator"}),
    ("PutObject", f"{DEAD}/rejected-records/a", {"forwarder", "erase-operator"}),
    ("PutObject", "arn:aws:s3:::another-bucket/a", NOBODY),
    ("DeleteObject", f"{RAW}/raw/2026/01/31/00/a.gz", NOBODY),
    ("DeleteObject", f"{RAW}/replays/a/counts", {"replay", "replay-application"}),
    ("DeleteObject", f"{REJECTED}/rejected/a.gz", NOBODY),
    ("DeleteObject", f"{REJECTED}/failed-documents/counts/a", {"redelivery"}),
    ("DeleteObject", VERSION, {"segments-publisher"}),
    ("DeleteObject", f"{SEGMENTS}/receipts/a.json", NOBODY),
    ("DeleteObject", f"{DEAD}/rejected-records/a", NOBODY),
    ("DeleteObjectVersion", VERSION, NOBODY),
    ("GetObject", f"{SEGMENTS}/refused/a.csv", {"publish-operator"}),
    ("GetObject", f"{SEGMENTS}/incoming/a.csv", {"segments-publisher"}),
    *((action, bucket, NOBODY) for bucket in (RAW, REJECTED, SEGMENTS, DEAD) for action in (
        "DeleteBucket", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketAcl", "PutLifecycleConfiguration",
        "PutBucketVersioning", "PutEncryptionConfiguration", "PutBucketPublicAccessBlock",
        "PutReplicationConfiguration", "PutBucketNotification",
    )),
    *((action, f"{bucket}/raw/a", NOBODY) for bucket in (RAW, REJECTED, SEGMENTS, DEAD) for action in (
        "PutObjectAcl", "BypassGovernanceRetention", "RestoreObject", "ReplicateObject",
    )),
]  # fmt: skip
RANKINGS = [
    ("GetItem", TABLE, {"batch-server", "web-server"}),
    ("Scan", TABLE, {"feedback"}),
    ("PutItem", TABLE, {"feedback"}),
    ("PutItem", f"{TABLE}-other", NOBODY),
    *((action, TABLE, NOBODY) for action in (
        "DeleteItem", "DeleteTable", "UpdateItem", "BatchWriteItem", "UpdateTable",
        "ExportTableToPointInTime",
    )),
]  # fmt: skip
FUNCTIONS = [
    ("InvokeFunction", f"{IN_OREGON}{NAMES.replay}", {"replay-operator"}),
    ("InvokeFunction", f"{IN_TOKYO}{NAMES.feedback}", {"feedback-schedule"}),
    ("InvokeFunction", f"{IN_TOKYO}{NAMES.forwarder}", NOBODY),
    ("InvokeFunction", f"{IN_OREGON}{NAMES.application_lifecycle}", NOBODY),
    *((action, f"{IN_TOKYO}{NAMES.forwarder}", NOBODY) for action in (
        "UpdateFunctionCode", "UpdateFunctionConfiguration", "AddPermission", "DeleteFunction",
        "PutFunctionConcurrency", "UpdateEventSourceMapping", "GetFunction",
    )),
]  # fmt: skip
APPLICATIONS = [
    ("StopApplication", APPLICATION, {"application-lifecycle"}),
    ("DeleteApplicationSnapshot", APPLICATION, {"application-lifecycle"}),
    ("StopApplication", REPLAYS_APPLICATION, {"replay"}),
    ("DeleteApplication", REPLAYS_APPLICATION, {"replay"}),
    ("UpdateApplication", REPLAYS_APPLICATION, NOBODY),
    ("CreateApplication", "*", {"replay"}),
    *((action, APPLICATION, NOBODY) for action in (
        "DeleteApplication", "UpdateApplication", "CreateApplicationPresignedUrl",
        "AddApplicationOutput", "RollbackApplication",
    )),
]  # fmt: skip
IDENTITY = [
    *((f"iam:{action}", NAMES.role_arn(NAMES.forwarder), NOBODY) for action in (
        "PassRole", "PutRolePolicy", "AttachRolePolicy", "UpdateAssumeRolePolicy", "CreateRole",
        "DeleteRolePermissionsBoundary",
    )),
    ("iam:PassRole", REPLAY_ROLE, NOBODY),  # to no service
    ("iam:CreateUser", f"arn:aws:iam::{TWIN_ACCOUNT}:user/theirs", NOBODY),
    ("sts:AssumeRole", NAMES.role_arn(NAMES.operator_role("correct")), NOBODY),
    ("sts:AssumeRole", "arn:aws:iam::111111111111:role/theirs", NOBODY),
    *((f"kms:{action}", KEY, NOBODY) for action in (
        "Decrypt", "GenerateDataKey", "PutKeyPolicy", "CreateGrant",
    )),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{OREGON}:{TWIN_ACCOUNT}:secret:a", NOBODY),
    ("ssm:GetParameter", f"arn:aws:ssm:{OREGON}:{TWIN_ACCOUNT}:parameter/a", NOBODY),
    ("cognito-idp:AdminCreateUser", f"arn:aws:cognito-idp:{TOKYO}:{TWIN_ACCOUNT}:userpool/a", NOBODY),
    ("cognito-identity:GetOpenIdTokenForDeveloperIdentity", "*", NOBODY),
]  # fmt: skip
AROUND = [
    ("cloudwatch:PutMetricData", "*", NOBODY),
    ("cloudwatch:SetAlarmState", f"arn:aws:cloudwatch:{OREGON}:{TWIN_ACCOUNT}:alarm:a", NOBODY),
    ("cloudwatch:DisableAlarmActions", f"arn:aws:cloudwatch:{OREGON}:{TWIN_ACCOUNT}:alarm:a", NOBODY),
    ("logs:PutLogEvents", f"{FORWARDER_LOG}:log-stream:a", {"forwarder"}),
    ("logs:FilterLogEvents", FORWARDER_LOG, NOBODY),
    ("logs:GetLogEvents", f"{FORWARDER_LOG}:log-stream:a", NOBODY),
    ("logs:DeleteLogGroup", FORWARDER_LOG, NOBODY),
    ("logs:PutSubscriptionFilter", FORWARDER_LOG, NOBODY),
    ("sqs:SendMessage", QUEUE, {"feedback-schedule"}),
    ("sqs:ReceiveMessage", QUEUE, NOBODY),
    ("sqs:PurgeQueue", QUEUE, NOBODY),
    ("sns:Publish", f"arn:aws:sns:{OREGON}:{TWIN_ACCOUNT}:a", NOBODY),
    ("sns:Subscribe", f"arn:aws:sns:{OREGON}:{TWIN_ACCOUNT}:a", NOBODY),
    ("events:DisableRule", f"arn:aws:events:{OREGON}:{TWIN_ACCOUNT}:rule/{NAMES.replay}", NOBODY),
    ("scheduler:UpdateSchedule", f"arn:aws:scheduler:{TOKYO}:{TWIN_ACCOUNT}:schedule/default/a", NOBODY),
    ("athena:StartQueryExecution", f"arn:aws:athena:{OREGON}:{TWIN_ACCOUNT}:workgroup/primary", NOBODY),
    ("glue:UpdateTable", f"arn:aws:glue:{OREGON}:{TWIN_ACCOUNT}:table/click_trends_local/raw", NOBODY),
    ("glue:DeleteTable", f"arn:aws:glue:{OREGON}:{TWIN_ACCOUNT}:table/click_trends_local/raw", NOBODY),
    ("cloudformation:UpdateStack", f"arn:aws:cloudformation:{OREGON}:{TWIN_ACCOUNT}:stack/a/b", NOBODY),
    ("cloudformation:DeleteStack", f"arn:aws:cloudformation:{OREGON}:{TWIN_ACCOUNT}:stack/a/b", NOBODY),
    ("ec2:RunInstances", f"arn:aws:ec2:{OREGON}:{TWIN_ACCOUNT}:instance/*", NOBODY),
    ("organizations:LeaveOrganization", "*", NOBODY),
]
OF_SERVICES = {
    "es": SEARCH, "kinesis": STREAM, "firehose": DELIVERY, "s3": OBJECTS, "dynamodb": RANKINGS,
    "lambda": FUNCTIONS, "kinesisanalytics": APPLICATIONS,
}  # fmt: skip
WITH_KEYS = [
    ("cloudwatch:GetMetricData", "*", OREGON, (), READ_METRICS),
    ("cloudwatch:GetMetricData", "*", TOKYO, (), {"application-lifecycle"}),
    *(
        ("iam:PassRole", REPLAY_ROLE, OREGON, (("iam:passedtoservice", service),), may)
        for service, may in (
            ("kinesisanalytics.amazonaws.com", {"replay"}),
            ("lambda.amazonaws.com", NOBODY),
            ("ec2.amazonaws.com", NOBODY),
        )
    ),
    *(
        ("s3:ListBucket", RAW, OREGON, (("s3:prefix", prefix),), may)
        for prefix, may in (
            ("raw/", {
                "RawBackupRole", "analysts", "correct-operator", "erase-operator", "reconcile-operator",
                "reconciliation", "replay", "replay-application", "replay-operator",
            }),
            ("replays/", {
                "RawBackupRole", "analysts", "erase-operator", "reconcile-operator", "reconciliation",
                "replay", "replay-application",
            }),
        )
    ),
]  # fmt: skip
TOPIC = OPTIONS["alarms"]["oregon_topic_arn"].replace(ACCOUNT, TWIN_ACCOUNT)


def calls_with_options() -> list[OtherCall]:
    """Beside `other_calls`, where the alarms have a topic."""
    through, for_it = f"sns.{OREGON}.amazonaws.com", "kms:encryptioncontext:aws:sns:topicarn"
    right, other = TOPIC, f"{TOPIC}-other"
    told = [
        ("sns:Publish", right, (), {"segments-publisher"}),
        ("sns:Publish", other, (), NOBODY),
        ("sns:Subscribe", right, (), NOBODY),
        *(
            ("kms:Decrypt", KEY, (("kms:viaservice", service), (for_it, topic)), may)
            for service, topic, may in (
                (through, right, {"segments-publisher"}),
                (through, other, NOBODY),
                (f"s3.{OREGON}.amazonaws.com", right, NOBODY),
            )
        ),
        ("kms:Encrypt", KEY, (("kms:viaservice", through), (for_it, right)), NOBODY),
    ]
    return [
        OtherCall(action=action, resource=arn, region=OREGON, keys=keys, allowed_roles=frozenset(may))
        for action, arn, keys, may in told
    ]


def other_calls() -> Iterator[OtherCall]:
    listed = [
        (f"{name}:{action}", arn, may) for name, calls in OF_SERVICES.items() for action, arn, may in calls
    ]
    for action, arn, may in [*listed, *IDENTITY, *AROUND]:
        region = arn.split(":")[3] if arn.count(":") > 3 else ""
        yield OtherCall(action=action, resource=arn, region=region or OREGON, allowed_roles=frozenset(may))
    for action, arn, region, keys, may in WITH_KEYS:
        yield OtherCall(action=action, resource=arn, region=region, keys=keys, allowed_roles=frozenset(may))
