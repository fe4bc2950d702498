"""fluentd's output of ours, run by JRuby on stand-ins for fluentd and the AWS SDK."""

import json
import os
import re
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from clients.web_servers.rendering import PLUGIN, TEMPLATES
from contract.click import Click, Unread, read
from contract.limits import PUT_RECORDS
from tests.clients.web_servers.fluentd_syntax import FluentdSection, in_bytes
from tests.clients.web_servers.log_lines import CONTRACT
from tests.conftest import PROJECT

HERE = Path(__file__).parent
KEY_BYTES = 32
LIMIT = 1000
CLICKS = [{**CONTRACT, "click_id": str(number)} for number in range(5)]
LONG = {**CONTRACT, "title": "記" * LIMIT}
JUST_FITTING = {"title": "x" * (LIMIT - len('{"title":""}\n'))}
ONE_TOO_LONG = {"title": "x" * (LIMIT - len('{"title":""}\n') + 1)}
NOT_TAKEN = ["ProvisionedThroughputExceededException", "InternalFailure", "empty", "nothing", "error"]


def scenario(clicks: list[dict[str, Any]], answers: list[str], limit: int = LIMIT) -> dict[str, Any]:
    return {"stream_name": "source", "clicks": clicks, "answers": answers, "chunk_limit_size": limit}


SCENARIOS = {
    "taken": scenario(CLICKS, ["taken", "taken"]),
    "not taken": scenario(CLICKS, NOT_TAKEN),
    "long": scenario([CONTRACT, LONG, JUST_FITTING, ONE_TOO_LONG, CONTRACT], []),
    "largest": scenario(CLICKS, ["taken"], PUT_RECORDS.record_bytes - KEY_BYTES),
    "too large": scenario(CLICKS, ["taken"], PUT_RECORDS.record_bytes - KEY_BYTES + 1),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What came of each scenario. One start of JRuby takes 3 s."""
    [jruby] = (PROJECT / ".cache").glob("jruby-complete-*.jar")
    scenarios = tmp_path_factory.mktemp("scenarios") / "scenarios.json"
    scenarios.write_text(json.dumps(SCENARIOS), encoding="utf-8")
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", str(jruby)]
    ruby = ["--disable-gems", "-w", "-I", str(HERE / "fluentd_stand_ins"), str(HERE / "run_lines_output.rb")]
    ran = subprocess.run(
        [*java, *ruby, str(TEMPLATES / PLUGIN), str(scenarios)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout)


def test_a_chunk_is_one_record_of_lines_under_a_random_key(outcomes: Any) -> None:
    taken = outcomes["taken"]
    assert taken["errors"] == [None, None]
    [[first], [second]] = [request["records"] for request in taken["requests"]]
    assert {request["stream"] for request in taken["requests"]} == {"source"}
    assert read(b64decode(first["data"])) == [
        Click(click, json.dumps(click, ensure_ascii=False, separators=(",", ":")).encode())
        for click in CLICKS
    ]
    assert first["data"] == second["data"]
    assert first["key"] != second["key"]
    assert all(re.fullmatch(rf"[0-9a-f]{{{KEY_BYTES}}}", record["key"]) for record in (first, second))


def test_the_buffer_holds_the_lines_as_they_are_put(outcomes: Any) -> None:
    assert outcomes["taken"]["msgpack"] is False
    [line, *_] = map(b64decode, outcomes["taken"]["lines"])
    assert line == json.dumps(CLICKS[0], ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def test_a_chunk_that_is_not_known_to_be_taken_raises_what_fluentd_retries(outcomes: Any) -> None:
    """Not NoMethodError or TypeError, after which fluentd gives a chunk up."""
    assert outcomes["not taken"]["errors"] == [
        "RuntimeError: source did not take a record: ProvisionedThroughputExceededException",
        "RuntimeError: source did not take a record: InternalFailure",
        "RuntimeError: source did not take a record: an empty answer",
        "RuntimeError: source did not take a record: an empty answer",
        "IOError: the connection was cut",
    ]


def test_a_line_over_a_chunk_is_cut_so_that_it_counts_as_unparseable(outcomes: Any) -> None:
    lines = [b64decode(line) for line in outcomes["long"]["lines"]]
    assert [len(line) for line in lines[1:4]] == [LIMIT] * 3
    units = read(b"".join(lines))
    assert [type(unit) for unit in units] == [Click, Unread, Click, Unread, Click]
    assert [unit.fields for unit in units if isinstance(unit, Click)] == [CONTRACT, JUST_FITTING, CONTRACT]


def test_a_chunk_that_no_record_takes_is_refused_at_the_start(outcomes: Any) -> None:
    assert outcomes["too large"]["refused"] == "chunk_limit_size: a record takes at most 1048544 bytes"
    assert outcomes["largest"]["errors"] == [None]


def test_the_chunks_of_the_configuration_are_records(fluentd: FluentdSection) -> None:
    buffer = fluentd.sections["match"].sections["buffer"]
    assert 50_000 <= in_bytes(buffer["chunk_limit_size"]) <= 100_000
