"""What commands that change data say when they are interrupted."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clients.command_line.command import app
from contract.event_time import format_time
from contract.sink import SINKS
from operations.operator import Standing
from operations.replay import command, here, on_aws
from operations.replay.here import CountedHere
from tests.operations.erasure.test_command import give, s3  # noqa: F401 (a fixture)
from tests.operations.replay.test_command import ASKED, FIREHOSE, account

RANGE = ("--from", format_time(ASKED.begin), "--to", format_time(ASKED.end))
OBJECTS = {f"{ASKED.prefixes[1]}a.json.gz": gzip.compress(b"{}\n")}


def interrupted(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


def asked_to_end(*_: Any, **__: Any) -> Any:
    raise SystemExit(143)


@pytest.fixture(autouse=True)
def _operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "operator", lambda *_: account(OBJECTS))
    monkeypatch.setattr(command, "_as_served", lambda *_: ({}, {}))


def replay(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["replay", "--environment", "local", "--yes", *RANGE, *words])
    return done.exit_code, done.stderr.splitlines()[-1]


@pytest.mark.parametrize(("ends", "code"), [(interrupted, 130), (asked_to_end, 143)])
@pytest.mark.parametrize("stage", ["look", "_count"])
def test_a_replay_interrupted_before_it_puts_counts_says_so(
    monkeypatch: pytest.MonkeyPatch, ends: Any, code: int, stage: str
) -> None:
    monkeypatch.setattr(here, stage, ends)
    assert replay("--here") == (code, "click-trends: interrupted: no count was put")


def test_a_replay_interrupted_while_it_puts_says_how_many_counts_were_put(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def counted(*asked: Any, **_: Any) -> CountedHere:
        for sink in SINKS:
            table: Path = asked[3] / sink.table
            table.mkdir()
            (table / "part-0").write_bytes(b'{"clicks": 1}\n' * 700)
        return CountedHere(clicks=700, keys=700)

    calls: list[int] = []
    take = FIREHOSE.put_record_batch

    def second_is_interrupted(**call: Any) -> Any:
        calls.append(len(call["Records"]))
        return take(**call) if len(calls) < 2 else interrupted()

    monkeypatch.setattr(here, "count_here", counted)
    monkeypatch.setattr(FIREHOSE, "put_record_batch", second_is_interrupted)
    code, said = replay("--here")
    assert code == 130
    assert said.startswith(f"click-trends: interrupted: {calls[0]:,} counts or some more are put, the others")


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("ask", "whether the replay began is not known; if it did it ends by itself"),
        ("wait_for", "replay 7 goes on without this command, and puts its counts"),
    ],
)
def test_a_replay_on_aws_says_whether_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, stage: str, told: str
) -> None:
    monkeypatch.setattr(on_aws, "ask", lambda *_, **__: {"id": 7, "ends_by": "noon"})
    monkeypatch.setattr(on_aws, stage, interrupted)
    code, said = replay("--on-aws")
    assert (code, said.startswith(f"click-trends: interrupted: {told}")) == (130, True), said


def test_an_interrupted_erasure_says_that_it_is_not_whole(
    s3: Any,  # noqa: ARG001, F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("operations.erasure.erasing.Erasure.erase", interrupted)
    ended = give("--user-id", "hanako", "--yes")
    assert ended.exit_code == 130
    assert "interrupted: not everything is erased; what is erased stays so" in ended.stderr


def test_until_something_is_changed_an_interruption_has_changed_nothing() -> None:
    assert str(Standing()) == "nothing was changed"
