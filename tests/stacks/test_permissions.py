"""What each role and the domain allow and refuse, request by request; each statement is in the snapshots."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest

from contract.sink import CLICK_COUNTS, SINKS
from names import Names, counts_alias, day_index, delivery_index, generation_family, index_pattern
from stacks.search import access as search_access
from stacks.search.access import SearchAccess

NAMES = Names(environment="production", account="111111111111")
FAMILY = CLICK_COUNTS.index_family
ALIAS = counts_alias(FAMILY)
NEXT_DAY = day_index(generation_family(FAMILY, 2), date(2026, 1, 31))
INDICES, DAY = index_pattern(FAMILY), day_index(FAMILY, date(2026, 1, 31))
Resources = Callable[[str], list[dict[str, Any]]]
Statement = dict[str, Any]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def permissions(resources: Resources, role_name: str) -> list[Statement]:
    [role] = [role for role in resources("AWS::IAM::Role") if role.get("RoleName") == role_name]
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def matches(pattern: str, text: str) -> bool:
    """As IAM compares: a * spans anything, slashes too."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


def allowed(statements: Iterable[Statement], action: str, resource: str) -> bool:
    effects = {
        statement["Effect"]
        for statement in statements
        if action in listed(statement["Action"])
        and any(matches(pattern, resource) for pattern in listed(statement["Resource"]))
    }
    return effects == {"Allow"}


def granted(statements: Iterable[Statement]) -> dict[str, Any]:
    """Action -> resources, of what is allowed; each action once."""
    allows = [one for one in statements if one["Effect"] == "Allow"]
    found = {action: one["Resource"] for one in allows for action in listed(one["Action"])}
    assert len(found) == sum(len(listed(one["Action"])) for one in allows)
    return found


def test_who_tells_completeness_reads_the_metrics_of_oregon_and_of_no_other_region(
    resources: Resources,
) -> None:
    for role in (NAMES.batch_server_role, NAMES.feedback):
        [statement] = [
            one
            for one in permissions(resources, role)
            if any(action.startswith("cloudwatch:") for action in listed(one["Action"]))
        ]
        assert statement["Action"] == "cloudwatch:GetMetricData"
        assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": NAMES.oregon}}


@pytest.mark.parametrize("path", [f"/{ALIAS}/_search", f"/{INDICES}/_search", f"/{DAY}/_search"])
def test_the_feedback_function_may_search(resources: Resources, path: str) -> None:
    resource = NAMES.search_domain_arn + path
    assert allowed(permissions(resources, NAMES.feedback), "es:ESHttpPost", resource)
    assert allowed(domain_policy(resources, NAMES.feedback), "es:ESHttpPost", resource)


@pytest.mark.parametrize("path", [f"/{ALIAS}/_search", f"/{INDICES}/_search", f"/{DAY},{DAY}/_search"])
def test_the_batch_server_may_ask(resources: Resources, path: str) -> None:
    action, resource = "es:ESHttpPost", NAMES.search_domain_arn + path
    assert allowed(permissions(resources, NAMES.batch_server_role), action, resource)
    assert allowed(domain_policy(resources, NAMES.batch_server_role), action, resource)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("Post", "/_bulk"),
        ("Post", f"/{DAY}/_bulk"),
        ("Post", f"/{DAY}/_doc"),
        ("Post", f"/{ALIAS}/_doc"),
        ("Post", f"/{ALIAS}/_doc/_search"),
        ("Post", f"/{NEXT_DAY}/_search"),
        # A document may have the id "_search": OpenSearch 3.6 stores it.
        ("Post", f"/{DAY}/_doc/_search"),
        ("Post", f"/{DAY}/_create/_count"),
        ("Post", f"/{DAY}/_update/_msearch"),
        ("Post", f"/{DAY}/%5Fdoc/_search"),
        ("Post", f"/{DAY}/_delete_by_query"),
        ("Put", f"/{DAY}/_search"),
        ("Delete", f"/{DAY}"),
        ("Get", "/_search"),
        ("Get", f"/{ALIAS}/_search"),
        ("Post", f"/{ALIAS}/_count"),
        ("Post", f"/{INDICES}/_msearch"),
        ("Post", "/other/_search"),
    ],
)
@pytest.mark.parametrize("role", [NAMES.batch_server_role, NAMES.feedback])
def test_whoever_reads_may_change_nothing(resources: Resources, role: str, method: str, path: str) -> None:
    action, resource = f"es:ESHttp{method}", NAMES.search_domain_arn + path
    assert not allowed(permissions(resources, role), action, resource)
    assert not allowed(domain_policy(resources, role), action, resource)


