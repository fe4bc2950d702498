"""The figures on the pages of the web servers are those of the rendered files."""

import json
import math
import re

from settings.web_servers import WebServerSettings
from tests.clients.web_servers.commented_lines import commented_lines
from tests.clients.web_servers.fluentd_syntax import in_bytes, read
from tests.clients.web_servers.harmful_defaults import SDK_ATTEMPTS, SDK_SECONDS
from tests.clients.web_servers.log_lines import COLLECTORS, CONTRACT, PAGE

BLOCK = 4096
DAY_SECONDS = 86_400


def test_what_a_click_takes_in_each_buffer_is_as_the_page_says() -> None:
    fluentd, fluent_bit = in_the_buffer_of_fluentd(CONTRACT), in_the_buffer_of_fluent_bit(CONTRACT)
    for program, size in (("fluentd", fluentd), ("Fluent Bit", fluent_bit)):
        assert f"| {program} | {size} | {size * 3.6e6 / 1e9:.1f} GB |" in COLLECTORS
    buffer_gib = WebServerSettings().buffer_gib
    assert 58 <= buffer_gib * 2**30 / fluentd / 1e6 < 60
    assert "58 million clicks" in (WebServerSettings.model_fields["buffer_gib"].description or "")


def test_fluentd_may_open_two_files_for_each_chunk_of_a_full_buffer(production: dict[str, str]) -> None:
    allowed = int(service_settings(production)["Service LimitNOFILE"])
    largest_buffer = 32 * 2**30
    assert 2 * largest_buffer / bytes_of_a_full_chunk(production) < allowed
    assert allowed > 2 * DAY_SECONDS  # a chunk for each flush_interval


def test_the_disk_holds_a_full_buffer_in_whole_blocks(production: dict[str, str]) -> None:
    """A chunk of a second at 100 clicks/s, and a full one: two files each."""
    for size in (100 * in_the_buffer_of_fluentd(CONTRACT), bytes_of_a_full_chunk(production)):
        on_disk = math.ceil(size / BLOCK) * BLOCK + BLOCK
        assert on_disk / size < WebServerSettings().disk_gib / WebServerSettings().buffer_gib
    assert "half as much again" in COLLECTORS
    assert "half as much again" in (WebServerSettings.model_fields["buffer_gib"].description or "")


def test_the_service_waits_for_a_request_that_is_not_answered(production: dict[str, str]) -> None:
    assert int(service_settings(production)["Service TimeoutStopSec"]) > SDK_ATTEMPTS * SDK_SECONDS


def test_the_log_is_rotated_in_the_way_that_both_programs_follow(production: dict[str, str]) -> None:
    [rotation] = re.findall(r"```logrotate\n(.*?)```", PAGE, re.DOTALL)
    log, *directives = rotation.splitlines()
    assert f"path {log.removesuffix(' {')}*" in production["fluentd.conf"]
    given = {directive.split()[0] for directive in directives}
    assert {"nodateext", "compress", "delaycompress"} <= given
    assert not given & {"copytruncate", "dateext", "compresscmd", "olddir"}


def service_settings(files: dict[str, str]) -> dict[str, str]:
    lines = commented_lines("fluentd.service.conf", files["fluentd.service.conf"])
    return {setting: value for setting, value, _ in lines}


def bytes_of_a_full_chunk(files: dict[str, str]) -> float:
    """fluentd 1.18, plugin/buffer.rb: chunk_full_threshold 0.95."""
    return 0.95 * in_bytes(read(files["fluentd.conf"]).settings()["match buffer chunk_limit_size"])


def in_the_buffer_of_fluentd(click: dict[str, str]) -> int:
    """Bytes: the line that is put."""
    return len(json.dumps(click, ensure_ascii=False, separators=(",", ":")).encode()) + 1


def in_the_buffer_of_fluent_bit(click: dict[str, str]) -> int:
    """Bytes: MessagePack of [[time, {}], fields], the layout of a log event since Fluent Bit 2.1."""
    return 1 + 1 + 10 + 1 + 1 + sum(_packed(name) + _packed(value) for name, value in click.items())


def _packed(text: str) -> int:
    length = len(text.encode())
    return length + (1 if length < 32 else 2 if length < 256 else 3)
