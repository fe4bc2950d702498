"""Whose credentials sign the client's calls, and when they are renewed."""

import itertools

from tests.clients.mobile_app.aws_stub import AwsStub
from tests.clients.mobile_app.conftest import LOGINS, Start
from twin.processes import wait_for


def test_credentials_come_from_the_enhanced_flow_and_are_kept(start: Start) -> None:
    stub = AwsStub()
    client = start(stub)
    for number in range(3):
        client.click("u", "a")
        wait_for(lambda n=number: len(stub.taken) == n + 1, what="the click", timeout_seconds=10)  # type: ignore[misc]
    identity = "identity-of-['id-token']"
    assert stub.cognito_calls == [
        ("GetId", {"IdentityPoolId": "pool", "Logins": LOGINS}),
        ("GetCredentialsForIdentity", {"IdentityId": identity, "Logins": LOGINS}),
    ]
    assert stub.tokens_used == ["token-1"] * 3


def test_credentials_are_renewed_before_they_expire_with_the_readers_current_login(start: Start) -> None:
    numbers = itertools.count(1)
    stub = AwsStub(valid_seconds=60)  # less than botocore wants to be left
    client = start(stub, logins=lambda: {"login.example.jp": f"login-{next(numbers)}"})
    client.click("u", "a")
    wait_for(lambda: len(stub.taken) == 1, what="the first click", timeout_seconds=10)
    vended_before = len(stub.cognito_calls)
    stub.valid_seconds = 3600
    client.click("u", "b")
    wait_for(lambda: len(stub.taken) == 2, what="the second click", timeout_seconds=10)
    assert [action for action, _ in stub.cognito_calls[vended_before:]] == [
        "GetId",
        "GetCredentialsForIdentity",
    ]
    logins = [request["Logins"]["login.example.jp"] for _, request in stub.cognito_calls[::2]]
    assert logins == [f"login-{number}" for number in range(1, len(logins) + 1)]
    assert stub.tokens_used[1] == f"token-{len(logins)}" != stub.tokens_used[0]


def test_a_guest_stays_the_same_guest(start: Start) -> None:
    stub = AwsStub(valid_seconds=60)
    client = start(stub, logins=dict)
    for number in range(2):
        client.click("u", "a")
        wait_for(lambda n=number: len(stub.taken) == n + 1, what="the click", timeout_seconds=10)  # type: ignore[misc]
    actions = [action for action, _ in stub.cognito_calls]
    assert actions == ["GetId"] + ["GetCredentialsForIdentity"] * (len(actions) - 1)
    assert len(actions) > 2
