"""What loses, destroys or invents clicks in a configuration, mostly by default."""

import fnmatch
import json
from typing import Any

from tests.clients.web_servers.fluentd_syntax import in_bytes

MAX_CHUNK_BYTES = 100_000
"""A record of more loads one shard for a tenth of a second and longer."""
DAY_SECONDS = 86_400
SDK_ATTEMPTS, SDK_SECONDS = 4, 60
"""Attempts and timeout of a request: the defaults of the AWS SDK for Ruby."""

ROTATED = {"", ".1", ".2", ".10", ".20260131"}
"""What a rotation appends to the name of the log."""
BESIDE = {
    ".1.gz",
    ".2.xz",
    ".3.bz2",
    ".4.zst",
    ".bak",
    ".1.bak",
    ".orig",
    ".swp",
    "~",
    ".1~",
    "2",
    "-old",
    "_copy",
}
"""What copies append, and rotated logs when they are compressed."""


def fluentd_faults(settings: dict[str, str]) -> list[str]:
    """`settings`: as FluentdSection.settings()."""

    def has(place: str, value: str) -> bool:
        return settings.get(place) == value

    path = settings.get("source path", "")
    excluded = json.loads(settings.get("source exclude_path", "[]"))
    log = path.removesuffix("*")
    followed = {end for end in ROTATED | BESIDE if fnmatch.fnmatchcase(log + end, path)}
    followed -= {end for end in followed if any(fnmatch.fnmatchcase(log + end, each) for each in excluded)}
    threads = int(settings.get("match buffer flush_thread_count", "1"))
    rules = {
        "encoding without from_encoding turns every byte that is not ASCII into U+FFFD": (
            "source encoding" not in settings or "source from_encoding" in settings
        ),
        "tail without follow_inodes loses the rest of a log that is renamed": has(
            "source follow_inodes", "true"
        ),
        "tail does not read renamed logs": followed >= ROTATED,
        "tail reads copies of the log, or compressed ones": followed <= ROTATED,
        "one long line is kept in memory, and in fluentd's own log": has("source max_line_size", "1m"),
        "with a rotate_wait two readers follow one file": has("source rotate_wait", "0"),
        "tail finds new files too late": has("source refresh_interval", "5s"),
        "tail forgets where it stopped": "source pos_file" in settings,
        "tail leaves out what is in a log that it finds": has("source read_from_head", "true"),
        "lines that are no clicks are dropped": has("source emit_unmatched_lines", "true"),
        "a line without a time is given one": has("source parse estimate_current_event", "false"),
        "times are local": has("match inject utc", "true"),
        "each click is billed as a record": has("match @type", "kinesis_lines"),
        "what fluentd gives up is put into /tmp": "system root_dir" in settings,
        "the buffer is in memory": has("match buffer @type", "file"),
        "a full buffer drops lines": has("match buffer overflow_action", "block"),
        "a chunk is more than a record should be": (
            in_bytes(settings.get("match buffer chunk_limit_size", "256m")) <= MAX_CHUNK_BYTES
        ),
        "chunks are thrown away after 72 hours": has("match buffer retry_forever", "true"),
        "retries become rarer without end": has("match buffer retry_max_interval", "60s"),
        "fewer than eight threads send": threads >= 8,
    }
    return [fault for fault, kept in rules.items() if not kept]


def fluent_bit_faults(configuration: dict[str, Any]) -> list[str]:
    """`configuration`: the YAML, read."""
    service = configuration["service"]
    [log], [output] = configuration["pipeline"]["inputs"], configuration["pipeline"]["outputs"]
    paths = log["path"].split(",")
    ignored_days = int(str(log.get("ignore_older", "0d")).removesuffix("d"))
    rotate_wait = log.get("rotate_wait", 5)
    rules = {
        "tail forgets a log that is rotated during an outage of a day": rotate_wait >= DAY_SECONDS,
        "tail does not read the last rotated log": paths[1:] == [f"{paths[0]}.1"],
        "old rotated logs are read again": ignored_days > 0,
        "a rotated log is forgotten while it still counts as new": rotate_wait > ignored_days * DAY_SECONDS,
        "tail finds new files too late": log.get("refresh_interval", 60) <= 5,
        "tail forgets where it stopped": "db" in log,
        "tail leaves out what is in a log that it finds": log.get("read_from_head") is True,
        "one long line ends the reading": log.get("skip_long_lines") is True,
        "lines over 32 kB are skipped": log.get("buffer_max_size") == "1M",
        "the buffer is in memory": log.get("storage.type") == "filesystem" and "storage.path" in service,
        "a full buffer drops the oldest clicks": "storage.total_limit_size" not in output,
        "a throttled stream gets copies, and each click is billed as a record": (
            output.get("simple_aggregation") is True
        ),
        "chunks are thrown away after one retry": output.get("retry_limit") == "no_limits",
        "the output has no timeout": output.get("net.io_timeout", "0s") not in {"0", "0s"},
        "retries come up to 33 minutes late": service.get("scheduler.cap", 2000) <= 60,
    }
    return [fault for fault, kept in rules.items() if not kept]
