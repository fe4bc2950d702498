"""A call that a role's policy allowed is recorded once, with each of the statements that allow it."""

from pathlib import Path
from types import ModuleType

import pytest
from ministack.core import iam_evaluator

from operations.permissions.deciding import Call
from operations.permissions.record import RecordError, read_record
from tests.operations.review.small_assemblies import allow
from twin import permission_calls
from twin.permission_calls import AllowedCall

ROLE = "arn:aws:sts::000000000000:assumed-role/reader/session"
STREAM = "arn:aws:kinesis:us-west-2:000000000000:stream/clicks"
READS = {"Sid": "Reads", **allow("kinesis:GetRecords", STREAM)}
READS_ALL = {"Sid": "ReadsAll", **allow("kinesis:*", "*")}
DENIES = {"Sid": "Denies", **allow("kinesis:PutRecord", "*"), "Effect": "Deny"}


@pytest.fixture
def evaluator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name in ("evaluate", "evaluate_resource_policy"):
        monkeypatch.setattr(iam_evaluator, name, getattr(iam_evaluator, name))
    module: ModuleType = iam_evaluator
    return module


def context(action: str, arn: str = ROLE, resource: str = STREAM) -> iam_evaluator.EvalContext:
    return iam_evaluator.EvalContext(
        principal_arn=arn,
        principal_type="AssumedRole",
        principal_account="000000000000",
        action=action,
        resource_arn=resource,
        region="us-west-2",
    )


def asked(
    evaluator: ModuleType, action: str, *statements: object, arn: str = ROLE, resource: str = STREAM
) -> str:
    policy = iam_evaluator.parse_policy_document({"Statement": list(statements)})
    decision: str = evaluator.evaluate(context(action, arn, resource), [policy]).decision
    return decision


def test_a_call_is_recorded_once_with_the_statements_that_allow_it(evaluator: ModuleType) -> None:
    told: list[AllowedCall] = []
    permission_calls.record(evaluator, told.append)
    for _ in range(2):
        assert asked(evaluator, "kinesis:GetRecords", READS, READS_ALL) == "Allow"
        assert asked(evaluator, "kinesis:PutRecord", READS, READS_ALL, DENIES) == "Deny"
        assert asked(evaluator, "kinesis:ListShards", READS) == "ImplicitDeny"
        assert asked(evaluator, "kinesis:ListShards", READS, READS_ALL) == "Allow"
    assert [(call.action, call.statements) for call in told] == [
        ("kinesis:GetRecords", ("Reads", "ReadsAll")),
        ("kinesis:ListShards", ("ReadsAll",)),
    ]
    assert {(call.role, call.resource, call.region) for call in told} == {("reader", STREAM, "us-west-2")}


def test_a_call_is_recorded_for_each_pattern_with_the_keys_of_its_conditions(evaluator: ModuleType) -> None:
    told: list[AllowedCall] = []
    permission_calls.record(evaluator, told.append)
    here = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    streams = [f"{STREAM}-{name}" for name in "abab"]
    reads = {
        "Sid": "Reads",
        **allow("kinesis:GetRecords", [f"{STREAM}-a", f"{STREAM}-b*"]),
        "Condition": here,
    }
    for stream in streams:
        assert asked(evaluator, "kinesis:GetRecords", reads, resource=stream) == "Allow"
    assert [call.resource for call in told] == streams[:2]
    assert {call.keys for call in told} == {(("aws:requestedregion", "us-west-2"),)}


def test_neither_users_nor_policies_of_resources_are_recorded(evaluator: ModuleType) -> None:
    told: list[AllowedCall] = []
    permission_calls.record(evaluator, told.append)
    assert asked(evaluator, "kinesis:GetRecords", READS, arn="arn:aws:iam::000000000000:user/u") == "Allow"
    of_bucket = {"Statement": [{**READS, "Principal": {"AWS": "*"}}]}
    assert evaluator.evaluate_resource_policy(of_bucket, context("kinesis:GetRecords")).decision == "Allow"
    assert told == []
    assert asked(evaluator, "kinesis:GetRecords", READS) == "Allow"
    assert len(told) == 1


def test_what_is_written_is_read_again_with_its_test(
    evaluator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, test = tmp_path / "calls.jsonl", tmp_path / "test"
    test.write_text("tests/a.py::test_it")
    monkeypatch.setenv(permission_calls.CALLS_FILE, str(file))
    monkeypatch.setenv(permission_calls.TEST_FILE, str(test))
    permission_calls.record_to_file(evaluator)
    asked(evaluator, "kinesis:GetRecords", READS)
    [recorded] = read_record(file)
    call = Call(role="reader", action="kinesis:GetRecords", resource=STREAM, region="us-west-2")
    assert (recorded.call, recorded.test) == (call, "tests/a.py::test_it")
    file.write_text("{}\n")
    with pytest.raises(RecordError, match="line 1, is no recorded call: record anew"):
        read_record(file)


def test_without_a_file_nothing_is_recorded(evaluator: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(permission_calls.CALLS_FILE, raising=False)
    before = evaluator.evaluate
    permission_calls.record_to_file(evaluator)
    assert evaluator.evaluate is before
