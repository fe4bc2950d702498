"""An alarm, defined once: its construct, the dashboards, the runbook and the tests read its definition."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct, IConstruct

from stacks.monitoring.measure import Measure
from stacks.monitoring.silence import Silence

RUNBOOK = "docs/operate/runbook.md"
"""Has a heading for each measure that an alarm compares with its threshold."""
DEFINITION = "click-trends:alarm"
"""Metadata of an alarm's construct: jsii may return a different Python object for the same construct."""

Unit = Literal[
    "ms",
    "s",
    "%",
    "MiB",
    "records",
    "clicks",
    "documents",
    "invocations",
    "nodes",
    "users",
    "versions",
    "files",
    "faults",
    "hours",
]
Headline = Literal["age", "dead letters"]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """ALARM begins when `breaching` of the last `periods` (minutes, as a rule) are beyond the threshold."""

    breaching: int
    periods: int


SUSTAINED = Evaluation(breaching=3, periods=5)
"""Every producer and consumer retries what was refused, so a short burst is not worth waking anyone."""
REPEATED = Evaluation(breaching=3, periods=60)
"""For what comes singly in normal work, and every few minutes where something is wrong."""
LASTING = Evaluation(breaching=60, periods=60)
"""For what the service mends by itself, as a rule."""
AT_ONCE = Evaluation(breaching=1, periods=1)
"""For what no retry mends: someone has to look at it."""
NO_BURST = Evaluation(breaching=12, periods=15)
"""For what is no fault in a burst of some minutes."""
TWICE = Evaluation(breaching=2, periods=2)
"""For what is no fault in a single period: see `unanswered` in measure.py."""


@dataclass(frozen=True, kw_only=True)
class AlarmDefinition:
    """All that is known of an alarm.

    watches: the physical name of what is watched; measure: what is compared with `threshold`, both in `unit`;
    breached: on which side of the threshold the fault is; shows: what ALARM means, in a sentence; hop: the
    title of its hop in hops.py; headline: the numbers at the head of the dashboard among which it stands.
    """

    watches: str
    measure: Measure
    threshold: float
    unit: Unit
    shows: str
    hop: str
    silence: Silence
    breached: Literal["above", "below"] = "above"
    evaluation: Evaluation = SUSTAINED
    headline: Headline | None = None

    @property
    def name(self) -> str:
        """The alarm's physical name."""
        return f"{self.watches}-{self.measure.name}"

    @property
    def anchor(self) -> str:
        """Of the measure's heading in the runbook, as GitHub makes it."""
        return re.sub(r"[^\w -]", "", self.measure.name.lower()).replace(" ", "-")

    def description(self, runbook: str) -> str:
        """runbook: the address of the page."""
        return f"{self.watches}: {self.shows} What to do: {runbook}#{self.anchor}"


class Alarm(cloudwatch.Alarm):
    """Built beside what it watches; `describe` and `notify` complete it."""

    def __init__(self, scope: Construct, construct_id: str, definition: AlarmDefinition) -> None:
        super().__init__(
            scope,
            construct_id,
            alarm_name=definition.name,
            alarm_description=definition.description(RUNBOOK),
            metric=definition.measure.metric,
            threshold=definition.threshold,
            evaluation_periods=definition.evaluation.periods,
            datapoints_to_alarm=definition.evaluation.breaching,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
            if definition.breached == "above"
            else cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING
            if definition.silence.breaching
            else cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self.node.add_metadata(DEFINITION, _written(definition))


@dataclass(frozen=True, kw_only=True)
class BuiltAlarm:
    """An alarm as found in a stack."""

    construct: cloudwatch.Alarm
    definition: AlarmDefinition

    def describe(self, runbook: str) -> None:
        """Let the description lead to the runbook at this address."""
        resource = self.construct.node.default_child
        assert isinstance(resource, cloudwatch.CfnAlarm)
        resource.alarm_description = self.definition.description(runbook)


def built_alarms(*roots: IConstruct) -> Iterable[BuiltAlarm]:
    """Every Alarm below the roots, in the order in which they were built.

    Raises TypeError at an alarm without a definition.
    """
    for root in roots:
        for found in root.node.find_all():
            if isinstance(found, cloudwatch.Alarm):
                written = [entry.data for entry in found.node.metadata if entry.type == DEFINITION]
                if not written:
                    raise TypeError(
                        f"{found.node.path} is a plain cloudwatch.Alarm, without what dashboards and "
                        "run-book need: use stacks.monitoring.alarm.Alarm"
                    )
                yield BuiltAlarm(construct=found, definition=_read(written[0], found.metric))


def _written(definition: AlarmDefinition) -> dict[str, Any]:
    """As metadata, which cannot hold the metric."""
    return {
        **{field.name: getattr(definition, field.name) for field in fields(definition)},
        "measure": definition.measure.name,
        "silence": asdict(definition.silence),
        "evaluation": asdict(definition.evaluation),
    }


def _read(written: Mapping[str, Any], metric: cloudwatch.IMetric) -> AlarmDefinition:
    return AlarmDefinition(
        **{
            **written,
            "measure": Measure(name=written["measure"], metric=metric),
            "silence": Silence(**written["silence"]),
            "evaluation": Evaluation(**written["evaluation"]),
        }
    )
