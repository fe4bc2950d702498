"""What a running twin tells of itself beside its screen, as JSON: for a run that is watched for hours."""

import json
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clients.batch_server import TrendingReader, TrendsError
from twin.alarms.missing_data import State
from twin.drills.drill import settled
from twin.drills.run import DrilledRun
from twin.ended import ended

TIMEOUT_SECONDS = 5


class StateOfRun:
    """Keeps one reader, so that watching leaves nothing behind in the emulated AWS."""

    def __init__(self, run: DrilledRun) -> None:
        self._run = run
        self._reader: TrendingReader | None = None

    def now(self) -> dict[str, Any]:
        """sent, counted, rejected, unparseable: clicks; counted is None where it cannot be read now. ended:
        parts that have ended, in a line each. Lags in seconds and heaps in percent: None where unknown. work:
        the twin's folder."""
        twin, picture = self._run.twin, self._run.picture()
        application = twin.application
        return {
            "sent": picture.sent,
            "counted": None if picture.read_seconds_ago is not None else picture.counted,
            "rejected": picture.rejected,
            "unparseable": picture.unparseable,
            "clicks_a_second": picture.rate_in,
            "problems": list(picture.problems),
            "in_alarm": [alarm.name for alarm in picture.alarms if alarm.state is State.ALARM],
            "ended": [part.told for part in ended(twin.parts())],
            "newest_count_seconds": picture.age_of_newest_count,
            "complete_minute_seconds": self._complete_minute_seconds(),
            "application_behind_seconds": None if application is None else application.seconds_behind,
            "forwarder_behind_seconds": max(
                (source.seconds_behind for source in twin.event_sources), default=None
            ),
            "flink_heap_percent": None if application is None else application.heap_percent,
            "opensearch_heap_percent": _opensearch_heap_percent(twin.opensearch_endpoint),
            "work": str(twin.work),
        }

    def closed(self) -> dict[str, int]:
        """Hold the traffic until every click is accounted for, then read all that was delivered. Numbers of
        clicks; `missing`: those sent that are nowhere, negative where some were counted twice.

        Raises TwinError if that does not come.
        """
        with self._run.hold_traffic():
            settled(self._run)
            sent = self._run.picture().sent
            found = self._run.twin.reconciliation()
        return {
            "sent": sent,
            "counted": found.counted,
            "rejected": found.rejected.total() + found.rejected_by_forwarder.total(),
            "unparseable": found.unparseable,
            "missing": sent - found.accounted_for,
            "unexplained": found.unexplained,
            "waiting_documents": found.failed_documents,
        }

    def _complete_minute_seconds(self) -> float | None:
        """How long ago the newest minute ended that holds every click that came on time."""
        with suppress(TrendsError, BotoCoreError, ClientError):
            if self._reader is None:
                self._reader = self._run.twin.reader(max_attempts=1)
            until = self._reader.freshness().complete_until
            return None if until is None else (datetime.now(UTC) - until).total_seconds()
        return None


def _opensearch_heap_percent(endpoint: str) -> float | None:
    """None without an answer."""
    with suppress(OSError, ValueError, LookupError):
        with urllib.request.urlopen(f"{endpoint}/_nodes/stats/jvm", timeout=TIMEOUT_SECONDS) as answer:
            [node] = json.load(answer)["nodes"].values()
        return float(node["jvm"]["mem"]["heap_used_percent"])
    return None
