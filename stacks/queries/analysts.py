"""Analysts: the workgroup that limits what their queries read, and the role that they assume."""

from aws_cdk import aws_athena as athena
from aws_cdk import aws_iam as iam
from constructs import Construct

from names import QUERY_RESULTS_PREFIX, RAW_PREFIX, REJECTED_PREFIX, Names
from settings.queries import QuerySettings
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.queries.tables import TABLES

RESULTS_DAYS = 7
"""An answer may hold whole clicks, so it goes soon."""
GIB = 1024**3


class Analysts(Construct):
    """The role trusts the account, as those of the commands do: stacks/constructs/operator_role.py."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, settings: QuerySettings) -> None:
        super().__init__(scope, construct_id)
        athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=names.analysts,
            description="SQL over raw and rejected clicks",
            # Only queries are in it, and answers are in the bucket.
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                bytes_scanned_cutoff_per_query=settings.scan_limit_gib * GIB,
                # Otherwise a client may name another place for its answers, where they would never expire.
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{names.query_results_bucket}/{QUERY_RESULTS_PREFIX}",
                    expected_bucket_owner=names.account,
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )
        read = [
            f"arn:aws:s3:::{names.raw_bucket}/{RAW_PREFIX}*",
            f"arn:aws:s3:::{names.rejected_bucket}/{REJECTED_PREFIX}*",
        ]
        results = f"arn:aws:s3:::{names.query_results_bucket}/{QUERY_RESULTS_PREFIX}*"
        role = iam.Role(
            self,
            "Role",
            role_name=names.analysts,
            description="Permissions of whoever asks raw and rejected clicks in SQL",
            assumed_by=iam.AccountPrincipal(names.account),
            inline_policies={
                "Rights": iam.PolicyDocument(statements=_permissions(names, read=read, results=results))
            },
        )
        acknowledge_wildcards(
            role,
            [*read, results],
            reason="Firehose and Athena name the objects themselves; nothing else lies below these prefixes.",
        )


def _permissions(names: Names, *, read: list[str], results: str) -> list[iam.PolicyStatement]:
    """Athena reads with the permissions of whoever asks (Athena user guide, "Control access to Amazon S3 from
    Athena", "Example workgroup policies" and "Configure access to databases and tables in the AWS Glue Data
    Catalog", which also wants the database `default`)."""
    catalog = f"arn:aws:glue:{names.oregon}:{names.account}"
    database = names.query_database
    buckets = [
        f"arn:aws:s3:::{bucket}"
        for bucket in (names.raw_bucket, names.rejected_bucket, names.query_results_bucket)
    ]
    asking = (
        *("BatchGetQueryExecution", "GetQueryExecution", "GetQueryResults", "GetQueryResultsStream"),
        *("GetWorkGroup", "ListQueryExecutions", "StartQueryExecution", "StopQueryExecution"),
    )
    permissions = {
        "AsksInTheWorkGroup": (
            [f"athena:{action}" for action in asking],
            [f"arn:aws:athena:{names.oregon}:{names.account}:workgroup/{names.analysts}"],
        ),
        "FindsTheDatabase": (
            ["glue:GetDatabase", "glue:GetDatabases"],
            [f"{catalog}:catalog", f"{catalog}:database/default", f"{catalog}:database/{database}"],
        ),
        "FindsTheTables": (
            ["glue:GetPartitions", "glue:GetTable", "glue:GetTables"],
            [
                f"{catalog}:catalog",
                f"{catalog}:database/{database}",
                *(f"{catalog}:table/{database}/{table}" for table in TABLES),
            ],
        ),
        "ReadsClicks": (["s3:GetObject"], read),
        "KeepsAnswers": (
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
            [results],
        ),
        "FindsObjects": (
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            buckets,
        ),
    }
    return [
        iam.PolicyStatement(sid=sid, actions=actions, resources=resources)
        for sid, (actions, resources) in permissions.items()
    ]
