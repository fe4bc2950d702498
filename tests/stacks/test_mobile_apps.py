"""What Cognito vends to the apps, and when a synthesis warns: facts of the templates."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk.cx_api import SynthesisMessageLevel
from cdk_nag import AwsSolutionsChecks

from names import Names
from settings.mobile_apps import MobileAppsSettings
from stacks.constructs.retention import Retention
from stacks.producers.mobile_apps import MobileAppRoles, MobileIdentities

NAMES = Names(environment="production", account="111111111111")
TRIAL = Names(environment="trial", account="111111111111")
ISSUER = MobileAppsSettings(issuer="https://login.example.jp", client_ids=["news-app"])
PROVIDER_ARN = "arn:aws:iam::111111111111:oidc-provider/login.example.jp"
EXISTING_PROVIDER = MobileAppsSettings(issuer_provider_arn=PROVIDER_ARN)
GUESTS = MobileAppsSettings(guest_access=True)
AUD, AMR = "cognito-identity.amazonaws.com:aud", "cognito-identity.amazonaws.com:amr"

Resources = Callable[[str], list[dict[str, Any]]]


def synthesised(outdir: Path, mobile_apps: MobileAppsSettings) -> tuple[dict[str, Any], list[str]]:
    """Resources of one stack with both parts, past cdk-nag, and the synthesis' warnings."""
    app = App(outdir=str(outdir), analytics_reporting=False)
    stack = Stack(app, "Trial")
    retention = Retention(allowed=False, asked=False)
    identities = MobileIdentities(stack, "Identities", names=TRIAL, settings=mobile_apps, retention=retention)
    MobileAppRoles(
        stack,
        "Roles",
        pool_id=identities.pool.ref,
        stream_arn=TRIAL.mobile_stream_arn,
        guest_access=mobile_apps.guest_access,
        names=TRIAL,
    )
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    assembly = app.synth()
    warnings = [
        str(message.entry.data)
        for message in assembly.get_stack_by_name("Trial").messages
        if message.level is SynthesisMessageLevel.WARNING
    ]
    return json.loads((outdir / "Trial.template.json").read_text())["Resources"], warnings


def of_type(resources: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources.values() if one["Type"] == resource_type]


def role(resources: list[dict[str, Any]], name: str) -> dict[str, Any]:
    [found] = [one for one in resources if one.get("RoleName") == name]
    return found


def test_only_logged_in_identities_of_this_pool_get_the_role(
    resources: Resources, templates: dict[str, dict[str, Any]]
) -> None:
    trust = role(resources("AWS::IAM::Role"), NAMES.mobile_app_role)["AssumeRolePolicyDocument"]
    [statement] = trust["Statement"]
    assert statement["Principal"] == {"Federated": "cognito-identity.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    [exported] = statement["Condition"]["StringEquals"][AUD].values()
    assert statement["Condition"] == {
        "StringEquals": {AUD: {"Fn::ImportValue": exported}},
        "ForAnyValue:StringLike": {AMR: "authenticated"},
    }
    storage = templates["TokyoStorage"]
    [output] = [one for one in storage["Outputs"].values() if one.get("Export", {}).get("Name") == exported]
    assert storage["Resources"][output["Value"]["Ref"]]["Type"] == "AWS::Cognito::IdentityPool"


def test_a_user_pool_of_a_failed_creation_can_be_deleted_with_its_stack(resources: Resources) -> None:
    """Cognito refuses to delete a pool with deletion protection, and the rollback would end as failed."""
    [users] = resources("AWS::Cognito::UserPool")
    assert users.get("DeletionProtection", "INACTIVE") == "INACTIVE"


@pytest.mark.parametrize("mobile_apps", [MobileAppsSettings(), ISSUER], ids=["own accounts", "issuer"])
def test_a_synthesis_without_guests_warns_of_nothing(tmp_path: Path, mobile_apps: MobileAppsSettings) -> None:
    assert synthesised(tmp_path, mobile_apps)[1] == []


def test_guest_access_is_warned_of_with_what_it_means_and_what_to_do(tmp_path: Path) -> None:
    _, [warning] = synthesised(tmp_path, GUESTS)
    assert "anyone" in warning
    assert "set guest_access = false" in warning


def test_guests_have_a_role_of_their_own_with_the_same_permission(tmp_path: Path) -> None:
    resources, _ = synthesised(tmp_path, GUESTS)
    roles = of_type(resources, "AWS::IAM::Role")
    reader, guest = role(roles, TRIAL.mobile_app_role), role(roles, TRIAL.mobile_guest_role)
    assert guest["Policies"] == reader["Policies"]
    [trust] = guest["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["ForAnyValue:StringLike"] == {AMR: "unauthenticated"}
    [attachment] = of_type(resources, "AWS::Cognito::IdentityPoolRoleAttachment")
    assert sorted(attachment["Roles"]) == ["authenticated", "unauthenticated"]
    [pool] = of_type(resources, "AWS::Cognito::IdentityPool")
    assert (pool["AllowUnauthenticatedIdentities"], pool["AllowClassicFlow"]) == (True, False)


def test_an_issuer_takes_the_place_of_the_own_accounts(tmp_path: Path) -> None:
    resources, _ = synthesised(tmp_path, ISSUER)
    [provider] = of_type(resources, "AWS::IAM::OIDCProvider")
    assert provider["Url"] == ISSUER.issuer
    assert provider["ClientIdList"] == ISSUER.client_ids
    [pool] = of_type(resources, "AWS::Cognito::IdentityPool")
    [trusted] = pool["OpenIdConnectProviderARNs"]
    assert resources[trusted["Ref"]]["Type"] == "AWS::IAM::OIDCProvider"
    assert "CognitoIdentityProviders" not in pool
    assert not of_type(resources, "AWS::Cognito::UserPool")


def test_a_provider_that_the_account_has_already_is_used(tmp_path: Path) -> None:
    resources, warnings = synthesised(tmp_path, EXISTING_PROVIDER)
    assert not of_type(resources, "AWS::IAM::OIDCProvider")
    assert not of_type(resources, "AWS::Cognito::UserPool")
    [pool] = of_type(resources, "AWS::Cognito::IdentityPool")
    assert pool["OpenIdConnectProviderARNs"] == [PROVIDER_ARN]
    assert "CognitoIdentityProviders" not in pool
    assert warnings == []
