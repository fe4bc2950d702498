"""What Fluent Bit's Lua makes of a click, run as Fluent Bit runs it."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.click import ID_FIELDS
from tests.clients.web_servers.browser_requests import SERVERS, logged
from tests.clients.web_servers.fluent_bit_filter import RUNTIMES, Batch, batch_filter
from tests.clients.web_servers.log_lines import CLICKED_AT, CONTRACT, click

FILTERS = {runtime: batch_filter(runtime) for runtime in RUNTIMES}

NANOSECONDS = "1769850896789000000.000"


@pytest.fixture(params=RUNTIMES)
def filtered(request: pytest.FixtureRequest) -> Batch:
    return FILTERS[request.param]


def test_a_line_becomes_a_click_of_the_contract(filtered: Batch) -> None:
    assert filtered([click()]) == [CONTRACT]


@pytest.mark.parametrize("server", SERVERS)
def test_a_line_of_the_real_server_becomes_a_click_of_the_contract(server: str, filtered: Batch) -> None:
    for fields in logged(server).values():
        [made] = filtered([json.dumps(fields)])
        assert re.fullmatch(CLICKED_AT, made["clicked_at"])
        assert made == fields | {"clicked_at": made["clicked_at"]}


def test_ids_that_the_log_has_as_numbers_become_text(filtered: Batch) -> None:
    [made] = filtered([click(user_id=31, article_id=2**53 - 1, position=3)])
    assert made == CONTRACT | {"user_id": "31", "article_id": str(2**53 - 1), "position": 3}


def test_a_number_that_lua_cannot_keep_exactly_is_rejected(filtered: Batch) -> None:
    [made] = filtered([click(user_id=2**60 + 1)])
    assert "user_id" not in made


def test_the_filter_keeps_a_time_of_the_contract_and_leaves_others_as_they_are(filtered: Batch) -> None:
    for time in ("2026-01-31T09:14:56.789Z", "yesterday", "", "1769850896"):
        assert filtered([click(clicked_at=time)])[0]["clicked_at"] == time
    assert filtered([json.dumps({"click_id": "1"})]) == [{"click_id": "1"}]


def test_seconds_have_at_most_eleven_digits(filtered: Batch) -> None:
    [last] = filtered([click(clicked_at="99999999999.999")])
    assert last["clicked_at"] == "5138-11-16T09:46:39.999Z"
    for larger in ("100000000000.000", NANOSECONDS):
        assert filtered([click(clicked_at=larger)])[0]["clicked_at"] == larger


@pytest.mark.parametrize(
    "hostile",
    [
        click(clicked_at=NANOSECONDS),
        click(clicked_at=1e300),
        click(clicked_at=-1e300),
        click(clicked_at=float("inf")),
        click(clicked_at=float("nan")),
        click(clicked_at={"$date": 1}, user_id=1e300),
        click(clicked_at=[1769850896.789], article_id=float("nan")),
        click(clicked_at=None, click_id=None, user_id=None),
        json.dumps({"user_id": 1e300}),
        "{}",
    ],
)
def test_a_line_that_cannot_be_converted_harms_none_of_its_neighbours(hostile: str, filtered: Batch) -> None:
    good = [click() for _ in range(100)]
    sent = filtered([*good, hostile, *good])
    assert sent[:100] == sent[-100:] == [CONTRACT] * 100
    assert len(sent) == 201


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_error_in_the_filter_concerns_its_own_record_only(runtime: str) -> None:
    filtered = batch_filter(
        runtime,
        before="""
        local date = os.date
        os.date = function(format, seconds)
          if seconds == 7 then error("no such time") end
          return date(format, seconds)
        end
        """,
    )
    failing = click(clicked_at="7.000", user_id=31)
    assert filtered([click(), failing, click()]) == [CONTRACT, json.loads(failing), CONTRACT]


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_ANYTHING = (
    _SCALARS | st.lists(_SCALARS, max_size=2) | st.dictionaries(st.text(max_size=2), _SCALARS, max_size=2)
)
_FIELDS = st.sampled_from([*ID_FIELDS, "clicked_at", "platform", "1"])


@pytest.mark.parametrize("runtime", RUNTIMES)
@given(record=st.dictionaries(_FIELDS, _ANYTHING))
def test_no_json_object_harms_its_neighbours(runtime: str, record: dict[str, Any]) -> None:
    before, _, after = FILTERS[runtime]([click(), json.dumps(record), click()])
    assert before == after == CONTRACT


@pytest.mark.parametrize("runtime", RUNTIMES)
@given(milliseconds=st.integers(0, 4_102_444_800_000), as_number=st.booleans())
def test_no_millisecond_is_lost(runtime: str, milliseconds: int, as_number: bool) -> None:
    text = f"{milliseconds // 1000}.{milliseconds % 1000:03}"
    [made] = FILTERS[runtime]([click(clicked_at=float(text) if as_number else text)])
    assert re.fullmatch(CLICKED_AT, made["clicked_at"])
    event_time = datetime.strptime(made["clicked_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert round(event_time.timestamp() * 1000) == milliseconds
