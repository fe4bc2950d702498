"""Reconciliation in the templates: its schedule, what it is told, and what it may not do."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.sink import CLICK_COUNTS
from lambdas.reconciliation.configuration import ReconciliationConfiguration
from lambdas.reconciliation.hours import Delays
from names import Names, counts_alias, delivery_index
from settings import load
from stacks.reconciliation import readable_objects, storage_mib
from tests.stacks.test_permissions import allowed, permissions

NAMES = Names(environment="production", account="111111111111")
Resources = Callable[[str], list[dict[str, Any]]]
ROLES = (NAMES.reconciliation, NAMES.operator_role("reconcile"))
HOUR = "2026/01/31/09"
SEARCH = f"/{counts_alias(CLICK_COUNTS.index_family)}/_search"


@pytest.fixture
def function(resources: Resources) -> dict[str, Any]:
    [found] = [
        one for one in resources("AWS::Lambda::Function") if one["FunctionName"] == NAMES.reconciliation
    ]
    return found


def test_the_function_is_told_when_a_minute_of_this_environment_is_final(function: dict[str, Any]) -> None:
    settings = load("production")
    variables = function["Environment"]["Variables"]
    of_lambda = {"AWS_REGION": NAMES.oregon, "AWS_LAMBDA_FUNCTION_NAME": NAMES.reconciliation}
    read = ReconciliationConfiguration.read({**variables, **of_lambda})
    assert read.delays == Delays.of(
        allowed_lateness_hours=settings.analytics.allowed_lateness_hours,
        archive_buffer_seconds=settings.delivery.archive_buffer_seconds,
    )
    assert (read.sink, read.index) == (CLICK_COUNTS.name, delivery_index(CLICK_COUNTS.index_family))
    assert (read.dead_letter_region, read.dead_letter_bucket) == (NAMES.tokyo, NAMES.dead_letter_bucket)


def test_it_is_invoked_once_an_hour_and_may_read_for_a_quarter(
    resources: Resources, function: dict[str, Any]
) -> None:
    [rule] = [one for one in resources("AWS::Events::Rule") if one["Name"] == NAMES.reconciliation]
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    assert function["Timeout"] == 900


@pytest.mark.parametrize(
    ("clicks_per_second", "mib"), [(1, 512), (1_000, 512), (10_000, 1717), (1_000_000, 10_240)]
)
def test_an_hour_at_the_declared_peak_fits_into_its_files(clicks_per_second: float, mib: int) -> None:
    assert storage_mib(clicks_per_second) == mib


@pytest.mark.parametrize("stream", ["", ":log-stream:"])
def test_the_function_reads_its_own_log_and_no_other(resources: Resources, stream: str) -> None:
    arn = f"arn:aws:logs:{NAMES.oregon}:{NAMES.account}:log-group:/aws/lambda/"
    own = permissions(resources, NAMES.reconciliation)
    assert allowed(own, "logs:FilterLogEvents", f"{arn}{NAMES.reconciliation}{stream}")
    assert not allowed(own, "logs:FilterLogEvents", f"{arn}{NAMES.redelivery}{stream}")
    assert not allowed(own, "logs:DeleteLogGroup", f"{arn}{NAMES.reconciliation}{stream}")


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.raw_bucket}/raw/{HOUR}/object.json.gz"),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.raw_bucket}/erased/run.json"),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.rejected_bucket}/rejected/{HOUR}/object.json.gz"),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.rejected_bucket}/waiting-documents/counts/object"),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.dead_letter_bucket}/aws/lambda/object"),
        ("s3:ListBucket", f"arn:aws:s3:::{NAMES.dead_letter_bucket}"),
        ("es:ESHttpPost", f"{NAMES.search_domain_arn}{SEARCH}"),
    ],
)
@pytest.mark.parametrize("role", ROLES)
def test_reconciliation_may_read(resources: Resources, role: str, action: str, resource: str) -> None:
    assert allowed(permissions(resources, role), action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        *(
            (f"s3:{action}", resource.replace("*", "object"))
            for resource in readable_objects(NAMES)
            for action in ("PutObject", "DeleteObject")
        ),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.segments_bucket}/segments/20260131T090000Z.csv"),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.raw_bucket}/raw-errors/object"),
        ("kinesis:GetRecords", NAMES.source_stream_arn),
        ("firehose:PutRecordBatch", NAMES.delivery_stream_arn(NAMES.delivery_stream("counts"))),
        ("es:ESHttpPost", f"{NAMES.search_domain_arn}/_bulk"),
        ("es:ESHttpPost", f"{NAMES.search_domain_arn}/click-counts.2026.01.31/_doc/_search"),
        ("es:ESHttpPost", f"{NAMES.search_domain_arn}/click-counts.2026.01.31/_search"),
        ("es:ESHttpGet", f"{NAMES.search_domain_arn}{SEARCH}"),
        ("es:ESHttpDelete", f"{NAMES.search_domain_arn}/click-counts.2026.01.31"),
        ("dynamodb:Scan", NAMES.trending_table_arn),
        ("cloudwatch:PutMetricData", "*"),
    ],
)
@pytest.mark.parametrize("role", ROLES)
def test_reconciliation_may_change_nothing_and_read_nothing_else(
    resources: Resources, role: str, action: str, resource: str
) -> None:
    assert not allowed(permissions(resources, role), action, resource)
