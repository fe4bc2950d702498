"""The client over HTTP against a Cognito and a stream that refuse, fail and vanish as they are told."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mobile_client import ClickQueue, MobileClient, mobile_stream, pace
from mobile_client import client as client_module
from tests.mobile_client.aws_stub import AwsStub, error, running
from twin.processes import wait_for

LOGINS = {"login.example.jp": "id-token"}
Start = Callable[..., MobileClient]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(client_module, "MAX_PAUSE_SECONDS", 0.01)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a client of a stub; both end with the test."""
    with ExitStack() as ends:

        def started(
            stub: AwsStub,
            queue: ClickQueue | None = None,
            logins: Callable[[], dict[str, str]] = lambda: LOGINS,
            **settings: Any,
        ) -> MobileClient:
            if not stub.endpoint:
                ends.enter_context(running(stub))
            stream = mobile_stream(
                "mobile",
                identity_pool_id="pool",
                logins=logins,
                region="ap-northeast-1",
                endpoint_url=stub.endpoint,
            )
            client = MobileClient(stream, queue or ClickQueue(None), **{"flush_seconds": 0.02, **settings})
            ends.callback(client.close, deadline_seconds=0)
            return client

        yield started


def click_ids(stub: AwsStub) -> list[str]:
    return [json.loads(line)["click_id"] for line in stub.taken]


def test_a_click_arrives_in_the_contracts_form_under_its_users_key(start: Start) -> None:
    stub = AwsStub()
    now = datetime(2026, 1, 31, 9, 15, 0, 123_999, tzinfo=UTC)
    client = start(stub, now=lambda: now)
    click_id = client.click("hanako", "article-1", platform="ios", position=3)
    assert client.close().waiting == 0
    [[record]] = stub.puts
    assert record["PartitionKey"] == "hanako"
    assert stub.taken[0].endswith(b"}\n")
    assert json.loads(stub.taken[0]) == {
        "click_id": click_id,
        "clicked_at": "2026-01-31T09:15:00.123Z",
        "user_id": "hanako",
        "article_id": "article-1",
        "platform": "ios",
        "position": 3,
    }


def test_clicks_of_many_threads_arrive_once_each_in_full_calls(start: Start) -> None:
    stub = AwsStub()
    client = start(stub, flush_seconds=60)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: client.click(f"user-{number}", "a"), range(1200)))
    wait_for(lambda: len(stub.taken) == 1000, what="two full calls", timeout_seconds=10)
    status = client.close()
    assert (status.sent, status.waiting, status.retried, status.dropped) == (1200, 0, 0, 0)
    assert sorted(click_ids(stub)) == sorted(made)
    assert len(set(made)) == 1200
    assert [len(put) for put in stub.puts] == [500, 500, 200]


def test_fewer_clicks_than_a_call_holds_are_put_after_the_flush_time(start: Start) -> None:
    stub = AwsStub()
    client = start(stub, flush_seconds=0.3)
    started = time.monotonic()
    client.click("u", "a")
    wait_for(lambda: len(stub.taken) == 1, what="the click", timeout_seconds=10)
    assert time.monotonic() - started >= 0.3


def test_only_what_the_stream_refused_is_retried(start: Start) -> None:
    stub = AwsStub(on_put=lambda number, records: set(range(0, len(records), 3)) if number <= 2 else set())
    client = start(stub, records_per_call=9, flush_seconds=60)
    made = [client.click("u", "a") for _ in range(9)]
    wait_for(lambda: len(stub.taken) == 9, what="all clicks", timeout_seconds=10)
    assert [len(put) for put in stub.puts] == [9, 3, 1]
    assert sorted(click_ids(stub)) == sorted(made)
    status = client.close()
    assert (status.sent, status.retried, status.possible_duplicates) == (9, 4, 0)


