"""Faults of OpenSearch and of its indices."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError

from botocore.exceptions import BotoCoreError, ClientError

from contract.count import start_of_count
from contract.event_time import format_time
from contract.sink import CLICK_COUNTS
from names import OREGON, counts_alias
from twin.drills.fault import Fault
from twin.drills.run import DrilledRun
from twin.processes import wait_for
from twin.twin import Twin

SLOW_SHARE = 0.1
BLOCK_SECONDS = 120.0
"""OpenSearch looks at its disk every 10 s, the shortest that it allows."""
VOLUME_POLL_SECONDS = 1.0
GROWS_WITHIN_SECONDS = 3600.0
"""After the drill has given up waiting for the command, it may still be given."""
CLICKS_SECONDS = 180.0
"""Until a window has ended and is counted."""
_GIBIBYTE = 1024**3
_DISK = "cluster.routing.allocation.disk"
_ALLOW_DELETE = "index.blocks.read_only_allow_delete"
_ALIAS = counts_alias(CLICK_COUNTS.index_family)


def _ask(twin: Twin, method: str, path: str, body: Any = None) -> Any:
    """OpenSearch itself, past the domain's policy."""
    request = urllib.request.Request(
        f"{twin.opensearch_endpoint}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _wait_for_an_index(twin: Twin) -> None:
    """A run that has just begun has counted nothing."""

    def is_there() -> bool:
        try:
            return bool(_ask(twin, "GET", f"_alias/{_ALIAS}"))
        except HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return False

    wait_for(is_there, what="the first counts", timeout_seconds=CLICKS_SECONDS, poll_seconds=1.0)


def _goes_away(run: DrilledRun) -> Callable[[], None]:
    run.twin.search_goes_away()
    return run.twin.search_comes_back


def _is_slow(run: DrilledRun) -> Callable[[], None]:
    return run.twin.search_slows_down(SLOW_SHARE)


def _is_read_only(run: DrilledRun) -> Callable[[], None]:
    def block(*, blocked: bool) -> None:
        _ask(run.twin, "PUT", f"{_ALIAS}/_settings", {"index.blocks.write": blocked or None})

    _wait_for_an_index(run.twin)
    block(blocked=True)
    return lambda: block(blocked=False)


def _is_full(run: DrilledRun) -> None:
    """The node's disk is fuller than the last watermark, until the domain's volume is larger than now."""
    twin, before = run.twin, _volume_gib(run.twin)
    _wait_for_an_index(twin)
    fs = _ask(twin, "GET", "_nodes/stats/fs")["nodes"].values()
    free = max(node["fs"]["total"]["available_in_bytes"] for node in fs)
    _set_watermarks(twin, free + 100 * _GIBIBYTE)
    wait_for(
        lambda: _is_blocked(twin),
        what="the disk found full by OpenSearch",
        timeout_seconds=BLOCK_SECONDS,
        poll_seconds=1.0,
    )
    threading.Thread(target=_until_it_grows, args=(twin, before), name="volume", daemon=True).start()


def _until_it_grows(twin: Twin, before: int) -> None:
    give_up_at = time.monotonic() + GROWS_WITHIN_SECONDS
    while time.monotonic() < give_up_at:
        with suppress(BotoCoreError, ClientError, OSError):  # a part has ended, and may be started again
            if _volume_gib(twin) > before:
                _set_watermarks(twin, 1)
                return
        time.sleep(VOLUME_POLL_SECONDS)


def _set_watermarks(twin: Twin, free_bytes: int) -> None:
    """free_bytes: below which the disk is full. OpenSearch takes its block away above it."""
    stages = {f"{_DISK}.watermark.{stage}": f"{free_bytes}b" for stage in ("low", "high", "flood_stage")}
    settings = {**stages, f"{_DISK}.threshold_enabled": True, "cluster.info.update.interval": "10s"}
    _ask(twin, "PUT", "_cluster/settings", {"transient": settings})


def _is_blocked(twin: Twin) -> bool:
    found = _ask(twin, "GET", f"{_ALIAS}/_settings/{_ALLOW_DELETE}?flat_settings=true")
    return any(index["settings"].get(_ALLOW_DELETE) == "true" for index in found.values())


def _volume_gib(twin: Twin) -> int:
    client = twin.emulator.client("opensearch", OREGON)
    status = client.describe_domain(DomainName=twin.names.search_domain)["DomainStatus"]
    return int(status["EBSOptions"]["VolumeSize"])


def _larger_volume(twin: Twin) -> str:
    options = f"EBSEnabled=true,VolumeType=gp3,VolumeSize={_volume_gib(twin) * 2}"
    return (
        f"aws opensearch update-domain-config --domain-name {twin.names.search_domain} "
        f"--ebs-options {options} --region {OREGON}"
    )


def _day_of(index: str) -> str:
    """In the form of names.day_index, of any generation."""
    return index.partition(".")[2]


class _DeletedDay:
    """The newest day's index. Only one drill happens at a time."""

    def __init__(self) -> None:
        self._index = ""
        self._before = datetime.min.replace(tzinfo=UTC)
        self._clicks = 0

    def cause(self, run: DrilledRun) -> None:
        twin = run.twin
        _wait_for_an_index(twin)
        self._index = max(_ask(twin, "GET", f"_alias/{_ALIAS}"), key=_day_of)
        wait_for(
            lambda: self._has_clicks(twin),
            what=f"clicks in {self._index}",
            timeout_seconds=CLICKS_SECONDS,
            poll_seconds=1.0,
        )
        _ask(twin, "DELETE", self._index)
        # The backup holds what came until now once its buffer is delivered, which needs no practice.
        twin.delivery_streams[twin.names.raw_backup_delivery_stream].flush()

    def _has_clicks(self, twin: Twin) -> bool:
        self._before = start_of_count(datetime.now(UTC))
        self._clicks = self._clicks_before(twin)
        return self._clicks > 0

    def _clicks_before(self, twin: Twin) -> int:
        """Of the windows that ended before the fault."""
        body = {
            "size": 0,
            "query": {"range": {"minute": {"lt": format_time(self._before)}}},
            "aggs": {"clicks": {"sum": {"field": "clicks"}}},
        }
        path = f"{self._index}/_search?ignore_unavailable=true"
        answer = _ask(twin, "POST", path, body)
        clicks: float = answer.get("aggregations", {"clicks": {"value": 0}})["clicks"]["value"]
        return round(clicks)

    def command(self, twin: Twin) -> str:
        day = datetime.strptime(_day_of(self._index), "%Y.%m.%d")
        begin, end = (f"{at:%Y-%m-%dT%H:%MZ}" for at in (day, day + timedelta(days=1)))
        environment = twin.names.environment
        return f"click-trends replay --environment {environment} --from {begin} --to {end} --here --yes"

    def over(self, twin: Twin) -> bool:
        try:
            return self._clicks_before(twin) >= self._clicks
        except HTTPError:  # the index that is made anew has no shard yet
            return False


_DELETED_DAY = _DeletedDay()
SEARCH_FAULTS = (
    Fault(
        name="opensearch-away",
        what="OpenSearch ends like a machine that loses power; its data stays",
        seen="`top` and the board say that counts cannot be read, and how old the last ones are",
        runbook="ClusterStatus.red",
        cause=_goes_away,
        lasts_seconds=30,
    ),
    Fault(
        name="opensearch-slow",
        what=f"OpenSearch gets {SLOW_SHARE:.0%} of the time it needs",
        seen="`top` and the board take seconds; the newest count grows old",
        runbook="DeliveryToAmazonOpenSearchService.DataFreshness",
        cause=_is_slow,
        lasts_seconds=60,
    ),
    Fault(
        name="opensearch-full",
        what="OpenSearch finds its disk full, and blocks writes",
        seen="the newest count grows old; refused counts wait under waiting-documents/",
        runbook="FreeStorageSpace",
        cause=_is_full,
        command=_larger_volume,
        operation="aws opensearch update-domain-config",
        over=lambda twin: not _is_blocked(twin),
    ),
    Fault(
        name="opensearch-read-only",
        what="the indices of the counts refuse writes, as when the service is short of memory",
        seen="the newest count grows old; refused counts wait under waiting-documents/",
        runbook="ClusterIndexWritesBlocked",
        cause=_is_read_only,
        lasts_seconds=30,
    ),
    Fault(
        name="day-index-deleted",
        what="somebody deletes the index of the newest day",
        seen="`top` and the board miss its clicks",
        runbook="ClusterStatus.red",
        cause=_DELETED_DAY.cause,
        command=_DELETED_DAY.command,
        operation="click-trends replay",
        over=_DELETED_DAY.over,
    ),
)
