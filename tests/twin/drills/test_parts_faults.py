"""What faults do to a part, and that their end undoes it."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from names import OREGON, TWIN_ACCOUNT
from twin.drills.permissions import allow, are_allowed, deny
from twin.emulator import Emulator
from twin.opensearch import OpenSearchServer
from twin.processes import wait_for

ROLE = "drilled"


@pytest.fixture
def role(emulator: Emulator) -> Any:
    """May list buckets and streams."""
    iam = emulator.client("iam", OREGON)
    account = {"AWS": f"arn:aws:iam::{TWIN_ACCOUNT}:root"}
    trust = {"Effect": "Allow", "Principal": account, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "kinesis:ListStreams"], "Resource": "*"}

    def policy(statement: dict[str, Any]) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(RoleName=ROLE, PolicyName="own", PolicyDocument=policy(may))
    yield f"arn:aws:iam::{TWIN_ACCOUNT}:role/{ROLE}"
    iam.delete_role_policy(RoleName=ROLE, PolicyName="own")
    iam.delete_role(RoleName=ROLE)


def test_a_denied_action_is_refused_until_it_is_allowed_again(emulator: Emulator, role: str) -> None:
    twin: Any = SimpleNamespace(emulator=emulator)
    s3, kinesis = (emulator.client_as(role, service, OREGON) for service in ("s3", "kinesis"))
    s3.list_buckets()
    deny(twin, [ROLE], "s3:*")
    assert not are_allowed(twin, [ROLE])
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_buckets()
    kinesis.list_streams()
    allow(twin, [ROLE])
    assert are_allowed(twin, [ROLE])
    s3.list_buckets()


class Process:
    def __init__(self) -> None:
        self.done: list[str] = []

    def pause(self) -> None:
        self.done.append("pause")

    def go_on(self) -> None:
        self.done.append("go on")


def test_a_slow_server_runs_at_times_and_always_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.opensearch.SLOW_PERIOD_SECONDS", 0.01)
    server, process = OpenSearchServer.__new__(OpenSearchServer), Process()
    server._process = process  # type: ignore[assignment]
    as_before = server.slow_down(0.5)
    wait_for(lambda: len(process.done) > 4, what="two periods", timeout_seconds=30, poll_seconds=0.01)
    as_before()
    done = list(process.done)
    assert done[::2] == ["pause"] * (len(done) // 2)
    assert done[1::2] == ["go on"] * (len(done) // 2)
    assert done[-1] == "go on"