@pytest.mark.parametrize(
    ("answer", "possible_duplicates"),
    [(error("ProvisionedThroughputExceededException"), 0), (error("InternalFailure", 500), 1), (None, 1)],
    ids=["throttled", "failed", "connection cut after the stream took it"],
)
def test_a_call_that_failed_is_made_again(start: Start, answer: Any, possible_duplicates: int) -> None:
    stub = AwsStub(on_put=lambda number, _records: answer if number == 1 else set())
    client = start(stub)
    click_id = client.click("u", "a")
    status = client.close()
    assert (status.sent, status.waiting, status.retried) == (1, 0, 1)
    assert status.possible_duplicates == possible_duplicates
    assert set(click_ids(stub)) == {click_id}
    assert len(click_ids(stub)) <= 1 + possible_duplicates


def test_a_refusal_for_good_loses_nothing_and_is_told(start: Start) -> None:
    allowed = threading.Event()
    stub = AwsStub(
        on_put=lambda _number, _records: set() if allowed.is_set() else error("AccessDeniedException")
    )
    client = start(stub)
    client.click("u", "a")
    wait_for(lambda: client.status().problem is not None, what="the refusal", timeout_seconds=10)
    assert "AccessDenied" in str(client.status().problem)
    assert client.status().waiting == 1
    allowed.set()
    wait_for(lambda: client.status().sent == 1, what="the click", timeout_seconds=10)
    assert client.status().problem is None


def test_a_login_that_fails_loses_nothing_and_is_told(start: Start) -> None:
    back = threading.Event()

    def logins() -> dict[str, str]:
        if not back.is_set():
            raise RuntimeError("the reader must log in again")
        return LOGINS

    client = start(AwsStub(), logins=logins)
    client.click("u", "a")
    wait_for(lambda: client.status().problem is not None, what="the failed login", timeout_seconds=10)
    assert "the reader must log in again" in str(client.status().problem)
    back.set()
    wait_for(lambda: client.status().sent == 1, what="the click", timeout_seconds=10)


def test_clicks_made_offline_wait_within_bounds_and_the_oldest_are_dropped(start: Start) -> None:
    online = threading.Event()
    stub = AwsStub(
        on_put=lambda _number, _records: set() if online.is_set() else error("ServiceUnavailable", 503)
    )
    client = start(stub, ClickQueue(None, max_records=100), records_per_call=10)
    made = [client.click("u", "a") for _ in range(250)]
    status = client.status()
    assert (status.waiting, status.dropped, status.sent) == (100, 150, 0)
    online.set()
    wait_for(lambda: client.status().waiting == 0, what="the queue to empty", timeout_seconds=10)
    status = client.close()
    assert status.sent + status.dropped == 250
    assert set(made[150:]) <= set(click_ids(stub))
    assert len(click_ids(stub)) == status.sent  # what was under way when it was dropped counts as sent


def test_close_ends_at_its_deadline_and_the_next_run_puts_what_remained(start: Start, tmp_path: Path) -> None:
    online = threading.Event()
    stub = AwsStub(
        on_put=lambda _number, _records: set() if online.is_set() else error("ServiceUnavailable", 503)
    )
    client = start(stub, ClickQueue(tmp_path / "clicks"))
    made = [client.click("u", "a") for _ in range(5)]
    started = time.monotonic()
    remaining = client.close(deadline_seconds=0.2)
    assert time.monotonic() - started < 2
    assert (remaining.waiting, remaining.sent) == (5, 0)
    with pytest.raises(ValueError, match="closed"):
        client.click("u", "a")
    wait_for(lambda: not client.is_sending(), what="the last call to end", timeout_seconds=10)
    online.set()
    assert start(stub, ClickQueue(tmp_path / "clicks")).close().sent == 5
    assert click_ids(stub) == made


def test_close_does_not_wait_out_a_long_pause(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "FIRST_PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr(client_module, "MAX_PAUSE_SECONDS", 3600.0)
    stub = AwsStub(on_put=lambda number, _records: error("ServiceUnavailable", 503) if number == 1 else set())
    client = start(stub)
    client.click("u", "a")
    wait_for(lambda: len(stub.puts) == 1, what="the refused call", timeout_seconds=10)
    assert client.close(deadline_seconds=10).sent == 1


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
