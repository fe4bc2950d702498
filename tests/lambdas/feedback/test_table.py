"""Requests to the table whose effect the emulator does not show: it is always consistent."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.feedback.table import RankingTable


@pytest.fixture
def client() -> Any:
    return boto3.client(
        "dynamodb", region_name="ap-northeast-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def test_each_page_of_a_scan_is_consistent(client: Any) -> None:
    """Another run's latest write must be seen."""
    expected = {"TableName": "rankings", "ConsistentRead": True}
    last = {"segment": {"S": "all"}}
    with Stubber(client) as stubber:
        stubber.add_response("scan", {"Items": [], "LastEvaluatedKey": last}, expected)
        stubber.add_response("scan", {"Items": []}, {**expected, "ExclusiveStartKey": last})
        assert RankingTable(client, "rankings").stored() == ({}, [])
        stubber.assert_no_pending_responses()
