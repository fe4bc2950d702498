"""The client over HTTP against a Cognito and a stream that refuse, fail and vanish as they are told."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clients.mobile_app import ClickQueue, MobileClient, QueueError, backoff
from clients.mobile_app import client as client_module
from clients.mobile_app.delivery import Stream
from clients.mobile_app.pack import PACK_BYTES
from tests.clients.mobile_app.aws_stub import Answer, AwsStub, Put, clicks_in, error, lines_in
from tests.clients.mobile_app.conftest import LOGINS, SmallDisk, Start
from twin.processes import wait_for

TWO_CLICKS = 280
"""Bytes of a record that holds two of the tests' clicks, but not three."""


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(client_module, "MAX_PAUSE_SECONDS", 0.01)


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


def test_clicks_of_many_threads_arrive_once_each_in_full_calls_of_few_records(start: Start) -> None:
    stub = AwsStub()
    client = start(stub, flush_seconds=60)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: client.click(f"user-{number}", "a"), range(1200)))
    wait_for(lambda: len(stub.taken) == 1000, what="two full calls", timeout_seconds=10)
    status = client.close()
    assert (status.sent, status.waiting, status.retried, status.dropped) == (1200, 0, 0, 0)
    assert sorted(click_ids(stub)) == sorted(made)
    assert len(set(made)) == 1200
    assert [clicks_in(put) for put in stub.puts] == [500, 500, 200]
    sizes = [[sum(map(len, lines_in(record))) for record in put] for put in stub.puts]
    assert all(PACK_BYTES - 200 < size <= PACK_BYTES for put in sizes for size in put[:-1])
    assert sum(map(len, stub.puts)) <= 1200 * 200 / (PACK_BYTES - 200) + 3


def test_fewer_clicks_than_a_call_holds_are_put_after_the_flush_time(start: Start) -> None:
    stub = AwsStub()
    client = start(stub, flush_seconds=0.3)
    started = time.monotonic()
    client.click("u", "a")
    wait_for(lambda: len(stub.taken) == 1, what="the click", timeout_seconds=10)
    assert time.monotonic() - started >= 0.3


def test_only_what_the_stream_refused_is_retried(start: Start) -> None:
    stub = AwsStub(on_put=lambda number, records: set(range(0, len(records), 3)) if number <= 2 else set())
    client = start(stub, clicks_per_call=18, flush_seconds=60, pack_bytes=TWO_CLICKS)
    made = [client.click("u", "a") for _ in range(18)]
    wait_for(lambda: len(stub.taken) == 18, what="all clicks", timeout_seconds=10)
    assert [len(put) for put in stub.puts] == [9, 3, 1]
    assert [clicks_in(put) for put in stub.puts] == [18, 6, 2]
    assert sorted(click_ids(stub)) == sorted(made)
    status = client.close()
    assert (status.sent, status.retried, status.possible_duplicates) == (18, 8, 0)


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
    client = start(stub, ClickQueue(None, max_clicks=100), clicks_per_call=10)
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
    assert time.monotonic() - started < 10  # as said, and not for as long as calls may take
    assert (remaining.waiting, remaining.sent) == (5, 0)
    with pytest.raises(ValueError, match="closed"):
        client.click("u", "a")
    wait_for(lambda: not client.is_sending(), what="the last call to end", timeout_seconds=10)
    online.set()
    assert start(stub, ClickQueue(tmp_path / "clicks")).close().sent == 5
    assert click_ids(stub) == made


