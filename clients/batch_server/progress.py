"""How far the analytics application has read the source stream, as CloudWatch tells.

Which minutes are complete rests on it: counts alone do not tell what was not read.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from names import Names

RECENT = timedelta(minutes=15)
"""Freshness is told from the counts of these minutes before the end of the time asked for: a look at all
counts of a day would cost more than most questions."""
PERIOD = timedelta(minutes=1)
LOOK_BACK = RECENT + 2 * PERIOD
"""Metrics of so long ago tell; the application is silent when there are none."""
SETTLING = timedelta(seconds=60)
"""A minute's metrics are used when it ended so long ago: each task manager sends its own, and none is waited
for. No page of AWS says how late they may be."""
HANGING_READ = timedelta(seconds=45)
"""Age that a value may have when it is reported: a read that is not answered ends after 30 s and is repeated,
and until then the value is that of the read before."""
KEPT_SECONDS = 20.0
"""Between two requests, however many questions are asked: metrics are of whole minutes, and each request is
billed."""
MAX_REQUEST_SECONDS = 3
_CONFIG = Config(
    connect_timeout=MAX_REQUEST_SECONDS,
    read_timeout=MAX_REQUEST_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 2},
)

BEHIND, READ, LEAST = "behind", "read", "least"
"""Ids of the metrics that are asked for."""


@dataclass(frozen=True, kw_only=True)
class ReadProgress:
    """read_until: every click that was in the stream by then has been read; None when that is not known, and
    `problem` says why. behind: by how much the reading was late then. quiet_since: nobody has read any record
    from the stream since, up to `read_until`; None when someone has, or when it is not known."""

    read_until: datetime | None = None
    behind: timedelta | None = None
    quiet_since: datetime | None = None
    problem: str | None = None


Progress = Callable[[], ReadProgress]


NOT_ASKED = ReadProgress(problem="the environment whose metrics tell it was not named (--environment)")


def not_asked() -> ReadProgress:
    return NOT_ASKED


class ProgressWatch:
    """Asks CloudWatch, and keeps its answer for KEPT_SECONDS; may be shared by threads. Raises nothing."""

    def __init__(
        self,
        client: Any,
        names: Names,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """client: of the application's region; names: of its environment."""
        self._client = client
        self._names = names
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: tuple[float, ReadProgress] | None = None

    def __call__(self) -> ReadProgress:
        with self._lock:
            if self._kept is None or self._monotonic() - self._kept[0] >= KEPT_SECONDS:
                progress = self._ask()
                self._kept = self._monotonic(), progress
            return self._kept[1]

    def _ask(self) -> ReadProgress:
        until = _minute(self._clock() - SETTLING)
        try:
            results = [
                result
                for queries in requests(self._names)
                for result in self._client.get_metric_data(
                    MetricDataQueries=queries, StartTime=until - LOOK_BACK, EndTime=until
                )["MetricDataResults"]
            ]
            return progress_in(results, until=until)
        except (BotoCoreError, ClientError) as error:
            return ReadProgress(
                problem=f"CloudWatch in {self._client.meta.region_name} does not tell how far "
                f"{self._names.application} has read: {error}"
            )
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            return ReadProgress(problem=f"CloudWatch's answer cannot be read: {error!r}")


def connect_progress(session: boto3.Session, environment: str, region: str) -> ProgressWatch:
    """environment: as in environments/<name>.toml; region: of the application. Raises BotoCoreError."""
    names = Names(environment=environment, account="")  # an account is in no name that is used here
    return ProgressWatch(session.client("cloudwatch", region_name=region, config=_CONFIG), names)


def requests(names: Names) -> list[list[Any]]:
    """How far behind the reader of any shard is, how many records were read, and whether the reader of any
    shard has read nothing yet: the largest lag hides its -1. The first is what the alarm asks too: the guide
    names the metric's dimensions only in part. A request may have one such SELECT."""
    seconds = round(PERIOD.total_seconds())

    def lag(name: str, statistic: str) -> dict[str, Any]:
        return {
            "Id": name,
            "Expression": f'SELECT {statistic}(millisBehindLatest) FROM "AWS/KinesisAnalytics" '
            f"WHERE Application = '{names.application}'",
            "Period": seconds,
        }

    read = {
        "Id": READ,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Kinesis",
                "MetricName": "GetRecords.Records",
                "Dimensions": [{"Name": "StreamName", "Value": names.source_stream}],
            },
            "Period": seconds,
            "Stat": "Sum",
        },
    }
    return [[lag(BEHIND, "MAX"), read], [lag(LEAST, "MIN")]]


def progress_in(answers: Iterable[Mapping[str, Any]], *, until: datetime) -> ReadProgress:
    """From the results of all `requests` about the minutes before `until`. Raises LookupError, TypeError,
    ValueError, AttributeError or OverflowError for what is no such answer."""
    results = {result["Id"]: result for result in answers}
    behind, least = results[BEHIND], results[LEAST]
    for told in (behind, least):
        if told["StatusCode"] != "Complete":
            return ReadProgress(
                problem=f"CloudWatch answers {told['StatusCode']}: {told.get('Messages', '')}"
            )
    values, smallest = _by_minute(behind), _by_minute(least)
    if not values:
        return ReadProgress(
            problem=f"the application has reported nothing for {round(LOOK_BACK / PERIOD)} minutes: it does "
            "not run, or has just begun"
        )
    newest = max(values)
    # Where the job has begun anew, the first value may be of some shards only.
    if newest - PERIOD not in values:
        return ReadProgress(problem="the application has only just begun to report what it reads")
    last_two = values[newest], values[newest - PERIOD]
    of_all = (*last_two, *(smallest.get(minute, math.nan) for minute in (newest, newest - PERIOD)))
    if not all(0 <= milliseconds < math.inf for milliseconds in of_all):
        return ReadProgress(problem="the application has read nothing so far of one shard or more")
    lag = timedelta(milliseconds=max(last_two))
    return ReadProgress(
        read_until=newest - lag - HANGING_READ,
        behind=lag,
        quiet_since=_quiet_since(results.get(READ), newest, until - LOOK_BACK),
    )


def _quiet_since(read: Mapping[str, Any] | None, newest: datetime, begin: datetime) -> datetime | None:
    """The start of the minutes without a record, up to `newest`. A minute without a value is none of them."""
    records = {} if read is None or read["StatusCode"] != "Complete" else _by_minute(read)
    since, minute = None, newest
    while minute >= begin and records.get(minute) == 0:
        since, minute = minute, minute - PERIOD
    return since


def _by_minute(result: Mapping[str, Any]) -> dict[datetime, float]:
    return dict(_points(result))


def _points(result: Mapping[str, Any]) -> Iterator[tuple[datetime, float]]:
    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
        yield at.astimezone(UTC), float(value)


def _minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)