@pytest.mark.parametrize("route", ["_import", "_resolve_import_errors", "_find"])
def test_nobody_but_the_delivery_may_use_opensearch_dashboards(resources: Resources, route: str) -> None:
    """Firehose's guide wants the delivery to write to every path: docs/start/opensearch_dashboards.md."""
    path = f"{NAMES.search_domain_arn}/_dashboards/api/saved_objects/{route}"
    deliveries = {NAMES.delivery_role(sink.name) for sink in SINKS}
    for role in resources("AWS::IAM::Role"):
        statements = [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]
        for method in ("Get", "Post", "Put", "Delete"):
            if allowed(statements, f"es:ESHttp{method}", path):
                assert role.get("RoleName") in deliveries


def domain_policy(resources: Resources, role_name: str) -> list[Statement]:
    [domain] = resources("AWS::OpenSearchService::Domain")
    arn = NAMES.role_arn(role_name)
    statements: list[Statement] = domain["AccessPolicies"]["Statement"]
    return [one for one in statements if one["Condition"] == {"ArnEquals": {"aws:PrincipalArn": arn}}]


def test_only_readers_delivery_bootstrap_and_correction_get_into_the_domain(resources: Resources) -> None:
    [domain] = resources("AWS::OpenSearchService::Domain")
    deliveries = {NAMES.delivery_role(sink.name) for sink in SINKS}
    roles = {
        NAMES.batch_server_role,
        NAMES.feedback,
        NAMES.reconciliation,
        NAMES.operator_role("reconcile"),
        NAMES.search_bootstrap,
        NAMES.operator_role("correct"),
        NAMES.operator_role("replay"),
        *deliveries,
    }
    named = [statement for role in roles for statement in domain_policy(resources, role)]
    assert len(named) == len(domain["AccessPolicies"]["Statement"])


@pytest.mark.parametrize("access", search_access.ALL, ids=lambda access: access.sid)
def test_the_domain_and_the_role_say_the_same(resources: Resources, access: SearchAccess) -> None:
    role = access.role(NAMES)
    [own] = [one for one in permissions(resources, role) if one["Sid"] == access.sid]
    [domains] = [one for one in domain_policy(resources, role) if one["Sid"] == access.sid]
    for part in ("Effect", "Action", "Resource"):
        assert listed(own[part]) == listed(domains[part])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        # Firehose asks for the domain itself before it creates a delivery stream.
        ("Get", ""),
        ("Get", "/"),
        ("Get", "/_nodes/stats"),
        ("Post", ""),
        ("Put", ""),
        ("Post", "/_bulk"),
    ],
)
def test_the_counts_delivery_reaches_the_domain_and_what_is_below_it(
    resources: Resources, method: str, path: str
) -> None:
    action, resource = f"es:ESHttp{method}", NAMES.search_domain_arn + path
    role = NAMES.delivery_role(CLICK_COUNTS.name)
    assert allowed(permissions(resources, role), action, resource)
    assert allowed(domain_policy(resources, role), action, resource)


def test_the_counts_delivery_reads_no_document(resources: Resources) -> None:
    action, resource = "es:ESHttpGet", f"{NAMES.search_domain_arn}/{FAMILY}-other.2026.01.31/_search"
    assert not allowed(permissions(resources, NAMES.delivery_role(CLICK_COUNTS.name)), action, resource)


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("Get", f"/_alias/{ALIAS}", True),
        ("Get", f"/{INDICES}/_alias", True),
        ("Put", f"/{DAY},{DAY}/_alias/{ALIAS}", True),
        ("Put", f"/{NEXT_DAY}/_alias/{ALIAS}", True),
        ("Post", "/_aliases", False),
        ("Delete", f"/{DAY}/_alias/{ALIAS}", False),
        ("Put", f"/{DAY}", False),
        ("Put", f"/{DAY}/_doc/{ALIAS}", False),
        ("Put", f"/{DAY}/_alias/other", False),
        ("Get", f"/{DAY}/_search", False),
    ],
)
def test_the_bootstrap_gives_the_alias_and_takes_or_reads_nothing(
    resources: Resources, method: str, path: str, may: bool
) -> None:
    action, resource = f"es:ESHttp{method}", NAMES.search_domain_arn + path
    assert allowed(permissions(resources, NAMES.search_bootstrap), action, resource) == may
    assert allowed(domain_policy(resources, NAMES.search_bootstrap), action, resource) == may


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("Get", f"/_alias/{ALIAS}", True),
        ("Post", "/_aliases", True),
        ("Post", f"/{delivery_index(generation_family(FAMILY, 2))}/_bulk", True),
        ("Put", f"/{NEXT_DAY}", True),
        ("Put", f"/_index_template/{FAMILY}", True),
        ("Delete", f"/{DAY}", True),
        ("Put", f"/{DAY}", False),
        ("Put", f"/_ingest/pipeline/{FAMILY}", False),
        ("Delete", f"/_index_template/{FAMILY}", False),
        ("Post", "/_bulk", False),
        ("Delete", "/other.2026.01.31", False),
        ("Delete", "/*", False),
        ("Put", "/_cluster/settings", False),
    ],
)
def test_who_corrects_counts_changes_nothing_else_in_the_domain(
    resources: Resources, method: str, path: str, may: bool
) -> None:
    role = NAMES.operator_role("correct")
    action, resource = f"es:ESHttp{method}", NAMES.search_domain_arn + path
    assert allowed(permissions(resources, role), action, resource) == may
    assert allowed(domain_policy(resources, role), action, resource) == may


