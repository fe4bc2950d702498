"""The page docs/reference/alarm_faults.md, from the record of `make alarm-faults`: python -m
twin.alarms.fault_table."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[2] / "docs" / "reference" / "alarm_faults.json"
PAGE = FILE.with_suffix(".md")

HEAD = """# Alarms and their faults

This page names, for whoever trusts an alarm, the fault that drove it from OK to ALARM and back in the twin.
`make alarm-faults` causes them and records the times; `make docs` generates this page. Times are of the
clock of the twin's alarms: each of its seconds took one second divided by the factor. *Promised*: by the
alarm's period and datapoints, one more evaluation, a minute of publication, and what the fault needs to
reach the threshold. An alarm may take up to 60 s of the wall longer, which a busy machine adds: times the
factor, in these seconds. Each row is of the latest run that saw it in time. *Injected*: only AWS can cause
it, so the service's stand-in did. All figures are the twin's; on AWS, metrics may come minutes later.

| alarm | fault | to ALARM | promised | to OK | factor |
|---|---|---|---|---|---|
"""

FIRST_DEPLOYMENT = """
## After a first deployment

These alarms take missing data for a fault, so each is in ALARM, and notifies, from its creation on until the
end that is named here. No other alarm does that. They stay so: CloudWatch takes a metric that never was for
one that has ended
([guide](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html)), so
that what is silent in a first deployment would be silent after a fault too. `missing` in place of `breaching`
would tell of a part that died in INSUFFICIENT_DATA, and only when no datapoint is left. Subscribe a pager to
the topics when these alarms are OK.

| alarm | until | to do |
|---|---|---|
"""


class FirstAlarm(NamedTuple):
    until: str
    to_do: str = "wait"


SILENT_UNTIL = {
    "ClusterStatus.red": FirstAlarm("the domain, which is made before it, sends its first metrics"),
    "analytics-runningTime": FirstAlarm("the application's job has run for a minute"),
    "analytics-clicksUnparseablePercent": FirstAlarm("the application's job runs"),
    "analytics-segmentsUsers": FirstAlarm("a version of the segments is in force", "publish one"),
    "segments-publisher-UploadAge": FirstAlarm("its third minute"),
    "redelivery-Invocations": FirstAlarm("its third minute"),
    "replay-Invocations": FirstAlarm("its third run, a quarter of an hour"),
    "reconciliation-Invocations": FirstAlarm("its first run, an hour"),
    "feedback-RankingAge": FirstAlarm("clicks are counted and their rankings served", "send clicks"),
}
"""Every alarm of `production` on which missing data are breaching: without any datapoint it enters ALARM."""


@dataclass(frozen=True, kw_only=True)
class CausedAlarm:
    """alarm: its name without the environment's prefix. Seconds of the clock: from the fault until ALARM,
    by what its settings promise, and from the fault's end until OK. factor: of the clock."""

    alarm: str
    fault: str
    injected: bool
    alarm_seconds: int
    promised_seconds: int
    ok_seconds: int
    factor: float

    def row(self) -> str:
        fault = f"{self.fault} (injected)" if self.injected else self.fault
        seconds = (self.alarm_seconds, self.promised_seconds, self.ok_seconds)
        return " | ".join(
            ("", f"`{self.alarm}`", fault, *(f"{each:,} s" for each in seconds), f"{self.factor:g}", "")
        ).strip()


def recorded(file: Path = FILE) -> list[CausedAlarm]:
    """In the order of the alarms' names."""
    return [CausedAlarm(**row) for row in json.loads(file.read_text(encoding="utf-8"))]


def record(caused: Iterable[CausedAlarm], file: Path = FILE) -> None:
    """Replace what was recorded of the same alarms and faults."""
    before = recorded(file) if file.exists() else []
    rows = {(row.alarm, row.fault): row for row in (*before, *caused)}
    kept = [asdict(rows[key]) for key in sorted(rows)]
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def page(rows: Iterable[CausedAlarm]) -> str:
    caused = "".join(f"{row.row()}\n" for row in rows)
    if not caused:
        caused = "\nNothing is recorded yet.\n"
    silent = "".join(
        f"| `{alarm}` | {first.until} | {first.to_do} |\n" for alarm, first in SILENT_UNTIL.items()
    )
    return f"{HEAD}{caused}{FIRST_DEPLOYMENT}{silent}"


if __name__ == "__main__":
    PAGE.write_text(page(recorded()), encoding="utf-8")