def test_close_does_not_wait_out_a_long_pause(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr(client_module, "MAX_PAUSE_SECONDS", 3600.0)
    stub = AwsStub(on_put=lambda number, _records: error("ServiceUnavailable", 503) if number == 1 else set())
    client = start(stub)
    client.click("u", "a")
    wait_for(lambda: len(stub.puts) == 1, what="the refused call", timeout_seconds=10)
    assert client.close(deadline_seconds=10).sent == 1


def test_an_app_that_comes_back_while_its_last_call_runs_puts_each_click_once(
    start: Start, tmp_path: Path
) -> None:
    answered = threading.Event()

    def on_put(number: int, _records: Put) -> set[int]:
        if number == 1:
            answered.wait(10)
        return set()

    stub = AwsStub(on_put=on_put)
    before = start(stub, ClickQueue(tmp_path / "clicks"))
    made = [before.click("u", "a")]
    wait_for(lambda: len(stub.puts) == 1, what="the call", timeout_seconds=10)
    assert before.close(deadline_seconds=0).waiting == 1
    after = start(stub, ClickQueue(tmp_path / "clicks"))
    made.append(after.click("u", "b"))
    assert before.is_sending()
    assert after.status().waiting == 2
    answered.set()
    wait_for(lambda: after.status().waiting == 0, what="both clicks", timeout_seconds=10)
    assert (before.status().sent, after.status().sent) == (1, 1)
    assert sorted(click_ids(stub)) == sorted(made)
    after.close()
    assert ClickQueue(tmp_path / "clicks").backlog().clicks == 0


def test_what_the_last_call_did_not_take_is_put_by_the_client_that_came_after(
    start: Start, tmp_path: Path
) -> None:
    answered = threading.Event()

    def on_put(number: int, records: Put) -> set[int]:
        if number == 1:
            answered.wait(10)
            return set(range(len(records)))
        return set()

    stub = AwsStub(on_put=on_put)
    before = start(stub, ClickQueue(tmp_path / "clicks"))
    click_id = before.click("u", "a")
    wait_for(lambda: len(stub.puts) == 1, what="the call", timeout_seconds=10)
    before.close(deadline_seconds=0)
    after = start(stub, ClickQueue(tmp_path / "clicks"))
    answered.set()
    wait_for(lambda: after.status().sent == 1, what="the click", timeout_seconds=10)
    assert click_ids(stub) == [click_id]


def test_clicks_taken_while_the_disk_is_full_are_put_once_also_by_the_next_run(
    start: Start, small_disk: SmallDisk
) -> None:
    full = threading.Event()

    def on_put(_number: int, _records: Put) -> set[int]:
        full.wait(10)
        return set()

    stub = AwsStub(on_put=on_put)
    client = start(stub, ClickQueue(small_disk.path / "clicks"), clicks_per_call=50, flush_seconds=60)
    made = [client.click("u" * 100, "a") for _ in range(200)]
    small_disk.fill()
    full.set()
    wait_for(lambda: client.status().sent == 200, what="the clicks", timeout_seconds=10)
    wait_for(lambda: client.status().problem is not None, what="the problem", timeout_seconds=10)
    assert "make room on the disk" in str(client.status().problem)
    assert client.status().waiting == 0
    with pytest.raises(QueueError, match="make room on the disk"):
        client.click("u" * 100, "a")
    small_disk.make_room()
    wait_for(lambda: client.status().problem is None, what="the mended queue", timeout_seconds=10)
    status = client.close()
    assert (status.sent, status.waiting, status.possible_duplicates) == (len(made), 0, 0)
    assert sorted(click_ids(stub)) == sorted(made)
    queue = ClickQueue(small_disk.path / "clicks")
    assert queue.backlog().clicks == 0
    queue.close()


@pytest.mark.parametrize("clicks_a_record", [1, 2])
def test_a_stream_that_takes_one_record_a_call_is_not_sent_the_rest_again_and_again(
    start: Start, clicks_a_record: int
) -> None:
    stub = AwsStub(on_put=lambda _number, records: set(range(1, len(records))))
    client = start(stub, flush_seconds=60, pack_bytes=TWO_CLICKS if clicks_a_record == 2 else 1)
    for _ in range(500):
        client.click("u", "a")
    wait_for(lambda: client.status().sent >= 50 * clicks_a_record, what="50 records", timeout_seconds=30)
    sizes = [clicks_in(put) for put in stub.puts]
    assert sizes[0] == 500
    assert sum(sizes[1:]) <= 2 * clicks_a_record * len(sizes)
    client.close(deadline_seconds=0)
    wait_for(lambda: not client.is_sending(), what="the last call to end", timeout_seconds=10)
    status = client.status()
    assert status.retried == sum(map(clicks_in, stub.puts)) - 500
    assert (status.sent, status.possible_duplicates) == (len(stub.taken), 0)


def test_answers_that_cannot_be_read_are_retried_and_bound_the_copies_in_the_stream(start: Start) -> None:
    stub = AwsStub()

    def take_and_answer_with_a_page(number: int, records: Put) -> set[int] | Answer:
        if number > 3:
            return set()
        stub.taken += [line for record in records for line in lines_in(record)]
        return 200, b"<html>Please log in to this network</html>"

    stub.on_put = take_and_answer_with_a_page
    client = start(stub, clicks_per_call=8, flush_seconds=60, pack_bytes=TWO_CLICKS)
    made = [client.click("u", "a") for _ in range(8)]
    wait_for(lambda: client.status().waiting == 0, what="the clicks", timeout_seconds=10)
    status = client.close()
    assert set(click_ids(stub)) == set(made)
    assert len(stub.taken) - len(made) == status.possible_duplicates == 8 + 4 + 2
    assert status.problem is None


def test_a_throttled_cognito_is_asked_again_and_loses_nothing(start: Start) -> None:
    stub = AwsStub()
    stub.on_vend = lambda _request: error("TooManyRequestsException") if len(stub.cognito_calls) < 8 else None
    client = start(stub)
    client.click("u", "a")
    wait_for(lambda: client.status().sent == 1, what="the click", timeout_seconds=10)
    status = client.close()
    assert (status.waiting, status.possible_duplicates, status.problem) == (0, 0, None)
    assert [action for action, _ in stub.cognito_calls] == ["GetId", "GetCredentialsForIdentity"] * 4


def test_clocks_that_jump_back_change_nothing_but_the_times_that_clicks_say(start: Start) -> None:
    stub = AwsStub()
    times = iter(datetime(2026, 1, day, tzinfo=UTC) for day in (31, 1, 15))
    client = start(stub, now=lambda: next(times))
    made = [client.click("u", "a") for _ in range(3)]
    assert client.close().sent == 3
    assert click_ids(stub) == made


def test_a_click_too_large_for_the_stream_is_refused_when_it_is_made(start: Start) -> None:
    client = start(AwsStub())
    with pytest.raises(ValueError, match="at most 1048576"):
        client.click("u", "a", platform="x" * 2**20)
    assert client.close().waiting == 0


@pytest.mark.parametrize("pack_bytes", [0, 1_000_001])
def test_a_record_of_a_size_that_a_stream_does_not_take_is_refused(pack_bytes: int) -> None:
    with pytest.raises(ValueError, match="give 1 to 1000000"):
        MobileClient(Stream(None, "mobile"), ClickQueue(None), pack_bytes=pack_bytes)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [0, 501])
def test_a_call_of_a_size_that_a_stream_does_not_take_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="give 1 to 500"):
        MobileClient(Stream(None, "mobile"), ClickQueue(None), clicks_per_call=number)  # type: ignore[arg-type]
