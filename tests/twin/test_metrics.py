"""The emulated CloudWatch's read progress, queried like the batch server does."""

import itertools
import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clients.batch_server.progress import HANGING_READ, PERIOD, ProgressWatch, requests
from names import OREGON, TWIN_ACCOUNT, Names
from twin.emulator import Emulator
from twin.processes import wait_for
from twin.shards import ShardReader

_NUMBERS = itertools.count(1)


@pytest.fixture
def names() -> Names:
    return Names(environment=f"metrics-{next(_NUMBERS)}", account=TWIN_ACCOUNT)


def _minute(back: int) -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - back * PERIOD


def _report(emulator: Emulator, application: str, at: datetime, *behind: float) -> None:
    """For shards of their own, in milliseconds."""
    emulator.client("cloudwatch", OREGON).put_metric_data(
        Namespace="AWS/KinesisAnalytics",
        MetricData=[
            {
                "MetricName": "millisBehindLatest",
                "Dimensions": [
                    {"Name": "Application", "Value": application},
                    {"Name": "ShardId", "Value": f"shardId-{number}"},
                ],
                "Timestamp": at,
                "Value": value,
            }
            for number, value in enumerate(behind)
        ],
    )


def test_the_furthest_behind_shard_decides(emulator: Emulator, names: Names) -> None:
    newest = _minute(2)
    _report(emulator, names.application, newest, 0.0, 30_000.0)
    _report(emulator, names.application, newest - PERIOD, 0.0, 10_000.0)
    _report(emulator, "another", newest, 900_000.0)
    progress = ProgressWatch(
        emulator.client("cloudwatch", OREGON), names, clock=lambda: newest + 2 * PERIOD
    )()
    assert progress.problem is None
    assert progress.behind == timedelta(seconds=30)
    assert progress.read_until == newest - timedelta(seconds=30) - HANGING_READ


def test_a_shard_never_read_shows_though_others_are_read(emulator: Emulator, names: Names) -> None:
    newest = _minute(2)
    for minute in (newest, newest - PERIOD):
        _report(emulator, names.application, minute, 0.0, -1.0)
    client = emulator.client("cloudwatch", OREGON)
    progress = ProgressWatch(client, names, clock=lambda: newest + 2 * PERIOD)()
    assert "has read nothing so far of one shard or more" in str(progress.problem)


def test_an_application_that_reports_nothing_is_unknown(emulator: Emulator, names: Names) -> None:
    progress = ProgressWatch(emulator.client("cloudwatch", OREGON), names)()
    assert "has reported nothing" in str(progress.problem)


def test_each_record_read_counts_and_an_empty_read_is_zero(emulator: Emulator, names: Names) -> None:
    kinesis = emulator.client("kinesis", OREGON)
    kinesis.create_stream(StreamName=names.source_stream, ShardCount=1)
    reader = ShardReader(kinesis, names.source_stream_arn)
    begin = _minute(0)

    def read() -> list[float]:
        asked = [query for query in requests(names)[0] if query["Id"] == "read"]
        answer = emulator.client("cloudwatch", OREGON).get_metric_data(
            MetricDataQueries=asked, StartTime=begin, EndTime=begin + 5 * PERIOD
        )
        values: list[float] = answer["MetricDataResults"][0]["Values"]
        return values

    assert read() == []
    assert reader.read_all() == []
    assert sum(read()) == 0
    assert read()
    kinesis.put_records(
        StreamName=names.source_stream,
        Records=[{"Data": b"click", "PartitionKey": "a"} for _ in range(3)],
    )
    assert len(reader.read_all()) == 3
    reader.read_all()
    assert sum(read()) == 3
    assert reader.seconds_behind < 60


def test_a_stalled_shard_gives_nothing_and_says_how_late_it_is(emulator: Emulator, names: Names) -> None:
    kinesis = emulator.client("kinesis", OREGON)
    kinesis.create_stream(StreamName=names.source_stream, ShardCount=1)
    reader = ShardReader(kinesis, names.source_stream_arn)
    path = f"{emulator.endpoint}/_twin/streams/{OREGON}/{names.source_stream}/stalled"

    def stall(shards: list[str]) -> None:
        urllib.request.urlopen(path, data=json.dumps(shards).encode(), timeout=30).close()

    stall([*reader.shard_ids])
    kinesis.put_record(StreamName=names.source_stream, Data=b"click", PartitionKey="a")
    read_at = datetime.now(UTC)
    assert reader.read_all() == []
    wait_for(
        lambda: not reader.read_all() and reader.seconds_behind >= 1.0,
        what="the shard to be late",
        timeout_seconds=30,
    )
    stall([])
    [record] = reader.read_all()
    assert record.arrived_at <= read_at
    assert reader.seconds_behind < 1.0


def test_a_second_query_in_a_request_is_refused(emulator: Emulator, names: Names) -> None:
    [query] = [query for query in requests(names)[0] if query["Id"] == "behind"]
    answer = emulator.client("cloudwatch", OREGON).get_metric_data(
        MetricDataQueries=[query, {**query, "Id": "again"}], StartTime=_minute(5), EndTime=_minute(0)
    )
    assert {result["StatusCode"] for result in answer["MetricDataResults"]} == {"InternalError"}


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(("region", "allowed"), [(OREGON, True), ("ap-northeast-1", False)])
def test_a_permission_for_one_region_holds_only_there(
    emulator: Emulator, names: Names, region: str, allowed: bool
) -> None:
    iam: Any = emulator.client("iam", OREGON)
    role = f"reads-metrics-{names.environment}"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=_policy(trust))
    grant = {
        "Effect": "Allow",
        "Action": "cloudwatch:GetMetricData",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": OREGON}},
    }
    iam.put_role_policy(RoleName=role, PolicyName="reads", PolicyDocument=_policy(grant))
    client = emulator.client_as(names.role_arn(role), "cloudwatch", region)
    asked = {"MetricDataQueries": requests(names)[0], "StartTime": _minute(5), "EndTime": _minute(0)}
    if allowed:
        assert client.get_metric_data(**asked)["MetricDataResults"]
        return
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_metric_data(**asked)
