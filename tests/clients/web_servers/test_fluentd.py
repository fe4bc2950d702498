"""What fluentd's configuration makes of a click. The whole file is compared in test_rendering.py."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.clients.web_servers.browser_requests import SERVERS, logged
from tests.clients.web_servers.fluentd_syntax import FluentdSection, read
from tests.clients.web_servers.log_lines import CLICKED_AT, CONTRACT, click


def sent(line: str, fluentd: FluentdSection) -> bytes:
    """The record that fluentd puts for a line: its own rules, with the parameters of the configuration.

    fluentd 1.16: plugin/parser.rb, time.rb (NumericTimeParser) and plugin_helper/inject.rb. The rules for
    times were compared with Ruby 3.1 for each of the 1,000 milliseconds of a second.
    """
    parse, output = fluentd.sections["source"].sections["parse"], fluentd.sections["match"]
    inject, layout = output.sections["inject"], output.sections["format"]
    record: dict[str, Any] = json.loads(line)
    assert parse["time_type"] == "float"
    at = Decimal(str(record.pop(parse["time_key"])))
    for name, kind in (pair.split(":") for pair in parse["types"].split(",")):
        assert kind == "string"
        record[name] = str(record[name])
    assert (inject["utc"], inject["time_type"]) == ("true", "string")
    event_time = datetime.fromtimestamp(int(at), UTC)
    milliseconds = f"{int(at % 1 * 1000):03}"
    record[inject["time_key"]] = event_time.strftime(inject["time_format"].replace("%L", milliseconds))
    text = json.dumps(record, ensure_ascii=False)
    return (text + ("\n" if layout["add_newline"] == "true" else "")).encode()


def test_a_line_becomes_a_click_of_the_contract(fluentd: FluentdSection) -> None:
    record = sent(click(), fluentd)
    assert record.endswith(b"}\n")
    assert json.loads(record) == CONTRACT


@pytest.mark.parametrize("server", SERVERS)
def test_a_line_of_the_real_server_becomes_a_click_of_the_contract(
    server: str, fluentd: FluentdSection
) -> None:
    for fields in logged(server).values():
        made = json.loads(sent(json.dumps(fields), fluentd))
        assert re.fullmatch(CLICKED_AT, made["clicked_at"])
        assert made == fields | {"clicked_at": made["clicked_at"]}


def test_ids_that_the_log_has_as_numbers_become_text(fluentd: FluentdSection) -> None:
    record = json.loads(sent(click(user_id=2**60 + 1, position=3), fluentd))
    assert record["user_id"] == str(2**60 + 1)
    assert record["position"] == 3
    assert re.fullmatch(CLICKED_AT, record["clicked_at"])


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("retry_forever true", "retry_for_ever true", "match buffer/file has no retry_for_ever"),
        ("@type kinesis_lines\n", "@type kinesis_streams_aggregated\n", "no plugin that is used here"),
        ("</buffer>", "", "</match> has no place here"),
        ("  utc true\n", "  utc true\n  utc false\n", "utc is there twice"),
    ],
)
def test_a_mistake_in_the_configuration_is_found(
    production: dict[str, str], before: str, after: str, complaint: str
) -> None:
    text = production["fluentd.conf"]
    assert before in text
    with pytest.raises(ValueError, match=complaint):
        read(text.replace(before, after))
