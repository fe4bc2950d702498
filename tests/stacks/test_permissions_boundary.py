"""The permissions boundary of the settings limits every role, and none where they name none."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk.assertions import Template
from aws_cdk.aws_s3 import Bucket

from settings import SettingsError, load
from stacks.app import build_app
from stacks.constructs.permissions_boundary import bound_roles

ACCOUNT = "111111111111"
AWS_POLICY = "arn:aws:iam::aws:policy/PowerUserAccess"


def environment(folder: Path, boundary: str, account: str = ACCOUNT) -> Path:
    lines = [
        'environment = "bounded"',
        f'account = "{account}"',
        "[deployment]",
        f"permissions_boundary = {json.dumps(boundary)}",
    ]
    (folder / "bounded.toml").write_text("\n".join(lines))
    return folder


def roles(templates: dict[str, Any]) -> dict[str, Any]:
    """Properties of every IAM role and user, by stack and logical id."""
    return {
        f"{stack}/{logical_id}": resource["Properties"]
        for stack, template in templates.items()
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] in {"AWS::IAM::Role", "AWS::IAM::User"}
    }


def test_every_role_of_every_stack_has_the_boundary(
    tmp_path: Path, no_jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = environment(tmp_path, "limits")
    monkeypatch.setattr("stacks.app.load", lambda name: load(name, folder))
    app = build_app("bounded", outdir=tmp_path / "out", jar=no_jar)
    assembly = Path(app.synth(skip_validation=True).directory)
    found = roles({file.name: json.loads(file.read_text()) for file in assembly.glob("*.template.json")})
    assert len(found) > 20
    for made in ("LambdaRole", "OperatorRole", "DeliveryRole"):
        assert [name for name in found if made in name], sorted(found)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/limits"
    assert {name: role.get("PermissionsBoundary") for name, role in found.items()} == dict.fromkeys(
        found, arn
    )


def test_the_role_of_a_custom_resource_of_the_cdk_itself_has_it_too() -> None:
    stack = Stack(App(), "Stack")
    Bucket(stack, "Bucket", auto_delete_objects=True, removal_policy=RemovalPolicy.DESTROY)
    bound_roles(stack, boundary_arn=AWS_POLICY)
    [role] = Template.from_stack(stack).find_resources("AWS::IAM::Role").values()
    assert role["Properties"]["PermissionsBoundary"] == AWS_POLICY


def test_without_the_setting_no_role_has_a_boundary(templates: dict[str, Any]) -> None:
    assert not [name for name, role in roles(templates).items() if "PermissionsBoundary" in role]


@pytest.mark.parametrize(
    ("boundary", "account", "message"),
    [
        (
            "arn:aws:iam::000000000000:policy/limits",
            ACCOUNT,
            f"must be a policy of account {ACCOUNT} or of AWS",
        ),
        ("limits", "000000000000", "is for an account on AWS: remove it"),
        ("arn:aws:iam::111111111111:role/limits", ACCOUNT, "deployment.permissions_boundary: String should"),
        ("arn:aws:iam::aws:policy/", ACCOUNT, "deployment.permissions_boundary: String should"),
        ("with a space", ACCOUNT, "deployment.permissions_boundary: String should"),
        ("", ACCOUNT, "deployment.permissions_boundary: String should"),
        ("l" * 129, ACCOUNT, "deployment.permissions_boundary: String should"),
    ],
)
def test_a_boundary_that_no_role_could_have_is_refused(
    tmp_path: Path, boundary: str, account: str, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        load("bounded", environment(tmp_path, boundary, account))


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{ACCOUNT}:policy/guards/limits", AWS_POLICY])
def test_a_policy_may_be_of_a_path_or_of_aws(tmp_path: Path, arn: str) -> None:
    settings = load("bounded", environment(tmp_path, arn))
    assert settings.deployment.boundary_arn(ACCOUNT) == arn
