"""What Fluent Bit is told, and what its Lua makes of a click: run here as Fluent Bit runs it."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lupa.lua51 import LuaRuntime

from names import OREGON, Names
from settings import load
from tests.web_servers.log_lines import CLICKED_AT, CONTRACT, apache_line, click, nginx_line
from web_servers.rendering import rendered

NAMES = Names(environment="production", account="111111111111")
Filter = Callable[[str], dict[str, Any]]

# docs.fluentbit.io: administration/buffering-and-storage, scheduling-and-retries, pipeline/inputs/tail,
# filters/lua, outputs/kinesis
KNOWN = {
    "service": {"flush", "storage.path", "storage.max_chunks_up", "scheduler.base", "scheduler.cap"},
    "parsers": {"name", "format"},
    "inputs": {
        *("name", "tag", "path", "db", "read_from_head", "parser", "buffer_max_size", "skip_long_lines"),
        *("storage.type", "storage.pause_on_chunks_overlimit"),
    },
    "filters": {"name", "match", "call", "code"},
    "outputs": {"name", "match", "region", "stream", "retry_limit"},
}


@pytest.fixture(scope="module")
def filtered() -> Filter:
    return lua_filter()


def lua_filter() -> Filter:
    """The Lua of the configuration as a function of a line, with Fluent Bit's answers 0 and 2."""
    import yaml

    [settings] = yaml.safe_load(rendered(load("production"))["fluent-bit.yaml"])["pipeline"]["filters"]
    lua = LuaRuntime(unpack_returned_tuples=True)
    lua.execute(settings["code"])
    call = lua.globals()[settings["call"]]

    def of_line(line: str) -> dict[str, Any]:
        record = json.loads(line)
        given = {name: value for name, value in record.items() if value is not None}
        code, _, table = call("click", 0.0, lua.table_from(given))
        assert code in {0, 2}
        return dict(table) if code else record

    return of_line


def test_only_documented_parameters_are_used(fluent_bit: Any) -> None:
    assert fluent_bit["service"].keys() == KNOWN["service"]
    [parser] = fluent_bit["parsers"]
    assert parser.keys() == KNOWN["parsers"]
    assert set(fluent_bit["pipeline"]) == {"inputs", "filters", "outputs"}
    for kind, plugins in fluent_bit["pipeline"].items():
        [plugin] = plugins
        assert plugin.keys() == KNOWN[kind]


def test_clicks_go_to_the_source_stream_with_the_instance_profile(
    production: dict[str, str], fluent_bit: Any
) -> None:
    [output] = fluent_bit["pipeline"]["outputs"]
    assert output["name"] == "kinesis_streams"
    assert (output["region"], output["stream"]) == (OREGON, NAMES.source_stream)
    assert f"with the instance profile {NAMES.web_server_role}" in production["fluent-bit.yaml"]
    assert "role_arn" not in output


def test_clicks_wait_on_disk_and_are_put_again_for_ever(fluent_bit: Any) -> None:
    [log], [output] = fluent_bit["pipeline"]["inputs"], fluent_bit["pipeline"]["outputs"]
    assert fluent_bit["service"]["storage.path"] == "/var/lib/click-trends/fluent-bit-buffer"
    assert log["storage.type"] == "filesystem"
    assert log["storage.pause_on_chunks_overlimit"] is True
    assert output["retry_limit"] == "no_limits"
    assert "storage.total_limit_size" not in output  # it drops the oldest


@pytest.mark.parametrize("line", [nginx_line(), apache_line()], ids=["NGINX", "Apache"])
def test_a_line_of_the_documented_log_becomes_a_click_of_the_contract(line: str, filtered: Filter) -> None:
    assert filtered(line) == CONTRACT


def test_ids_that_the_log_has_as_numbers_become_text(filtered: Filter) -> None:
    made = filtered(click(user_id=31, article_id=2**53 - 1, position=3))
    assert (made["user_id"], made["article_id"]) == ("31", str(2**53 - 1))
    assert made["position"] == 3


def test_a_number_that_lua_cannot_keep_is_rejected_and_not_some_other_reader(filtered: Filter) -> None:
    assert "user_id" not in filtered(click(user_id=2**60 + 1))


def test_a_time_of_the_contract_passes_and_any_other_is_left_to_the_application(filtered: Filter) -> None:
    for time in ("2026-01-31T09:14:56.789Z", "yesterday", "", "1769850896"):
        assert filtered(click(clicked_at=time))["clicked_at"] == time
    assert "clicked_at" not in filtered(json.dumps({"click_id": "1"}))


RUN = lua_filter()


@given(milliseconds=st.integers(0, 4_102_444_800_000), as_number=st.booleans())
def test_no_millisecond_is_lost(milliseconds: int, as_number: bool) -> None:
    text = f"{milliseconds // 1000}.{milliseconds % 1000:03}"
    made = RUN(click(clicked_at=float(text) if as_number else text))["clicked_at"]
    assert re.fullmatch(CLICKED_AT, made)
    moment = datetime.strptime(made, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert round(moment.timestamp() * 1000) == milliseconds
