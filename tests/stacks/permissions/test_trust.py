"""Who may assume each role, and for whom."""

from collections.abc import Mapping
from typing import Any

import pytest

from cloudformation import as_list
from names import TWIN_ACCOUNT
from operations.permissions.deciding import Role, Statement, conditions_met

ACCOUNT, LAMBDA, FIREHOSE, EC2, FLINK, SCHEDULER, COGNITO = (
    f"arn:aws:iam::{TWIN_ACCOUNT}:root",
    "lambda.amazonaws.com",
    "firehose.amazonaws.com",
    "ec2.amazonaws.com",
    "kinesisanalytics.amazonaws.com",
    "scheduler.amazonaws.com",
    "cognito-identity.amazonaws.com",
)
OTHERS = (
    "*",
    "arn:aws:iam::111111111111:root",
    "apigateway.amazonaws.com",
    "cloudformation.amazonaws.com",
    "glue.amazonaws.com",
    "s3.amazonaws.com",
    "accounts.google.com",
)
TRUSTED = {
    ACCOUNT: {
        "analysts",
        "correct-operator",
        "erase-operator",
        "publish-operator",
        "reconcile-operator",
        "replay-operator",
    },
    LAMBDA: {
        "application-lifecycle",
        "feedback",
        "forwarder",
        "reconciliation",
        "redelivery",
        "replay",
        "search-bootstrap",
        "segments-publisher",
    },
    FIREHOSE: {"RawBackupRole", "RejectsDeliveryRole", "counts-delivery"},
    EC2: {"batch-server", "web-server"},
    FLINK: {"AnalyticsRole", "replay-application"},
    SCHEDULER: {"feedback-schedule"},
    COGNITO: {"mobile-app"},
}
NAMES_ITS_ACCOUNT = {FLINK, SCHEDULER}
"""Services whose guides ask for aws:SourceAccount in the trust policy of a role (Managed Service for Apache
Flink, "Cross-service confused deputy prevention"; EventBridge Scheduler, "Confused deputy prevention").

Those of Lambda and Firehose name no such key: there iam:PassRole is the limit, which gives a role only to a
service of the same account (IAM user guide, "Grant a user permissions to pass a role to an AWS service").
"""


def assumable(role: Role, by: str, keys: Mapping[str, str]) -> bool:
    """Whether a trust statement of the role allows this principal, in a request with these keys."""
    return any(
        statement["Effect"] == "Allow" and by in principals(statement) and conditions_met(statement, keys)
        for statement in role.trust
    )


def principals(statement: Statement) -> list[Any]:
    principal = statement["Principal"]
    return [one for each in principal.values() for one in as_list(each)] if principal != "*" else ["*"]


def keys_of(by: str, role: Role) -> dict[str, str]:
    """Of a request that the principal makes for this account's resources."""
    if by == COGNITO:
        conditions = role.trust[0].get("Condition", {}).get("StringEquals", {})
        return {
            "cognito-identity.amazonaws.com:aud": conditions.get("cognito-identity.amazonaws.com:aud", "a"),
            "cognito-identity.amazonaws.com:amr": "authenticated",
        }
    return {"aws:sourceaccount": TWIN_ACCOUNT}


@pytest.mark.parametrize("by", [*TRUSTED, *OTHERS])
def test_a_principal_may_assume_only_its_own_roles(roles: Mapping[str, Role], by: str) -> None:
    found = {name for name, role in roles.items() if assumable(role, by, keys_of(by, role))}
    assert found == TRUSTED.get(by, set())


def test_every_role_trusts_one_principal_in_one_statement(roles: Mapping[str, Role]) -> None:
    for role in roles.values():
        [statement] = role.trust
        [_] = principals(statement)
        action = "sts:AssumeRole" if COGNITO not in principals(statement) else "sts:AssumeRoleWithWebIdentity"
        assert as_list(statement["Action"]) == [action]


@pytest.mark.parametrize("service", sorted(NAMES_ITS_ACCOUNT))
@pytest.mark.parametrize("keys", [{}, {"aws:sourceaccount": "111111111111"}], ids=["none", "another"])
def test_a_service_may_not_assume_for_another_account(
    roles: Mapping[str, Role], service: str, keys: dict[str, str]
) -> None:
    for name in TRUSTED[service]:
        assert not assumable(roles[name], service, keys)


@pytest.mark.parametrize(
    "changed",
    [
        {"cognito-identity.amazonaws.com:amr": "unauthenticated"},
        {"cognito-identity.amazonaws.com:aud": "another-pool"},
    ],
    ids=["guests", "another pool"],
)
def test_the_app_role_is_for_logged_in_readers_of_its_pool(
    roles: Mapping[str, Role], changed: dict[str, str]
) -> None:
    app = roles["mobile-app"]
    assert not assumable(app, COGNITO, keys_of(COGNITO, app) | changed)


def test_without_a_condition_of_its_trust_a_role_is_open_to_more(roles: Mapping[str, Role]) -> None:
    """The mutation: each condition is taken away, and one of the tests above no longer holds."""
    for role in roles.values():
        [statement] = role.trust
        for operator in statement.get("Condition", {}):
            conditions = {each: keys for each, keys in statement["Condition"].items() if each != operator}
            changed = {**statement, "Condition": conditions}
            [by] = principals(statement)
            wrong = {key: "another" for keys in statement["Condition"].values() for key in keys}
            right = keys_of(by, role)
            named = {key.lower(): right[key.lower()] for key in wrong}
            kept = {key.lower() for keys in conditions.values() for key in keys}
            attack = {key: value if key in kept else "another" for key, value in named.items()}
            assert not conditions_met(statement, attack)
            assert conditions_met(changed, attack)


def test_the_guest_role_of_a_setting_is_for_guests_of_the_pool(
    roles_with_options: Mapping[str, Role],
) -> None:
    guest = roles_with_options["mobile-guest"]
    logged_in = keys_of(COGNITO, guest)
    unknown = logged_in | {"cognito-identity.amazonaws.com:amr": "unauthenticated"}
    assert assumable(guest, COGNITO, unknown)
    assert not assumable(guest, COGNITO, logged_in)
    assert not assumable(guest, COGNITO, unknown | {"cognito-identity.amazonaws.com:aud": "another-pool"})
    assert not [by for by in {*TRUSTED, *OTHERS} - {COGNITO} if assumable(guest, by, keys_of(by, guest))]


def test_no_setting_opens_a_role_to_more(
    roles: Mapping[str, Role], roles_with_options: Mapping[str, Role]
) -> None:
    assert {name: roles_with_options[name].trust for name in roles} == {
        name: role.trust for name, role in roles.items()
    }
