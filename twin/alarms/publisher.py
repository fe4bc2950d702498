"""Sends the metrics of the twin's stand-ins to the emulated CloudWatch, as their services would: what was
counted, and how things are, several times in a minute of the clock."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from twin.alarms.clock import WALL_CLOCK, AlarmClock
from twin.emulator import Emulator
from twin.worker import Worker

MAX_PUBLISH_SECONDS = 2.0
PUBLISHED_A_MINUTE = 6
MAX_METRICS_A_REQUEST = 500
Key = tuple[str, str, frozenset[tuple[str, str]], str]
Gauge = Callable[[], float | None]


class MetricPublisher:
    """Of the stand-ins in a region, from a thread of its own."""

    def __init__(self, emulator: Emulator, region: str, clock: AlarmClock = WALL_CLOCK) -> None:
        self._cloudwatch = emulator.client("cloudwatch", region)
        self._lock = threading.Lock()
        self._counted: dict[Key, list[float]] = {}
        self._gauges: dict[Key, Gauge] = {}
        pause = min(clock.wall_seconds(60 / PUBLISHED_A_MINUTE), MAX_PUBLISH_SECONDS)
        self._worker = Worker(f"metrics of {region}", self._publish, idle_seconds=pause)

    def count(self, name: str, dimensions: Mapping[str, str], value: float, unit: str = "Count") -> None:
        """name: with its namespace, as `AWS/Firehose DeliveryToS3.Records`."""
        with self._lock:
            self._counted.setdefault(_key(name, dimensions, unit), []).append(value)

    def gauge(self, name: str, dimensions: Mapping[str, str], unit: str, read: Gauge) -> None:
        """read: called whenever something is sent; None while there is nothing to say."""
        with self._lock:
            self._gauges[_key(name, dimensions, unit)] = read

    def _publish(self) -> bool:
        with self._lock:
            counted, self._counted = self._counted, {}
            gauges = dict(self._gauges)
        for key, read in gauges.items():
            if (value := read()) is not None:
                counted.setdefault(key, []).append(value)
        by_namespace: dict[str, list[dict[str, Any]]] = {}
        for key, values in counted.items():
            by_namespace.setdefault(key[0], []).append(_datum(key, values))
        for namespace, data in by_namespace.items():
            for start in range(0, len(data), MAX_METRICS_A_REQUEST):
                self._cloudwatch.put_metric_data(
                    Namespace=namespace, MetricData=data[start : start + MAX_METRICS_A_REQUEST]
                )
        return False

    def check(self) -> None:
        self._worker.check()

    def start_again(self) -> None:
        self._worker.start_again()

    def stop(self) -> None:
        self._worker.stop()


def _key(name: str, dimensions: Mapping[str, str], unit: str) -> Key:
    namespace, plain = name.split(" ")
    return namespace, plain, frozenset(dimensions.items()), unit


def _datum(key: Key, values: list[float]) -> dict[str, Any]:
    _, name, dimensions, unit = key
    return {
        "MetricName": name,
        "Dimensions": [{"Name": dimension, "Value": value} for dimension, value in sorted(dimensions)],
        "Unit": unit,
        "StatisticValues": {
            "SampleCount": float(len(values)),
            "Sum": sum(values),
            "Minimum": min(values),
            "Maximum": max(values),
        },
    }
