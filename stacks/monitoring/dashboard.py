"""A dashboard of CloudWatch for a region: its alarms with their metrics, in the order of a click's path.

Structure of the body: CloudWatch API reference, "Dashboard Body Structure and Syntax". A dashboard is an
account's and may show metrics of any region (CloudWatch user guide, "Creating a cross-account cross-Region
dashboard"); this one is made with the stacks of its region.
"""

from collections.abc import Iterator, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from names import Names
from stacks.monitoring.alarm import BuiltAlarm, built_alarms
from stacks.monitoring.measure import Measure, is_query
from stacks.monitoring.path import AGES, DEAD_LETTERS, Hop, oregon_path, records_a_minute, tokyo_path

GRID = 24
"""Columns that CloudWatch has."""
GRAPH_WIDTH, GRAPH_HEIGHT = 6, 5
HEAD_HEIGHT, NUMBER_HEIGHT = 9, 3
SHOWN = Duration.hours(3)


class AlarmWithoutHopError(Exception):
    """An alarm watches what no hop of the path has; the message names both."""


def add_dashboards(*, tokyo: Sequence[Stack], oregon: Sequence[Stack], names: Names) -> None:
    """A dashboard for each region, in the last of its stacks. Call it when the stacks are complete.

    Raises AlarmWithoutHopError.
    """
    PathDashboard(
        tokyo[-1],
        "Dashboard",
        name=names.tokyo_dashboard,
        other=names.oregon_dashboard,
        stacks=tokyo,
        path=tokyo_path(names),
        names=names,
    )
    PathDashboard(
        oregon[-1],
        "Dashboard",
        name=names.oregon_dashboard,
        other=names.tokyo_dashboard,
        stacks=oregon,
        path=oregon_path(names),
        names=names,
    )


class PathDashboard(Construct):
    """In the region of the stacks.

    name: of the dashboard; other: of the one that shows the other region; stacks: whose alarms it shows.
    """

    def __init__(
        self,
        scope: Stack,
        construct_id: str,
        *,
        name: str,
        other: str,
        stacks: Sequence[Stack],
        path: Sequence[Hop],
        names: Names,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._region = scope.region
        self._places = {names.tokyo: "Tokyo", names.oregon: "Oregon"}
        alarms = sorted(built_alarms(*stacks), key=lambda built: _place(path, built))
        dashboard = cloudwatch.Dashboard(
            self,
            "Path",
            dashboard_name=name,
            default_interval=SHOWN,
            period_override=cloudwatch.PeriodOverride.INHERIT,
        )
        dashboard.add_widgets(self._head(other))
        dashboard.add_widgets(self._status(alarms))
        dashboard.add_widgets(*self._at_one_look(alarms))
        for hop in path:
            dashboard.add_widgets(_heading(hop.title))
            graphs = [self._graph(title, measures) for title, measures in hop.graphs.items()]
            graphs += [self._alarm(built) for built in alarms if built.watches in hop.watches]
            for start in range(0, len(graphs), GRID // GRAPH_WIDTH):
                dashboard.add_widgets(*graphs[start : start + GRID // GRAPH_WIDTH])

    def _head(self, other: str) -> cloudwatch.TextWidget:
        [elsewhere] = self._places.keys() - {self._region}
        console = f"https://{elsewhere}.console.aws.amazon.com/cloudwatch/home?region={elsewhere}"
        return cloudwatch.TextWidget(
            markdown=f"# {self._names.prefix} in {self._places[self._region]}\n"
            "The hops of a click, in the order in which it passes them. A graph with a red line is an alarm: "
            "its metric has a section in docs/operate/runbook.md. "
            f"The other end of the path: [{self._places[elsewhere]}]({console}#dashboards/dashboard/{other})",
            width=GRID,
            height=3,
        )

    def _status(self, alarms: Sequence[BuiltAlarm]) -> cloudwatch.AlarmStatusWidget:
        """Those that ring come first; the graphs below keep the order of the path."""
        return cloudwatch.AlarmStatusWidget(
            title="Alarms",
            alarms=[self._by_name(built) for built in alarms],
            sort_by=cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
            width=GRID,
            height=2 + len(alarms) // 4,
        )

    def _by_name(self, built: BuiltAlarm) -> cloudwatch.IAlarm:
        """By its literal name: a reference to an alarm of another stack would make an export."""
        arn = f"arn:aws:cloudwatch:{self._region}:{self._names.account}:alarm:{built.name}"
        return cloudwatch.Alarm.from_alarm_arn(self, built.name, arn)

    def _at_one_look(self, alarms: Sequence[BuiltAlarm]) -> Iterator[cloudwatch.IWidget]:
        yield self._graph(
            "Records a minute, hop by hop, both regions",
            records_a_minute(self._names),
            width=GRID // 2,
            height=HEAD_HEIGHT,
        )
        ages = [
            built.metric(f"{self._short(built)} ({AGES[built.measures]})")
            for built in alarms
            if built.measures in AGES
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
            [built.metric(self._short(built)) for built in alarms if built.measures in DEAD_LETTERS],
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

    def _alarm(self, built: BuiltAlarm) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=self._short(built),
            left=[built.metric(built.measures)],
            left_annotations=[built.threshold_line()],
            region=self._region,
            width=GRAPH_WIDTH,
            height=GRAPH_HEIGHT,
        )

    def _graph(
        self, title: str, measures: Sequence[Measure], *, width: int = GRAPH_WIDTH, height: int = GRAPH_HEIGHT
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            left=[measure.metric for measure in measures],
            region=self._region,
            width=width,
            height=height,
        )

    def _short(self, built: BuiltAlarm) -> str:
        watches = built.watches.removeprefix(self._names.prefix).removeprefix("-") or "domain"
        return f"{watches} {built.measures}"


def _place(path: Sequence[Hop], built: BuiltAlarm) -> tuple[int, int]:
    for place, hop in enumerate(path):
        if built.watches in hop.watches:
            return place, hop.watches.index(built.watches)
    raise AlarmWithoutHopError(
        f"The alarm {built.name} watches {built.watches}, which is in no hop of the path, so no dashboard "
        "would show it. Add that name to `watches` of its hop in stacks/monitoring/path.py."
    )


def _heading(title: str) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(
        markdown=f"## {title}", width=GRID, height=1, background=cloudwatch.TextWidgetBackground.TRANSPARENT
    )
