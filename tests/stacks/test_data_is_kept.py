"""Data goes with its stack only where both keys were turned; one alone keeps it, and says so."""

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Annotations, Match, Template

from settings import Settings
from stacks.constructs.retention import Retention
from stacks.oregon_storage import OregonStorage

HOLDS_DATA = {"AWS::Kinesis::Stream", "AWS::S3::Bucket", "AWS::OpenSearchService::Domain"}
SETTINGS = Settings(environment="trial", account="111111111111")


def storage(*, allowed: bool, asked: bool) -> OregonStorage:
    retention = Retention(allowed=allowed, asked=asked)
    return OregonStorage(App(), "Storage", settings=SETTINGS, retention=retention)


def policies(stack: Stack) -> set[tuple[str, str]]:
    """When the stack is deleted, and when the resource is replaced: of each resource that holds data."""
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    kept = [resource for resource in resources if resource["Type"] in HOLDS_DATA]
    assert {resource["Type"] for resource in kept} == HOLDS_DATA
    return {(resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) for resource in kept}


@pytest.mark.parametrize(("allowed", "asked"), [(False, False), (True, False), (False, True)])
def test_without_both_keys_data_is_kept_but_for_what_a_failed_creation_made(
    allowed: bool, asked: bool
) -> None:
    stack = storage(allowed=allowed, asked=asked)
    assert policies(stack) == {("RetainExceptOnCreate", "Retain")}


@pytest.mark.parametrize("key", [True, False])
def test_a_stack_that_failed_at_its_first_creation_can_be_deleted(key: bool) -> None:
    """The command line turns protection on before the first resource is made, and then cannot delete it."""
    assert not storage(allowed=key, asked=key).termination_protection


def test_no_service_refuses_to_delete_what_a_failed_creation_made(templates: dict[str, Any]) -> None:
    """DynamoDB and Cognito do with a protection of their own, and the rollback would end as failed."""
    protections = ("DeletionProtection", "DeletionProtectionEnabled")
    protected = [
        name
        for template in templates.values()
        for name, resource in template["Resources"].items()
        if any(resource.get("Properties", {}).get(each) in {True, "ACTIVE"} for each in protections)
    ]
    assert protected == []


def test_with_both_keys_data_goes_with_its_stack() -> None:
    stack = storage(allowed=True, asked=True)
    assert policies(stack) == {("Delete", "Delete")}


@pytest.mark.parametrize(
    ("allowed", "asked", "advice"),
    [(True, False, "-c destroy=yes was not given"), (False, True, "set allow_destroy = true")],
)
def test_one_key_alone_is_answered_with_a_warning(allowed: bool, asked: bool, advice: str) -> None:
    warnings = Annotations.from_stack(storage(allowed=allowed, asked=asked))
    warnings.has_warning("*", Match.string_like_regexp(advice))


@pytest.mark.parametrize("key", [True, False])
def test_both_keys_or_none_need_no_warning(key: bool) -> None:
    warnings = Annotations.from_stack(storage(allowed=key, asked=key))
    warnings.has_no_warning("*", Match.string_like_regexp("destroy"))
