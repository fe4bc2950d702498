"""The roles that GitHub's workflows take: nobody else's workflow, nobody else's environment, no data."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from names import OREGON, TOKYO
from tests.conftest import PROJECT

FILE = PROJECT / "operations" / "ci" / "roles.yaml"


class Intrinsic(yaml.SafeLoader):
    """Reads `!Sub x` and the like as x."""


def _plain(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


Intrinsic.add_multi_constructor("!", _plain)
TEMPLATE: dict[str, Any] = yaml.load(FILE.read_text(encoding="utf-8"), Intrinsic)
ROLES = {name: TEMPLATE["Resources"][name]["Properties"] for name in ("Deploy", "Read")}


# What AWS's ReadOnlyAccess allows of the services used here that hands out records, objects, documents,
# readers, log lines, or credentials to write with (AWS managed policy reference).
DATA = {
    "cognito-identity:GetCredentialsForIdentity",
    "cognito-identity:GetOpenIdToken",
    "cognito-identity:GetOpenIdTokenForDeveloperIdentity",
    "cognito-identity:ListIdentities",
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminListDevices",
    "cognito-idp:AdminListGroupsForUser",
    "cognito-idp:AdminListUserAuthEvents",
    "cognito-idp:ListUsers",
    "cognito-idp:ListUsersInGroup",
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
    "es:ESHttpGet",
    "es:ESHttpHead",
    "kinesis:GetRecords",
    "kinesisanalytics:DiscoverInputSchema",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "logs:StartLiveTail",
    "logs:StartQuery",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "sqs:ReceiveMessage",
    "sts:AssumeRole",
}
# What drift detection reads of the same services.
CONFIGURATION = {
    "cognito-idp:DescribeUserPool",
    "cognito-idp:GetUserPoolMfaConfig",
    "cognito-identity:DescribeIdentityPool",
    "cognito-identity:GetIdentityPoolRoles",
    "dynamodb:DescribeTable",
    "dynamodb:GetResourcePolicy",
    "es:DescribeDomain",
    "kinesisanalytics:DescribeApplication",
    "logs:DescribeLogGroups",
    "s3:GetBucketPolicy",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "sqs:GetQueueAttributes",
}


def test_cfn_lint_finds_nothing() -> None:
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(FILE)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_each_role_is_for_one_environment_of_one_repository() -> None:
    for name, subject in (("Deploy", "${Environment}"), ("Read", "${Environment}-read")):
        [statement] = ROLES[name]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Condition"] == {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": "repo:${Subject}:environment:" + subject,
            }
        }


def test_both_roles_take_the_permissions_boundary_that_the_account_demands() -> None:
    assert TEMPLATE["Parameters"]["PermissionsBoundary"]["Default"] == ""
    for role in ROLES.values():
        assert role["PermissionsBoundary"] == ["IsBounded", "PermissionsBoundary", "AWS::NoValue"]


def test_the_subject_is_a_repository_with_or_without_its_numbers_and_never_a_pattern() -> None:
    allowed = re.compile(TEMPLATE["Parameters"]["Subject"]["AllowedPattern"])
    assert allowed.match("somebody/click-trends")
    assert allowed.match("somebody@123456/click-trends@456789")
    for wrong in ("somebody/*", "*", "somebody", "somebody/x:ref:refs/heads/main", "somebody/x/y", "a b/c"):
        assert not allowed.match(wrong), wrong


def test_the_deploying_role_assumes_only_the_bootstrap_roles_of_both_regions() -> None:
    [policy] = ROLES["Deploy"]["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert "ManagedPolicyArns" not in ROLES["Deploy"]
    assert statement["Action"] == "sts:AssumeRole"
    taken = {resource.partition(":role/")[2] for resource in statement["Resource"]}
    assert taken == {
        f"cdk-hnb659fds-{role}-role-${{AWS::AccountId}}-{region}"
        for role in ("deploy", "file-publishing", "lookup")
        for region in ("${TokyoRegion}", "${OregonRegion}")
    }
    regions = TEMPLATE["Parameters"]
    assert (regions["TokyoRegion"]["Default"], regions["OregonRegion"]["Default"]) == (TOKYO, OREGON)
    for parameter in ("TokyoRegion", "OregonRegion"):
        allowed = re.compile(regions[parameter]["AllowedPattern"])
        assert allowed.match("eu-central-1")
        assert not allowed.match("*")


def test_the_reading_role_detects_drift_and_reads_no_data() -> None:
    [policy] = ROLES["Read"]["Policies"]
    allow, *deny = policy["PolicyDocument"]["Statement"]
    assert (allow["Effect"], {one["Effect"] for one in deny}) == ("Allow", {"Deny"})
    assert {action.partition(":")[0] for action in allow["Action"]} == {"cloudformation"}
    for data in DATA:
        assert any(fnmatch.fnmatchcase(data, pattern) for pattern in deny[0]["Action"]), data
    for configuration in CONFIGURATION:
        assert not any(fnmatch.fnmatchcase(configuration, pattern) for pattern in deny[0]["Action"])
    assert deny[1]["Action"] == "ssm:GetParameter*"
