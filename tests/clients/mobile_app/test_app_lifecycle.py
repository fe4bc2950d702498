"""An app that comes and goes, and a stream that fails in every way."""

import json
import random
import threading
from pathlib import Path

import pytest

from clients.mobile_app import ClickQueue, MobileClient, Status, backoff, mobile_stream
from clients.mobile_app import client as client_module
from tests.clients.mobile_app.aws_stub import Answer, AwsStub, Put, error, lines_in, running
from twin.processes import wait_for

LIVES = 15
MAX_CLICKS_A_LIFE = 30


class FailingInEveryWay:
    """A stream that refuses, fails, takes and does not say so, until it is `mended`. It never says that it
    took the first records: on a busy machine chance alone may leave none to be sent again."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.mended = threading.Event()
        self.stub = AwsStub(on_put=self._on_put)

    def _on_put(self, number: int, records: Put) -> set[int] | Answer | None:
        drawn = 1.0 if self.mended.is_set() else self._rng.random()
        if number == 1:
            drawn = 0.1
        if drawn < 0.1:
            return None
        if drawn < 0.2:
            self.stub.taken += [line for record in records for line in lines_in(record)]
            return 200, b"<html>Please log in to this network</html>"
        for share, code in [(0.3, "ThrottlingException"), (0.4, "ExpiredTokenException")]:
            if drawn < share:
                return error(code)
        if drawn < 0.5:
            return error("InternalFailure", 500)
        return {at for at in range(len(records)) if drawn < 0.9 and self._rng.random() < 0.4}


@pytest.mark.parametrize("seed", range(2))
def test_each_click_of_an_app_that_comes_and_goes_arrives_and_the_copies_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 0.002)
    monkeypatch.setattr(client_module, "MAX_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(client_module, "QUEUE_PAUSE_SECONDS", 0.02)
    rng = random.Random(seed)
    failing = FailingInEveryWay(random.Random(seed))
    made: list[str] = []
    clients: list[MobileClient] = []
    with running(failing.stub) as stub:
        stream = mobile_stream(
            "mobile",
            identity_pool_id="pool",
            logins=lambda: {"login.example.jp": "id-token"},
            region="ap-northeast-1",
            endpoint_url=stub.endpoint,
        )

        def come() -> MobileClient:
            size, pack_bytes = rng.choice([1, 5, 50, 500]), rng.choice([1, 400, 25_000])
            queue = ClickQueue(tmp_path / "clicks")
            clients.append(
                MobileClient(stream, queue, flush_seconds=0.01, clicks_per_call=size, pack_bytes=pack_bytes)
            )
            return clients[-1]

        for _ in range(LIVES):
            client = come()
            made += [client.click("u", "a") for _ in range(rng.randrange(MAX_CLICKS_A_LIFE))]
            client.close(deadline_seconds=rng.choice([0, 0.05]))
        failing.mended.set()
        last = come()
        wait_for(lambda: last.status().waiting == 0, what="the rest", timeout_seconds=20)
        last.close()
        wait_for(lambda: not any(one.is_sending() for one in clients), what="all calls", timeout_seconds=20)
    statuses: list[Status] = [client.status() for client in clients]
    arrived = [json.loads(line)["click_id"] for line in stub.taken]
    assert set(arrived) == set(made)
    assert sum(status.sent for status in statuses) == len(made)
    surplus = len(arrived) - len(made)
    assert 0 < surplus <= sum(status.possible_duplicates for status in statuses)
