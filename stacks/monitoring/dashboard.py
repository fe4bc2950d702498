"""A dashboard of CloudWatch for a region: its alarms with their metrics, in the order of a click's path.

Structure of the body: CloudWatch API reference, "Dashboard Body Structure and Syntax". A dashboard is an
account's and may show metrics of any region (CloudWatch user guide, "Creating a cross-account cross-Region
dashboard").
"""

from collections.abc import Iterable, Iterator, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from names import Names
from stacks.monitoring.alarm import AlarmDefinition, BuiltAlarm
from stacks.monitoring.hops import Hop, bytes_a_minute, rankings_a_minute
from stacks.monitoring.measure import Measure, is_query

GRID = 24
"""Columns that CloudWatch has."""
GRAPH_WIDTH, GRAPH_HEIGHT = 6, 5
HEAD_HEIGHT, NUMBER_HEIGHT = 9, 3
SHOWN = Duration.hours(3)


class AlarmWithoutHopError(Exception):
    """An alarm names a hop that the path does not have; the message names both."""


class PathDashboard(Construct):
    """Of the region of its stack.

    name: of the dashboard; other: of the one that shows the other region; path: the hops in this region;
    alarms: those that it shows; runbook: the address of the page that says what to do.

    Raises AlarmWithoutHopError.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        other: str,
        path: Sequence[Hop],
        alarms: Iterable[BuiltAlarm],
        runbook: str,
        names: Names,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._region = Stack.of(self).region
        self._places = {names.tokyo: "Tokyo", names.oregon: "Oregon"}
        places = [hop.title for hop in path]
        definitions = sorted((built.definition for built in alarms), key=lambda alarm: _place(places, alarm))
        dashboard = cloudwatch.Dashboard(
            self,
            "Path",
            dashboard_name=name,
            default_interval=SHOWN,
            period_override=cloudwatch.PeriodOverride.INHERIT,
        )
        dashboard.add_widgets(self._head(other, runbook))
        dashboard.add_widgets(self._status(definitions))
        dashboard.add_widgets(*self._at_one_look(definitions))
        for hop in path:
            dashboard.add_widgets(_heading(hop.title))
            graphs = [self._graph(title, measures) for title, measures in hop.graphs.items()]
            graphs += [self._alarm(alarm) for alarm in definitions if alarm.hop == hop.title]
            for start in range(0, len(graphs), GRID // GRAPH_WIDTH):
                dashboard.add_widgets(*graphs[start : start + GRID // GRAPH_WIDTH])

    def _head(self, other: str, runbook: str) -> cloudwatch.TextWidget:
        [elsewhere] = self._places.keys() - {self._region}
        console = f"https://{elsewhere}.console.aws.amazon.com/cloudwatch/home?region={elsewhere}"
        return cloudwatch.TextWidget(
            markdown=f"# {self._names.prefix} in {self._places[self._region]}\n"
            "The hops of a click, in the order in which it passes them. A graph with a red line is an alarm: "
            f"{runbook} says under the name of its metric what to do. "
            f"The other end of the path: [{self._places[elsewhere]}]({console}#dashboards/dashboard/{other})",
            width=GRID,
            height=3,
        )

    def _status(self, alarms: Sequence[AlarmDefinition]) -> cloudwatch.AlarmStatusWidget:
        """Those whose state changed last come first; the graphs below keep the order of the path."""
        return cloudwatch.AlarmStatusWidget(
            title="Alarms",
            alarms=[self._by_name(alarm) for alarm in alarms],
            sort_by=cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
            width=GRID,
            height=2 + len(alarms) // 4,
        )

    def _by_name(self, alarm: AlarmDefinition) -> cloudwatch.IAlarm:
        """By its literal name: a reference to an alarm of another stack would make an export."""
        arn = f"arn:aws:cloudwatch:{self._region}:{self._names.account}:alarm:{alarm.name}"
        return cloudwatch.Alarm.from_alarm_arn(self, alarm.name, arn)

    def _at_one_look(self, alarms: Sequence[AlarmDefinition]) -> Iterator[cloudwatch.IWidget]:
        yield self._graph(
            "Bytes a minute, hop by hop, both regions",
            bytes_a_minute(self._names),
            right=[rankings_a_minute(self._names)],
            width=GRID // 2,
            height=HEAD_HEIGHT,
        )
        ages = [
            alarm.measure.shown_as(f"{self._short(alarm)} ({alarm.unit})").metric
            for alarm in alarms
            if alarm.headline == "age"
        ]
        further_queries = [age for age in ages if is_query(age)][1:]
        yield cloudwatch.Column(  # type: ignore[misc]  # of jsii: it is an IWidget
            self._numbers(
                "Ages, now",
                [age for age in ages if age not in further_queries],
                height=HEAD_HEIGHT - NUMBER_HEIGHT * len(further_queries),
            ),
            *(self._numbers("Age, now", [query], height=NUMBER_HEIGHT) for query in further_queries),
        )
        yield self._numbers(
            "Dead letters, in the time shown",
            [
                alarm.measure.shown_as(f"{self._short(alarm)} ({alarm.unit})").metric
                for alarm in alarms
                if alarm.headline == "dead letters"
            ],
            height=HEAD_HEIGHT,
            whole_time=True,
        )

    def _numbers(
        self, title: str, metrics: Sequence[cloudwatch.IMetric], *, height: int, whole_time: bool = False
    ) -> cloudwatch.SingleValueWidget:
        return cloudwatch.SingleValueWidget(
            title=title,
            metrics=list(metrics),
            set_period_to_time_range=whole_time,
            region=self._region,
            width=GRID // 4,
            height=height,
        )

    def _alarm(self, alarm: AlarmDefinition) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=self._short(alarm),
            left=[alarm.measure.shown_as(alarm.measure.name).metric],
            left_annotations=[_threshold_line(alarm)],
            region=self._region,
            width=GRAPH_WIDTH,
            height=GRAPH_HEIGHT,
        )

    def _graph(
        self,
        title: str,
        measures: Sequence[Measure],
        *,
        right: Sequence[Measure] = (),
        width: int = GRAPH_WIDTH,
        height: int = GRAPH_HEIGHT,
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            left=[measure.metric for measure in measures],
            right=[measure.metric for measure in right],
            region=self._region,
            width=width,
            height=height,
        )

    def _short(self, alarm: AlarmDefinition) -> str:
        watches = alarm.watches.removeprefix(self._names.prefix).removeprefix("-") or "domain"
        return f"{watches} {alarm.measure.name}"


def _place(hops: Sequence[str], alarm: AlarmDefinition) -> int:
    if alarm.hop in hops:
        return hops.index(alarm.hop)
    raise AlarmWithoutHopError(
        f"The alarm {alarm.name} names the hop {alarm.hop!r}, which the path of its region does not have, so "
        f"no dashboard would show it. Name one of {', '.join(hops)}, or add the hop to "
        "stacks/monitoring/hops.py."
    )


def _threshold_line(alarm: AlarmDefinition) -> cloudwatch.HorizontalAnnotation:
    return cloudwatch.HorizontalAnnotation(
        value=alarm.threshold,
        label=f"ALARM {alarm.breached} {alarm.threshold:g} {alarm.unit}, in {_periods(alarm)}",
        color=cloudwatch.Color.RED,
    )


def _periods(alarm: AlarmDefinition) -> str:
    minutes = alarm.measure.period.to_minutes()
    periods = f"{alarm.evaluation.breaching} of {alarm.evaluation.periods}"
    return periods + (" minutes" if minutes == 1 else f" periods of {minutes:g} minutes")


def _heading(title: str) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(
        markdown=f"## {title}", width=GRID, height=1, background=cloudwatch.TextWidgetBackground.TRANSPARENT
    )
