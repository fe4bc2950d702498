"""The policies of buckets, queues and the search domain: what they let through and refuse, and each
statement taken away."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cloudformation import Stack, as_list
from names import OREGON
from operations.permissions.deciding import (
    ALLOW,
    DENY,
    Call,
    ResourcePolicy,
    Role,
    Statement,
    decision_of_resource,
    resource_policies_of,
)
from operations.permissions.needed import sid_of
from operations.permissions.options import PRODUCTION
from operations.permissions.reasons import REASONS
from operations.permissions.record import RecordedCall
from tests.stacks.permissions.other_calls import DOMAIN, NAMES, SEGMENTS, VERSION, other_calls

Roles = Mapping[str, Role]
Policies = Mapping[str, ResourcePolicy]
Record = Sequence[RecordedCall]
PUBLISHER = "segments-publisher"
BUCKETS = (
    NAMES.dead_letter_bucket,
    NAMES.query_results_bucket,
    NAMES.raw_bucket,
    NAMES.rejected_bucket,
    NAMES.segments_bucket,
)
WRITES = ("PutObject", "DeleteObject", "DeleteObjectVersion", "ReplicateObject", "ReplicateDelete")
PUBLISHED = (VERSION, f"{SEGMENTS}/corrections/20260131T000000Z/0001.csv", f"{SEGMENTS}/receipts/a.json")


def to_s3(action: str, resource: str, tls: str = "1.3") -> Call:
    return Call(
        role="", action=f"s3:{action}", resource=resource, region=OREGON, keys=(("s3:tlsversion", tls),)
    )


def policy_of(policies: Policies, arn: str) -> ResourcePolicy | None:
    """Of the resource that the ARN is, or is in."""
    return next((each for own, each in policies.items() if arn == own or arn.startswith(f"{own}/")), None)


def without(policy: ResourcePolicy, number: int) -> ResourcePolicy:
    return replace(policy, statements=policy.statements[:number] + policy.statements[number + 1 :])


def test_only_these_resources_have_policies(policies: Policies) -> None:
    assert {policy.name for policy in policies.values()} == {
        *BUCKETS,
        NAMES.search_domain,
        NAMES.feedback_dead_letters,
    }


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_refuses_plain_requests_and_old_tls(policies: Policies, roles: Roles, bucket: str) -> None:
    policy, role = policies[f"arn:aws:s3:::{bucket}"], roles[PUBLISHER]
    for resource in (policy.resource, f"{policy.resource}/raw/a"):
        for action in ("GetObject", "PutObject", "ListBucket", "DeleteBucket"):
            assert decision_of_resource(policy, role, to_s3(action, resource)) != DENY
            assert decision_of_resource(policy, role, to_s3(action, resource), tls=False) == DENY
            assert decision_of_resource(policy, role, to_s3(action, resource, tls="1.1")) == DENY


def test_the_queue_refuses_plain_requests(policies: Policies, roles: Roles) -> None:
    [policy] = [each for each in policies.values() if ":sqs:" in each.resource]
    role = roles["feedback-schedule"]
    call = Call(role=role.name, action="sqs:SendMessage", resource=policy.resource, region="ap-northeast-1")
    assert decision_of_resource(policy, role, call) != DENY
    assert decision_of_resource(policy, role, call, tls=False) == DENY


@pytest.mark.parametrize("action", WRITES)
def test_nobody_but_the_publisher_writes_versions(policies: Policies, roles: Roles, action: str) -> None:
    for key in PUBLISHED:
        for name, role in roles.items():
            refused = decision_of_resource(policies[SEGMENTS], role, to_s3(action, key)) == DENY
            assert refused == (name != PUBLISHER), name
        upload = to_s3(action, f"{SEGMENTS}/incoming/a.csv")
        assert decision_of_resource(policies[SEGMENTS], roles["publish-operator"], upload) != DENY


def test_no_policy_of_a_resource_gives_what_its_roles_may_not(policies: Policies, roles: Roles) -> None:
    """An Allow of the resource would suffice within an account."""
    for other in other_calls():
        policy = policy_of(policies, other.resource)
        if policy is None:
            continue
        allowed = {
            name
            for name, role in roles.items()
            if decision_of_resource(policy, role, other.by(name)) == ALLOW
        }
        assert allowed <= other.allowed_roles, str(other)


def test_no_policy_of_a_resource_denies_a_recorded_call(
    policies: Policies, roles: Roles, record: Record
) -> None:
    for each in record:
        policy = policy_of(policies, each.call.resource)
        if policy is not None:
            found = decision_of_resource(policy, roles[each.call.role], each.call)
            assert found != DENY, f"{each.call} of {each.test}"


def searches(record: Record) -> list[RecordedCall]:
    return [each for each in record if each.call.action.startswith("es:ESHttp")]


def test_the_domain_allows_every_recorded_request(policies: Policies, roles: Roles, record: Record) -> None:
    for each in searches(record):
        found = decision_of_resource(policies[DOMAIN], roles[each.call.role], each.call)
        assert found == ALLOW, f"{each.call} of {each.test}"


def test_the_domain_says_of_each_role_what_the_role_itself_says(policies: Policies, roles: Roles) -> None:
    """Also of what only AWS sends, which no recorded request needs."""

    def said(statement: Statement) -> tuple[object, ...]:
        actions, resources = (sorted(as_list(statement[part])) for part in ("Action", "Resource"))
        return statement["Sid"], statement["Effect"], actions, resources

    by_roles = [
        (role.arn, *said(statement))
        for role in roles.values()
        for statement in role.statements
        if as_list(statement["Action"])[0].startswith("es:ESHttp")
    ]
    by_domain = [
        (statement["Condition"]["ArnEquals"]["aws:PrincipalArn"], *said(statement))
        for statement in policies[DOMAIN].statements
    ]
    assert sorted(by_domain, key=str) == sorted(by_roles, key=str)


def test_a_domain_without_one_of_its_statements_fails_a_test(
    policies: Policies, roles: Roles, record: Record
) -> None:
    """The mutation: without an Allow the domain no longer allows a recorded request; without a Deny it allows
    another call."""
    policy, unnoticed = policies[DOMAIN], []
    reasoned = {reason.sid for reason in REASONS}
    for number, statement in enumerate(policy.statements):
        left = without(policy, number)
        if statement["Effect"] == ALLOW:
            noticed = any(
                decision_of_resource(left, roles[each.call.role], each.call) != ALLOW
                for each in searches(record)
            )
        else:
            noticed = any(
                decision_of_resource(left, role, other.by(name)) == ALLOW and name not in other.allowed_roles
                for other in other_calls()
                if other.action.startswith("es:ESHttp")
                for name, role in roles.items()
            )
        if not noticed and sid_of(statement) not in reasoned:
            unnoticed.append(sid_of(statement))
    assert unnoticed == []


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_without_one_of_its_statements_lets_more_through(
    policies: Policies, roles: Roles, bucket: str
) -> None:
    policy, role = policies[f"arn:aws:s3:::{bucket}"], roles["publish-operator"]
    attacks = [
        (to_s3("GetObject", f"{policy.resource}/raw/a"), False),
        (to_s3("GetObject", f"{policy.resource}/raw/a", tls="1.1"), True),
        *((to_s3("PutObject", key), True) for key in PUBLISHED),
    ]
    for number in range(len(policy.statements)):
        left = without(policy, number)
        assert any(
            decision_of_resource(policy, role, call, tls=tls) == DENY
            and decision_of_resource(left, role, call, tls=tls) != DENY
            for call, tls in attacks
        ), policy.statements[number]


def test_the_domain_trusts_no_one_outside_the_account(policies: Policies) -> None:
    for statement in policies[DOMAIN].statements:
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{NAMES.account}:root"}
        assert set(statement["Condition"]) == {"ArnEquals"}


def test_only_a_schedule_of_its_own_stack_may_invoke_a_function(templates: dict[str, Any]) -> None:
    for template in templates.values():
        for resource in template["Resources"].values():
            if resource["Type"] != "AWS::Lambda::Permission":
                continue
            found = resource["Properties"]
            assert (found["Principal"], found["Action"]) == ("events.amazonaws.com", "lambda:InvokeFunction")
            [rule, attribute] = found["SourceArn"]["Fn::GetAtt"]
            assert (template["Resources"][rule]["Type"], attribute) == ("AWS::Events::Rule", "Arn")


def test_no_setting_changes_a_policy_of_a_resource(
    policies: Policies, stacks_with_options: Sequence[Stack]
) -> None:
    assert resource_policies_of(stacks_with_options, PRODUCTION) == policies
