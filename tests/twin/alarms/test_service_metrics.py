"""What the stand-ins and functions send, before it reaches the emulated CloudWatch."""

import json
from typing import Any

import pytest

from twin.alarms.service_metrics import embedded
from twin.domain_metrics import measured

DIRECTIVE = {
    "Namespace": "ClickTrends",
    "Dimensions": [["service"]],
    "Metrics": [{"Name": "Waiting", "Unit": "Count"}, {"Name": "WaitingAge", "Unit": "Seconds"}],
}
WRITTEN = {
    "_aws": {"Timestamp": 1_767_225_600_500, "CloudWatchMetrics": [DIRECTIVE]},
    "service": "redelivery",
    "Waiting": [2.0, 1.0],
    "WaitingAge": 7,
}


def test_the_embedded_metrics_of_a_line_are_those_that_its_directive_names() -> None:
    dimensions = {"service": "redelivery"}
    assert embedded(json.dumps(WRITTEN)) == [
        ("ClickTrends Waiting", dimensions, [2.0, 1.0], "Count", 1_767_225_600.5),
        ("ClickTrends WaitingAge", dimensions, [7.0], "Seconds", 1_767_225_600.5),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "REPORT RequestId: 1",
        '{"_aws": ',
        '{"_aws": 1}',
        json.dumps({**WRITTEN, "Waiting": ["many"]}),
        json.dumps({key: value for key, value in WRITTEN.items() if key != "service"}),
    ],
)
def test_what_is_not_in_the_embedded_format_is_no_metric(line: str) -> None:
    assert embedded(line) == []


def _node(free: int, heap: int) -> dict[str, Any]:
    return {
        "fs": {"total": {"available_in_bytes": free * 1024 * 1024}},
        "jvm": {"mem": {"heap_used_percent": heap}},
    }


def test_a_domain_reports_its_health_and_the_space_and_heap_of_each_node() -> None:
    health = {"status": "red", "number_of_nodes": 2}
    blocked = {"clicks": {"settings": {"index.blocks.read_only_allow_delete": "true"}}}
    found = measured(health, [_node(100, 30), _node(50, 96)], blocked)
    assert [(name, value) for name, value, _ in found] == [
        ("ClusterStatus.red", 1),
        ("ClusterIndexWritesBlocked", 1),
        ("Nodes", 2),
        ("AutomatedSnapshotFailure", 0),
        ("FreeStorageSpace", 100),
        ("FreeStorageSpace", 50),
        ("JVMMemoryPressure", 30),
        ("JVMMemoryPressure", 96),
    ]
    healthy = {"status": "green", "number_of_nodes": 1}
    assert [value for _, value, _ in measured(healthy, [], {"clicks": {"settings": {}}})] == [0, 0, 1, 0]


def test_an_index_that_takes_no_document_blocks_no_write_of_the_domain() -> None:
    """A cluster that restarts makes it (lambdas/search_bootstrap/definitions.py); the alarm would not end."""
    blocked = {"settings": {"index.blocks.write": "true"}}

    def reported(index: str) -> float:
        found = measured({"status": "green", "number_of_nodes": 1}, [], {index: blocked})
        return {name: value for name, value, _ in found}["ClusterIndexWritesBlocked"]

    assert [reported(index) for index in ("clicks.2026.01.31", "clicks.undated", "clicks_2.undated")] == [
        1,
        0,
        0,
    ]
