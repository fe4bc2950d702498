"""What `make deploy` and `make destroy` say and refuse before they do anything."""

import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from names import OREGON_STORAGE, STACKS, TOKYO_STORAGE, stack_name
from settings import Settings
from stacks.app import build_app
from stacks.preflight import deployment, destruction
from tests.conftest import PROJECT

PRODUCTION = Settings(environment="production", account="111111111111")


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    jar = tmp_path / "analytics-aws.jar"
    with zipfile.ZipFile(jar, "w") as opened:
        opened.writestr("Join.class", "")
    return jar


def test_a_deployment_names_account_stacks_and_regions(jar: Path) -> None:
    does, problems = deployment(PRODUCTION, jar=jar)
    assert problems == []
    for part in ("111111111111", "ClickTrends-production-OregonStorage (us-west-2)", "ap-northeast-1"):
        assert part in "\n".join(does)


def test_the_stacks_are_named_in_the_order_of_their_dependencies() -> None:
    artifacts: list[Any] = build_app("production").synth().stacks_recursively
    assert [stack.stack_name.rpartition("-")[2] for stack in artifacts] == [*STACKS]


def test_without_the_connectors_nothing_is_deployed(tmp_path: Path) -> None:
    _, [problem] = deployment(PRODUCTION, jar=tmp_path / "missing.jar")
    assert "make aws-jar" in problem


def test_a_jar_that_is_empty_or_older_than_a_source_is_not_deployed(jar: Path) -> None:
    os.utime(jar, (1, 1))
    _, [stale] = deployment(PRODUCTION, jar=jar)
    jar.write_bytes(b"")
    _, [empty] = deployment(PRODUCTION, jar=jar)
    assert re.fullmatch(r"connectors/target/analytics-aws.jar is older than connectors/.*: run .*", stale)
    assert empty == "connectors/target/analytics-aws.jar is empty or damaged: run `make aws-jar` first."


def test_the_twin_s_account_is_never_deployed_to(jar: Path) -> None:
    _, [problem] = deployment(Settings(environment="local", account="000000000000"), jar=jar)
    assert "exists in the twin only" in problem


@pytest.mark.parametrize(
    ("allowed", "asked", "missing"),
    [
        (False, False, ["Key one", "Key two"]),
        (True, False, ["Key two"]),
        (False, True, ["Key one"]),
        (True, True, []),
    ],
)
def test_destruction_takes_two_keys_and_names_the_missing_one(
    allowed: bool, asked: bool, missing: list[str]
) -> None:
    settings = PRODUCTION.model_copy(update={"allow_destroy": allowed})
    _, problems = destruction(settings, asked=asked)
    assert [problem.partition(" is missing")[0] for problem in problems] == missing


def test_make_destroy_deploys_the_stacks_that_hold_data_once_more() -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    assert all(stack_name("$(ENVIRONMENT)", stack) in makefile for stack in (TOKYO_STORAGE, OREGON_STORAGE))


def test_destruction_names_every_bucket_that_must_be_emptied() -> None:
    does, _ = destruction(PRODUCTION, asked=True)
    app = build_app("production")
    buckets = {
        bucket["Properties"]["BucketName"]
        for stack in app.node.children
        if isinstance(stack, Stack) and "Storage" in stack.node.id
        for bucket in Template.from_stack(stack).find_resources("AWS::S3::Bucket").values()
    }
    assert buckets == {line.strip().split()[0].removeprefix("s3://") for line in does if "s3://" in line}


@pytest.mark.parametrize(
    ("resource_type", "name"),
    [("AWS::OpenSearchService::Domain", "DomainName"), ("AWS::DynamoDB::Table", "TableName")],
)
def test_destruction_names_every_store_that_goes_with_its_data(resource_type: str, name: str) -> None:
    does = "\n".join(destruction(PRODUCTION, asked=True)[0])
    stores = [
        store["Properties"][name]
        for stack in build_app("production").node.children
        if isinstance(stack, Stack)
        for store in Template.from_stack(stack).find_resources(resource_type).values()
    ]
    assert stores
    assert [store for store in stores if not re.search(rf"\b{re.escape(store)}\b(?!-)", does)] == []
