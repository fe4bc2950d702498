"""The emulated AWS decides on calls of Managed Service for Apache Flink as IAM does."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from names import OREGON, TWIN_ACCOUNT
from twin.emulator import Emulator

OWN = f"arn:aws:kinesisanalytics:{OREGON}:{TWIN_ACCOUNT}:application/own"
OF_THE_APPLICATION = f"arn:aws:iam::{TWIN_ACCOUNT}:role/of-the-application"
ACTION = "kinesisanalytics:{}Application"


def allow(action: str, resource: str, **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **condition}


def passes(service: str) -> dict[str, Any]:
    condition = {"StringEquals": {"iam:PassedToService": service}}
    return allow("iam:PassRole", OF_THE_APPLICATION, Condition=condition)


def client(emulator: Emulator, role: str, *statements: dict[str, Any]) -> Any:
    """With a role of these permissions."""
    iam = emulator.client("iam", OREGON)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName="Rights", PolicyDocument=policy)
    return emulator.client_as(arn, "kinesisanalyticsv2", OREGON)


def create(flink: Any) -> None:
    flink.create_application(
        ApplicationName="own", RuntimeEnvironment="FLINK-1_20", ServiceExecutionRole=OF_THE_APPLICATION
    )


@pytest.mark.parametrize(
    ("role", "statements", "refused"),
    [
        ("of-one", [allow(ACTION.format("Create"), OWN)], "CreateApplication"),
        ("without-pass-role", [allow(ACTION.format("Create"), "*")], "iam:PassRole|CreateApplication"),
        (
            "passes-to-another",
            [allow(ACTION.format("Create"), "*"), passes("lambda.amazonaws.com")],
            "iam:PassRole|CreateApplication",
        ),
    ],
)
def test_an_application_is_created_only_with_both_permissions(
    emulator: Emulator, role: str, statements: list[dict[str, Any]], refused: str
) -> None:
    with pytest.raises(ClientError, match=f"AccessDenied.*({refused})"):
        create(client(emulator, role, *statements))


def test_a_role_manages_the_application_it_may_and_no_other(emulator: Emulator) -> None:
    manages = (allow(ACTION.format(verb), OWN) for verb in ("Describe", "Delete"))
    creates = allow(ACTION.format("Create"), "*")
    flink = client(emulator, "manages", creates, passes("kinesisanalytics.amazonaws.com"), *manages)
    create(flink)
    detail = flink.describe_application(ApplicationName="own")["ApplicationDetail"]
    with pytest.raises(ClientError, match="AccessDenied"):
        flink.describe_application(ApplicationName="another")
    with pytest.raises(ClientError, match="AccessDenied"):
        flink.start_application(ApplicationName="own", RunConfiguration={})
    flink.delete_application(ApplicationName="own", CreateTimestamp=detail["CreateTimestamp"])
