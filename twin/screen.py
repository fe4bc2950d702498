"""What `make run` shows: the run's numbers, and what is trending in each segment. Values in, pictures out.

On a terminal the picture is redrawn in place; elsewhere (a log file, CI) a few plain lines are printed now
and then.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType

from rich.cells import chop_cells
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from clients.batch_server import TrendingArticle
from clients.batch_server.text import age_text
from twin.alarms.missing_data import State
from twin.alarms.states import AlarmState

MAX_ARTICLES_SHOWN = 8
BAR_WIDTH = 10
COLUMN_WIDTH = 36  # of one segment's panel
PLAIN_LINES_EVERY_SECONDS = 5.0
LINES_OF_NUMBERS = 4
MIN_LINES_OF_LIST = 3  # of a segment's panel: its border and one article
MAX_ALARMS_SHOWN = 4
OLD_COUNT_SECONDS = 30.0  # a newest count older than this is shown as a warning


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The current state of a run.

    rate_in: clicks sent a second, lately; counted: None before it was first read; age_of_newest_count: in
    seconds, None before the first count; trending: the list of each segment by its title, such as "20s";
    read_seconds_ago: how long ago these three were read, if they cannot be read now; window: the time that
    the lists cover, such as "the last 10 minutes"; problems: one line each, such as why the lists cannot be
    read; alarms: all of the templates; drill: what the one under way said last, in a line.
    """

    uptime_seconds: float
    rate_in: float
    sent: int
    counted: int | None
    rejected: int
    unparseable: int
    age_of_newest_count: float | None
    read_seconds_ago: float | None = None
    window: str
    trending: Mapping[str, Sequence[TrendingArticle]] = field(default_factory=dict)
    problems: Sequence[str] = ()
    alarms: Sequence[AlarmState] = ()
    drill: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether every click sent was accounted for in the last reading."""
        if self.counted is None or self.read_seconds_ago is not None:
            return False
        return self.sent == self.counted + self.rejected + self.unparseable


@dataclass(frozen=True, kw_only=True)
class FinalReconciliation:
    """The reconciliation of a finished run in clicks: sent = counted + rejected (by reason) + unparseable.

    unparseable: rests of lines, each taken as one click; counted_and_rejected: clicks that were counted, and
    rejected when they were read again.
    """

    sent: int
    counted: int
    rejected: Mapping[str, int]
    unparseable: int
    counted_and_rejected: int = 0

    @property
    def missing(self) -> int:
        """Clicks sent that are nowhere; negative if some were counted twice."""
        return self.sent - self.counted - sum(self.rejected.values()) - self.unparseable


class Screen:
    """Shows pictures on a console: `with Screen(Console(), hints) as screen: screen.show(picture)`.

    hints: what to do meanwhile, such as the board's address. They are part of the picture, because it may
    push earlier output off the terminal.
    """

    def __init__(self, console: Console, hints: Sequence[str] = ()) -> None:
        self._console = console
        self._hints = hints
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._printed_at = float("-inf")

    def __enter__(self) -> "Screen":
        if self._live is not None:
            self._live.start()
        else:
            for hint in self._hints:
                self._console.print(hint, markup=False, highlight=False, soft_wrap=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, picture: Picture) -> None:
        if self._live is not None:
            self._live.update(drawn(picture, *self._console.size, self._hints), refresh=True)
        elif time.monotonic() - self._printed_at >= PLAIN_LINES_EVERY_SECONDS:
            self._printed_at = time.monotonic()
            self._console.print(plain(picture), markup=False, highlight=False, soft_wrap=True)


def drawn(picture: Picture, width: int, height: int, hints: Sequence[str] = ()) -> RenderableType:
    """The picture for a terminal of this size; a low one shows fewer articles a segment, then fewer
    segments."""
    hint_lines = [Text(line, style="cyan") for hint in hints for line in chop_cells(hint, max(width, 2))]
    title = Text(f"Trending in {picture.window}{_read_ago(picture)}", style="bold")
    title.truncate(width, overflow="ellipsis")
    alarms = alarm_lines(picture.alarms)
    drill = [picture.drill] if picture.drill else []
    taken = LINES_OF_NUMBERS + len(hint_lines) + 1 + len(drill) + len(picture.problems) + len(alarms)
    side_by_side = max(width // (COLUMN_WIDTH + 1), 1)
    rows = min(math.ceil(len(picture.trending) / side_by_side), max((height - taken) // MIN_LINES_OF_LIST, 1))
    segments = list(picture.trending.items())[: rows * side_by_side]
    if left_out := len(picture.trending) - len(segments):
        title.append(f"; {left_out} more segments in a larger terminal", style="dim")
        title.truncate(width, overflow="ellipsis")
    shown = min(max((height - taken) // max(rows, 1) - 2, 1), MAX_ARTICLES_SHOWN)
    lists = [_list_of_one_segment(name, articles[:shown]) for name, articles in segments]
    parts: list[RenderableType] = [_numbers(picture), *hint_lines, title]
    nothing = "waiting for the first counts ..." if picture.counted is not None else "not known"
    parts.append(Columns(lists) if lists else Text(nothing, style="dim"))
    parts += [Text(line, style="yellow", no_wrap=True, overflow="ellipsis") for line in drill]
    parts += [Text(problem, style="red", no_wrap=True, overflow="ellipsis") for problem in picture.problems]
    styles = ["dim", *["bold red"] * len(alarms)]
    parts += [
        Text(line, style=style, no_wrap=True, overflow="ellipsis")
        for line, style in zip(alarms, styles, strict=False)
    ]
    return Group(*parts)


def alarm_lines(alarms: Sequence[AlarmState]) -> list[str]:
    """How many alarms are in each state, and a line for each in ALARM: the newest, with where to read what to
    do."""
    if not alarms:
        return []
    numbers = {state: sum(alarm.state is state for alarm in alarms) for state in State}
    told = ", ".join(f"{number} {state}" for state, number in numbers.items() if number)
    entered = sorted(
        (alarm for alarm in alarms if alarm.state is State.ALARM), key=lambda alarm: alarm.since, reverse=True
    )
    lines = [f"ALARM {alarm.name}: {alarm.runbook}" for alarm in entered[:MAX_ALARMS_SHOWN]]
    if more := len(entered) - len(lines):
        lines.append(f"and {more} more")
    return [f"alarms: {told}", *lines]


def plain(picture: Picture) -> str:
    """The picture in a few lines of text: the numbers, and the first articles of each segment."""
    lines = ["  ".join(f"{name} {value}" for name, value in _named_numbers(picture))]
    for title, articles in picture.trending.items():
        named = ", ".join(f"{article.label} {article.clicks:,}" for article in articles[:3])
        lines.append(f"  {title}: {named or '-'}")
    drill = [picture.drill] if picture.drill else []
    lines += [f"  {line}" for line in (*drill, *picture.problems, *alarm_lines(picture.alarms))]
    return "\n".join(lines)


def reconciliation_table(totals: FinalReconciliation) -> Table:
    """The reconciliation of a run; its last line says whether it balances."""
    table = Table(title="Every click accounted for" if totals.missing == 0 else "The totals do not balance")
    table.add_column("clicks")
    table.add_column("number", justify="right")
    table.add_row("sent", f"{totals.sent:,}", style="bold", end_section=True)
    table.add_row("counted", f"{totals.counted:,}")
    for reason, number in sorted(totals.rejected.items()):
        table.add_row(f"rejected: {reason}", f"{number:,}")
    table.add_row("unparseable", f"{totals.unparseable:,}", end_section=True)
    if totals.counted_and_rejected:
        table.add_row("counted, and rejected when read again", f"{totals.counted_and_rejected:,}")
    missing = "missing" if totals.missing >= 0 else "counted twice"
    table.add_row(missing, f"{abs(totals.missing):,}", style="green" if totals.missing == 0 else "bold red")
    return table


def _numbers(picture: Picture) -> RenderableType:
    table = Table.grid(expand=True)
    names, values = zip(*_named_numbers(picture), strict=True)
    for _ in names:
        table.add_column(justify="center")
    age = picture.age_of_newest_count
    old = picture.read_seconds_ago is not None or (age is not None and age > OLD_COUNT_SECONDS)
    styles = {"newest count": "bold red" if old else "bold green"}
    table.add_row(
        *(Text(value, style=styles.get(name, "bold")) for name, value in zip(names, values, strict=True))
    )
    table.add_row(*(Text(name, style="dim") for name in names))
    return Panel(table, title="click-trends", title_align="left", subtitle="Ctrl-C stops everything")


def _named_numbers(picture: Picture) -> list[tuple[str, str]]:
    age = picture.age_of_newest_count
    minutes, seconds = divmod(int(picture.uptime_seconds), 60)
    return [
        ("running", f"{minutes}:{seconds:02}"),
        ("rate in", f"{picture.rate_in:,.0f}/s"),
        ("sent", f"{picture.sent:,}"),
        ("counted", _if_read(picture, f"{picture.counted:,}" if picture.counted is not None else "")),
        ("rejected", f"{picture.rejected:,}"),
        ("unparseable", f"{picture.unparseable:,}"),
        (
            "newest count",
            _if_read(picture, "none yet" if age is None else f"{age_text(timedelta(seconds=age))} old"),
        ),
    ]


def _if_read(picture: Picture, value: str) -> str:
    """The value, or its last known one."""
    if picture.counted is None:
        return "not known"
    return f"not known ({value}{_read_ago(picture)})" if picture.read_seconds_ago is not None else value


def _read_ago(picture: Picture) -> str:
    ago = picture.read_seconds_ago
    return "" if ago is None else f", read {age_text(timedelta(seconds=ago))} ago"


def _list_of_one_segment(title: str, articles: Sequence[TrendingArticle]) -> RenderableType:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(width=BAR_WIDTH, no_wrap=True)
    most = max((article.clicks for article in articles), default=0)
    for article in articles:
        bar = "█" * (round(BAR_WIDTH * article.clicks / most) if most else 0)
        table.add_row(Text(article.label), f"{article.clicks:,}", Text(bar or "▏", style="cyan"))
    if not articles:
        table.add_row(Text("no clicks", style="dim"), "", "")
    return Panel(table, title=Text(title), width=COLUMN_WIDTH)
