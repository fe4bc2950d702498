"""A permissions boundary that no role could be given is found before the deployment."""

from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from operations.doctor.account import checks
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, Verdict, run
from operations.doctor.deployed import Deployed
from operations.doctor.wanted import WantedResources
from settings import load
from settings.deployment import DeploymentSettings

ARN = "arn:aws:iam::111111111111:policy/limits"


class IamAlone:
    """An account of which only IAM is asked."""

    def __init__(self) -> None:
        self.iam = boto3.client(
            "iam", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
        )

    def client(self, service: str, region: str) -> Any:
        assert (service, region) == ("iam", "us-east-1")
        return self.iam


def found(account: IamAlone, boundary: str | None) -> list[CheckResult]:
    deployment = DeploymentSettings(permissions_boundary=boundary)
    settings = load("production").model_copy(update={"deployment": deployment})
    wanted = WantedResources(settings=settings, resources=(), bootstrap_version=6)
    listed = checks(wanted, cast(Aws, account), cast(Deployed, None))
    return run([check for check in listed if check.name == "permissions boundary"])


@pytest.mark.parametrize("boundary", ["limits", ARN])
def test_a_policy_that_does_not_exist_is_named_with_what_to_do(boundary: str) -> None:
    account = IamAlone()
    with Stubber(account.iam) as answers:
        answers.add_client_error("get_policy", "NoSuchEntity", expected_params={"PolicyArn": ARN})
        [result] = found(account, boundary)
    assert (result.where, result.diagnosis.verdict) == ("account", Verdict.LACKS)
    assert result.diagnosis.text == f"The policy {ARN} does not exist."
    assert "correct deployment.permissions_boundary" in (result.diagnosis.remedy or "")


def test_a_policy_that_exists_is_fine() -> None:
    account = IamAlone()
    with Stubber(account.iam) as answers:
        answers.add_response("get_policy", {"Policy": {"Arn": ARN}}, {"PolicyArn": ARN})
        [result] = found(account, "limits")
    assert (result.diagnosis.verdict, result.diagnosis.text) == (Verdict.OK, ARN)


def test_one_that_may_not_be_looked_at_is_not_called_missing() -> None:
    account = IamAlone()
    with Stubber(account.iam) as answers:
        answers.add_client_error("get_policy", "AccessDenied")
        [result] = found(account, "limits")
    assert result.diagnosis.verdict is not Verdict.OK
    assert "does not exist" not in result.diagnosis.text


def test_without_the_setting_there_is_nothing_to_look_at() -> None:
    assert found(IamAlone(), None) == []
