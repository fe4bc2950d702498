"""No default that is known to lose, destroy or invent clicks is left in the rendered files."""

from typing import Any

import pytest
import yaml

from tests.clients.web_servers.fluentd_syntax import FluentdSection, read
from tests.clients.web_servers.hurtful_defaults import fluent_bit_faults, fluentd_faults

EXCLUDED = '  exclude_path ["/var/log/nginx/clicks.log[!.]*", "/var/log/nginx/clicks.log.*[!0-9]*"]'


def test_fluentd_keeps_no_harmful_default(fluentd: FluentdSection) -> None:
    assert fluentd_faults(fluentd.settings()) == []


def test_fluent_bit_keeps_no_harmful_default(fluent_bit: Any) -> None:
    assert fluent_bit_faults(fluent_bit) == []


@pytest.mark.parametrize(
    ("line", "instead", "fault"),
    [
        (
            "  read_from_head true",
            "  read_from_head true\n  encoding UTF-8",
            "encoding without from_encoding",
        ),
        ("  follow_inodes true", "", "without follow_inodes"),
        ("  rotate_wait 0", "", "two readers follow one file"),
        ("  refresh_interval 5s", "", "finds new files too late"),
        (
            "  path /var/log/nginx/clicks.log*",
            "  path /var/log/nginx/clicks.log",
            "does not read renamed logs",
        ),
        (EXCLUDED, "", "reads copies"),
        (EXCLUDED, '  exclude_path ["/var/log/nginx/clicks.log*.gz"]', "reads copies"),
        ("  max_line_size 1m", "", "one long line"),
        ("  reset_backoff_if_success false", "", "throttled stream"),
        ("  root_dir /var/lib/click-trends/fluentd", "", "into /tmp"),
        ("  pos_file /var/lib/click-trends/fluentd-position", "", "forgets where it stopped"),
        ("  read_from_head true", "", "leaves out"),
        ("  emit_unmatched_lines true", "", "no clicks are dropped"),
        ("    estimate_current_event false", "", "is given one"),
        ("    utc true", "", "times are local"),
        ("  drop_failed_records_after_batch_request_retries false", "", "refused records"),
        ("    overflow_action block", "", "a full buffer drops"),
        ("    chunk_limit_records 500", "", "more than a request"),
        ("    chunk_limit_size 5m", "", "more than a request"),
        ("    retry_forever true", "", "after 72 hours"),
        ("    retry_max_interval 60s", "", "rarer without end"),
        ("    flush_thread_count 8", "    flush_thread_count 4", "fewer than eight threads"),
    ],
)
def test_a_line_that_is_missing_in_fluentd_is_named_by_what_it_costs(
    production: dict[str, str], line: str, instead: str, fault: str
) -> None:
    text = production["fluentd.conf"]
    assert f"\n{line}\n" in text
    [found] = fluentd_faults(read(text.replace(f"\n{line}\n", f"\n{instead}\n")).settings())
    assert fault in found


@pytest.mark.parametrize(
    ("line", "instead", "faults"),
    [
        (
            "rotate_wait: 172800",
            "",
            ["rotated during an outage", "forgotten while it still counts as new"],
        ),
        ("rotate_wait: 172800", "rotate_wait: 86400", ["forgotten while it still counts as new"]),
        ("clicks.log,/var/log/nginx/clicks.log.1", "clicks.log", ["does not read the last rotated log"]),
        ("ignore_older: 1d", "", ["old rotated logs are read again"]),
        ("refresh_interval: 5", "", ["finds new files too late"]),
        ("db: /var/lib/click-trends/fluent-bit-position.db", "", ["forgets where it stopped"]),
        ("read_from_head: true", "", ["leaves out"]),
        ("skip_long_lines: on", "", ["ends the reading"]),
        ("buffer_max_size: 1M", "", ["over 32 kB"]),
        ("storage.type: filesystem", "", ["in memory"]),
        ("retry_limit: no_limits", "", ["after one retry"]),
        ("net.io_timeout: 10s", "", ["no time-out"]),
        (
            "net.io_timeout: 10s",
            "net.io_timeout: 10s\n      storage.total_limit_size: 8G",
            ["drops the oldest"],
        ),
        ("scheduler.cap: 60", "", ["33 minutes late"]),
    ],
)
def test_a_line_that_is_missing_in_fluent_bit_is_named_by_what_it_costs(
    production: dict[str, str], line: str, instead: str, faults: list[str]
) -> None:
    text = production["fluent-bit.yaml"]
    assert text.count(f"{line}\n") == 1
    found = fluent_bit_faults(yaml.safe_load(text.replace(f"{line}\n", f"{instead}\n")))
    assert len(found) == len(faults)
    assert all(part in whole for part, whole in zip(faults, found, strict=True))
