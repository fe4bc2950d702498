"""The metrics that OpenSearch Service sends of the domain, asked of the server behind it; none while it is
away.

Nothing here takes snapshots of the domain, so none fails: `AutomatedSnapshotFailure` is 0. `injected` puts
another value in place of one that only AWS can bring about.
"""

import json
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from names import TWIN_ACCOUNT, delivery_index
from twin.alarms.publisher import MetricPublisher
from twin.worker import Worker

ASK_SECONDS = 2.0
TIMEOUT_SECONDS = 2.0
_MEBIBYTE = 1024 * 1024
_BLOCKS = ("read_only", "read_only_allow_delete", "write")


class DomainMetrics:
    """Of the domain `name`. endpoint: http://host:port of its server; publisher: of Oregon's metrics."""

    def __init__(self, publisher: MetricPublisher, endpoint: str, name: str) -> None:
        self._publisher = publisher
        self._endpoint = endpoint
        self._dimensions = {"ClientId": TWIN_ACCOUNT, "DomainName": name}
        self.injected: dict[str, float] = {}
        self._worker = Worker("metrics of the domain", self._step, idle_seconds=ASK_SECONDS)

    def _step(self) -> bool:
        try:
            health = self._ask("/_cluster/health")
            stats = self._ask("/_nodes/stats/fs,jvm")["nodes"].values()
            settings = self._ask("/_all/_settings/index.blocks.*?flat_settings=true")
        except (OSError, HTTPException, json.JSONDecodeError):
            return False
        for name, value, unit in measured(health, list(stats), settings):
            sent = self.injected.get(name, value)
            self._publisher.count(f"AWS/ES {name}", self._dimensions, sent, unit)
        return False

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(self._endpoint + path, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)

    def check(self) -> None:
        self._worker.check()

    def start_again(self) -> None:
        self._worker.start_again()

    def stop(self) -> None:
        self._worker.stop()


def measured(
    health: dict[str, Any], nodes: list[dict[str, Any]], settings: dict[str, Any]
) -> list[tuple[str, float, str]]:
    """Names, values and units. settings: of each index, those of its blocks; the index that Firehose names
    takes no document by its template, which is no block of the domain."""
    blocked = any(
        index["settings"].get(f"index.blocks.{block}") == "true"
        for name, index in settings.items()
        if not name.endswith(delivery_index(""))
        for block in _BLOCKS
    )
    found: list[tuple[str, float, str]] = [
        ("ClusterStatus.red", float(health["status"] == "red"), "Count"),
        ("ClusterIndexWritesBlocked", float(blocked), "Count"),
        ("Nodes", float(health["number_of_nodes"]), "Count"),
        ("AutomatedSnapshotFailure", 0.0, "Count"),
    ]
    of_nodes: dict[str, tuple[Callable[[dict[str, Any]], float], str]] = {
        "FreeStorageSpace": (lambda node: node["fs"]["total"]["available_in_bytes"] / _MEBIBYTE, "Megabytes"),
        "JVMMemoryPressure": (lambda node: float(node["jvm"]["mem"]["heap_used_percent"]), "Percent"),
    }
    return found + [(name, read(node), unit) for name, (read, unit) in of_nodes.items() for node in nodes]
