"""Alarms on expressions in the twin: MiniStack's CloudFormation refuses them, so it gets a plain alarm.

The alarm exists with its name, actions, threshold and description, and is never evaluated; tests/stacks
checks its expression.
"""

from types import ModuleType
from typing import Any

NEEDED_OF_PROVISIONERS = ("_cw_metric_alarm_record",)
NAMESPACE = "Twin/NotEvaluated"


def take_expressions(provisioners: ModuleType) -> None:
    """provisioners: MiniStack's module of that name."""
    record = provisioners._cw_metric_alarm_record

    def without_expression(name: str, properties: dict[str, Any]) -> Any:
        if "Metrics" in properties:
            plain = {key: value for key, value in properties.items() if key != "Metrics"}
            properties = {**plain, "Namespace": NAMESPACE, "MetricName": name}
        return record(name, properties)

    provisioners._cw_metric_alarm_record = without_expression  # type: ignore[attr-defined]
