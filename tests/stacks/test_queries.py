"""SQL over raw and rejected clicks in the templates: the tables, the limit, and what analysts may not do."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from names import Names
from settings import load
from tests.stacks.test_permissions import allowed, permissions

NAMES = Names(environment="production", account="111111111111")
Resources = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def tables(resources: Resources) -> dict[str, dict[str, Any]]:
    return {table["TableInput"]["Name"]: table["TableInput"] for table in resources("AWS::Glue::Table")}


@pytest.fixture
def prefixes(resources: Resources) -> dict[str, str]:
    """Bucket -> prefix, as the delivery streams to S3 write it."""
    found = [
        stream["ExtendedS3DestinationConfiguration"]
        for stream in resources("AWS::KinesisFirehose::DeliveryStream")
        if "ExtendedS3DestinationConfiguration" in stream
    ]
    return {one["BucketARN"].rpartition(":::")[2]: one["Prefix"] for one in found}


def test_a_table_finds_the_folder_that_firehose_writes_at_any_hour(
    tables: dict[str, dict[str, Any]], prefixes: dict[str, str]
) -> None:
    assert len(tables) == len(prefixes) == 2
    for table in tables.values():
        [key] = table["PartitionKeys"]
        name = key["Name"]
        parameters = table["Parameters"]
        assert parameters["projection.enabled"] == "true"
        assert parameters[f"projection.{name}.type"] == "date"
        hours = (parameters[f"projection.{name}.interval"], parameters[f"projection.{name}.interval.unit"])
        assert hours == ("1", "HOURS")
        form = parameters[f"projection.{name}.format"]
        place = parameters["storage.location.template"].removeprefix("s3://").replace(f"${{{name}}}", form)
        bucket, _, folder = place.partition("/")
        assert prefixes[bucket].replace(f"!{{timestamp:{form}}}", form) == folder
        assert place.startswith(table["StorageDescriptor"]["Location"].removeprefix("s3://"))


def test_a_table_shows_every_hour_whose_objects_still_exist(tables: dict[str, dict[str, Any]]) -> None:
    kept = load("production").delivery.raw_retention_days
    for table in tables.values():
        found = re.fullmatch(r"NOW-(\d+)DAYS,NOW", table["Parameters"]["projection.hour.range"])
        assert found
        assert int(found[1]) > kept


def test_a_line_is_one_column_whatever_characters_it_holds(tables: dict[str, dict[str, Any]]) -> None:
    """Trino compiles it with DOTALL, and Hive too: a dot matches line separators of Unicode."""
    line = '{"a":"\u2028\x01\x85,\t|"}'
    for table in tables.values():
        assert [column["Type"] for column in table["StorageDescriptor"]["Columns"]] == ["string"]
        serde = table["StorageDescriptor"]["SerdeInfo"]
        assert serde["SerializationLibrary"].endswith(".RegexSerDe")
        found = re.compile(serde["Parameters"]["input.regex"], re.DOTALL).fullmatch(line)
        assert found
        assert found.groups() == (line,)


def test_a_query_is_limited_and_its_answer_goes_where_answers_expire(resources: Resources) -> None:
    [group] = resources("AWS::Athena::WorkGroup")
    configuration = group["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    limit = configuration["BytesScannedCutoffPerQuery"]
    assert limit == load("production").queries.scan_limit_gib * 1024**3 >= 10_000_000  # Athena's smallest
    place = configuration["ResultConfiguration"]["OutputLocation"]
    assert place == f"s3://{NAMES.query_results_bucket}/results/"
    [bucket] = [
        one for one in resources("AWS::S3::Bucket") if one["BucketName"] == NAMES.query_results_bucket
    ]
    [rule] = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["ExpirationInDays"], rule["Status"], "Prefix" in rule) == (7, "Enabled", False)


HOUR = f"{datetime(2026, 1, 31, 9, tzinfo=UTC):%Y/%m/%d/%H}"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.raw_bucket}/raw/{HOUR}/object.json.gz"),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.rejected_bucket}/rejected/{HOUR}/object.json.gz"),
        ("s3:PutObject", f"arn:aws:s3:::{NAMES.query_results_bucket}/results/answer.csv"),
        ("athena:StartQueryExecution", f"arn:aws:athena:us-west-2:111111111111:workgroup/{NAMES.analysts}"),
        (
            "glue:GetTable",
            "arn:aws:glue:us-west-2:111111111111:table/click_trends_production/raw",
        ),
    ],
)
def test_an_analyst_may_ask(resources: Resources, action: str, resource: str) -> None:
    assert allowed(permissions(resources, NAMES.analysts), action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", f"arn:aws:s3:::{NAMES.raw_bucket}/raw/{HOUR}/object.json.gz"),
        ("s3:DeleteObject", f"arn:aws:s3:::{NAMES.raw_bucket}/raw/{HOUR}/object.json.gz"),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.raw_bucket}/erased/run.json"),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.rejected_bucket}/failed-documents/counts/object"),
        ("s3:GetObject", f"arn:aws:s3:::{NAMES.segments_bucket}/segments/20260131T090000Z.csv"),
        ("s3:DeleteObject", f"arn:aws:s3:::{NAMES.query_results_bucket}/results/answer.csv"),
        ("glue:UpdateTable", "arn:aws:glue:us-west-2:111111111111:table/click_trends_production/raw"),
        ("glue:CreateTable", "arn:aws:glue:us-west-2:111111111111:table/click_trends_production/mine"),
        ("glue:GetTable", "arn:aws:glue:us-west-2:111111111111:table/click_trends_staging/raw"),
        ("athena:StartQueryExecution", "arn:aws:athena:us-west-2:111111111111:workgroup/primary"),
        ("athena:UpdateWorkGroup", f"arn:aws:athena:us-west-2:111111111111:workgroup/{NAMES.analysts}"),
        ("kinesis:GetRecords", NAMES.source_stream_arn),
        ("es:ESHttpPost", f"{NAMES.search_domain_arn}/click-counts.2026.01.31/_search"),
    ],
)
def test_an_analyst_may_change_no_click_and_read_nothing_else(
    resources: Resources, action: str, resource: str
) -> None:
    assert not allowed(permissions(resources, NAMES.analysts), action, resource)
