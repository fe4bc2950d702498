"""Data goes with its stack only where both keys were turned; one alone keeps it, and says so."""

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Annotations, Match, Template

from settings import Settings
from stacks.oregon_storage import OregonStorage
from stacks.parts.retention import Retention

HOLDS_DATA = {"AWS::Kinesis::Stream", "AWS::S3::Bucket", "AWS::OpenSearchService::Domain"}
SETTINGS = Settings(environment="trial", account="111111111111")


def storage(*, allowed: bool, asked: bool) -> OregonStorage:
    retention = Retention(allowed=allowed, asked=asked)
    return OregonStorage(App(), "Storage", settings=SETTINGS, retention=retention)


def deletion_policies(stack: Stack) -> set[str]:
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    kept = [resource for resource in resources if resource["Type"] in HOLDS_DATA]
    assert {resource["Type"] for resource in kept} == HOLDS_DATA
    return {resource[policy] for resource in kept for policy in ("DeletionPolicy", "UpdateReplacePolicy")}


@pytest.mark.parametrize(("allowed", "asked"), [(False, False), (True, False), (False, True)])
def test_without_both_keys_data_is_kept(allowed: bool, asked: bool) -> None:
    stack = storage(allowed=allowed, asked=asked)
    assert deletion_policies(stack) == {"Retain"}
    assert stack.termination_protection


def test_with_both_keys_data_goes_with_its_stack() -> None:
    stack = storage(allowed=True, asked=True)
    assert deletion_policies(stack) == {"Delete"}
    assert not stack.termination_protection


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
