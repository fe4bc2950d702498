"""CloudFormation always gets an answer over HTTP."""

import json
import logging
import time
import urllib.error
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from lambdas.shared.custom_resource import ANSWER_RESERVE_SECONDS, answer


class AnswerTaker:
    """Takes answers, after refusing the first `refusals` or cutting the first `cuts` connections."""

    def __init__(self) -> None:
        self.refusals = 0
        self.cuts = 0
        self.longest = 0
        self.answers: list[dict[str, Any]] = []
        self.content_types: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                body = json.loads(content)
                outer.longest = max(outer.longest, len(content))
                if outer.cuts > 0:
                    outer.cuts -= 1
                    self.close_connection = True
                    return
                refused = outer.refusals > 0
                outer.refusals -= 1
                if not refused:
                    outer.answers.append(body)
                    outer.content_types.append(self.headers["Content-Type"])
                self.send_response(503 if refused else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def event(self) -> dict[str, Any]:
        return {
            "RequestType": "Create",
            "ResponseURL": f"http://127.0.0.1:{self.server.server_port}/answer",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Resource",
        }


class OneMinute:
    log_stream_name = "2026/01/31/[$LATEST]"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnswerTaker]:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    service = AnswerTaker()
    yield service
    service.server.shutdown()
    service.server.server_close()


def test_successful_work_is_a_success(cloudformation: AnswerTaker) -> None:
    answer(cloudformation.event, OneMinute(), physical_id="it", work=lambda _: {"Status": "RUNNING"})
    assert cloudformation.answers == [
        {
            "Status": "SUCCESS",
            "Reason": "done",
            "PhysicalResourceId": "it",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Resource",
            "Data": {"Status": "RUNNING"},
        }
    ]
    assert cloudformation.content_types == [""]


def test_work_that_raises_is_a_failure_with_reason_and_log(cloudformation: AnswerTaker) -> None:
    def work(_: float) -> dict[str, str]:
        raise ValueError("no such pipeline " + "x" * 10_000)

    answer(cloudformation.event, OneMinute(), physical_id="it", work=work)
    [given] = cloudformation.answers
    assert (given["Status"], given["PhysicalResourceId"]) == ("FAILED", "it")
    assert given["Reason"].startswith("ValueError: no such pipeline")
    assert given["Reason"].endswith("(log stream 2026/01/31/[$LATEST])")


@pytest.mark.parametrize(
    "reason",
    [
        "クリックの集計が始まりませんでした。" * 500,
        '"\n' * 5_000,
        "no line ends " * 1_000,
        "\ud800 is half a character" * 500,
        "😀" * 5_000,
    ],
    ids=["Japanese", "escaped", "ASCII", "no text", "beyond the basic plane"],
)
def test_a_reason_is_cut_so_that_the_answer_fits_its_bytes(
    cloudformation: AnswerTaker, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # a worker of pytest-xdist cannot report half a character

    def work(_: float) -> dict[str, str]:
        raise ValueError(reason)

    answer(cloudformation.event, OneMinute(), physical_id="it", work=work)
    [given] = cloudformation.answers
    assert 4_000 < cloudformation.longest <= 4_096
    assert given["Reason"].endswith("… (log stream 2026/01/31/[$LATEST])")


@pytest.mark.parametrize("reason", ["", "集計が始まりませんでした", "x" * 3_000])
def test_a_reason_that_fits_is_given_whole(cloudformation: AnswerTaker, reason: str) -> None:
    def work(_: float) -> dict[str, str]:
        raise ValueError(reason)

    answer(cloudformation.event, OneMinute(), physical_id="it", work=work)
    [given] = cloudformation.answers
    assert given["Reason"] == f"ValueError: {reason} (log stream 2026/01/31/[$LATEST])"


def test_a_refused_answer_is_sent_again(cloudformation: AnswerTaker) -> None:
    cloudformation.refusals = 2
    answer(cloudformation.event, OneMinute(), physical_id="it", work=lambda _: {})
    assert len(cloudformation.answers) == 1


def test_an_answer_with_an_unknown_outcome_is_sent_again(
    cloudformation: AnswerTaker,
) -> None:
    """Lambda's own retry would repeat all the work, and CloudFormation may not wait for that."""
    cloudformation.cuts = 2
    answer(cloudformation.event, OneMinute(), physical_id="it", work=lambda _: {})
    assert len(cloudformation.answers) == 1


def test_an_answer_that_is_always_refused_makes_lambda_retry(cloudformation: AnswerTaker) -> None:
    cloudformation.refusals = 99
    with pytest.raises(urllib.error.HTTPError):
        answer(cloudformation.event, OneMinute(), physical_id="it", work=lambda _: {})


def test_work_must_end_while_there_is_time_to_answer(
    cloudformation: AnswerTaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1_000.0)
    deadlines: list[float] = []

    def work(deadline: float) -> dict[str, str]:
        deadlines.append(deadline)
        return {}

    answer(cloudformation.event, OneMinute(), physical_id="it", work=work)
    assert deadlines == [1_060.0 - ANSWER_RESERVE_SECONDS]