def test_who_corrects_counts_reads_raw_clicks_and_segments_and_writes_neither(resources: Resources) -> None:
    statements = permissions(resources, NAMES.operator_role("correct"))
    raw, segments = (f"arn:aws:s3:::{bucket}" for bucket in (NAMES.raw_bucket, NAMES.segments_bucket))
    corrected = f"{segments}/corrections/20260131T000000Z/0001.csv"
    for key in (f"{raw}/raw/2026/01/31/00/a.gz", f"{segments}/segments/20260131T000000Z.csv", corrected):
        assert allowed(statements, "s3:GetObject", key)
        for action in ("s3:PutObject", "s3:DeleteObject"):
            assert not allowed(statements, action, key)
    assert not allowed(statements, "s3:GetObject", f"arn:aws:s3:::{NAMES.rejected_bucket}/rejected/a.gz")


@pytest.fixture(name="of_the_application")
def permissions_of_the_application(resources: Resources) -> list[Statement]:
    [role] = [
        role
        for role in resources("AWS::IAM::Role")
        if "kinesisanalytics.amazonaws.com" in str(role["AssumeRolePolicyDocument"])
        and role.get("RoleName") != NAMES.replay_application
    ]
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def test_the_application_may_find_out_that_there_are_no_segments_yet(
    of_the_application: list[Statement],
) -> None:
    """Of an empty folder S3A also asks for the object of its name, and S3 answers HEAD with 403 without the
    permission to get it, whatever may be listed (S3 API reference, HeadObject, "Permissions")."""
    bucket = f"arn:aws:s3:::{NAMES.segments_bucket}"
    on_segments = [one for one in of_the_application if str(one["Sid"]).endswith("Segments")]
    assert allowed(on_segments, "s3:ListBucket", bucket)
    for key in ("segments", "segments/20260131T000000Z.csv", "corrections/20260131T000000Z/0001.csv"):
        assert allowed(on_segments, "s3:GetObject", f"{bucket}/{key}")
    assert not allowed(on_segments, "s3:GetObject", f"{bucket}/incoming/segments.csv")


def test_the_application_reads_its_code_and_the_source_stream(
    of_the_application: list[Statement], templates: dict[str, Any]
) -> None:
    found = granted([one for one in of_the_application if not str(one["Sid"]).endswith("Segments")])
    reads = ("DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")
    assert {name for name in found if name.startswith("kinesis:")} == {f"kinesis:{name}" for name in reads}
    assert {found[f"kinesis:{name}"] for name in reads} == {NAMES.source_stream_arn}
    [application] = [
        one["Properties"]
        for one in templates["OregonAnalytics"]["Resources"].values()
        if one["Type"] == "AWS::KinesisAnalyticsV2::Application"
    ]
    code = application["ApplicationConfiguration"]["ApplicationCodeConfiguration"]["CodeContent"]
    assert str(found["s3:GetObject"]).count(f"/{code['S3ContentLocation']['FileKey']}'") == 1


def test_the_lifecycle_changes_its_application_and_nothing_else(resources: Resources) -> None:
    found = granted(permissions(resources, NAMES.application_lifecycle))
    arns = {action: arn for action, arn in found.items() if action.startswith("kinesisanalytics:")}
    assert set(arns.values()) == {NAMES.application_arn}
    assert {action.partition(":")[2] for action in arns} == {
        "DescribeApplication",
        "DescribeApplicationOperation",
        "ListApplicationOperations",
        "ListApplicationSnapshots",
        "StartApplication",
        "StopApplication",
        "DeleteApplicationSnapshot",
    }
