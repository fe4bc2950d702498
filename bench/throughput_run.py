"""Sends clicks at a rate through a running twin, and tracks how far the counts are behind.

Of all runs together every click sent is reconciled.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from statistics import linear_regression
from typing import Any

from bench.twin_cpu import PARTS, SENDER, PartTimes
from clients.mobile_app.pack import PACK_BYTES
from contract.count import SEGMENT_COLUMNS, SEGMENT_FILE_HEADER
from contract.event_time import format_time
from settings import load
from twin.processes import TwinError, wait_for
from twin.reconciliation import Reconciliation
from twin.traffic.record import EntryPoint, Record
from twin.traffic.send import TrafficTally, send
from twin.twin import ENVIRONMENT, Twin

USERS, ARTICLES = 10_000, 2_000
GOOD, BAD_TIME, NO_JSON = "good", "bad time", "no JSON"
ONE_BAD_OF = 200
"""Of this many clicks one has a bad time, and one line is not JSON."""
_LABELS = {0: BAD_TIME, ONE_BAD_OF // 2: NO_JSON}
_64_BITS = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
"""Its multiples, in 64 bits, are spread evenly."""
SAMPLE_SECONDS = 2.0
MAX_LAG_SECONDS = 15.0
MAX_LAG_GROWTH_SECONDS = 3.0
"""Over a run, by least squares: how much the lag varies at a rate that holds."""
MAX_SENDING = 1.05
GIVE_UP_LAG_SECONDS = 45.0
GIVE_UP_LAG_GROWTH_SECONDS = 3 * MAX_LAG_GROWTH_SECONDS
"""A run this far behind, or falling behind this fast, is ended: it does not hold."""
SETTLE_SECONDS = 300
ONE_CLICK = 0
"""Bytes of a record that `send` takes for one click in each record."""


def segments() -> bytes:
    others = ["any"] * (len(SEGMENT_COLUMNS) - 1)
    rows = (",".join([f"user-{user:05}", ("a", "b")[user % 2], *others]) for user in range(USERS))
    return "\n".join([",".join(SEGMENT_FILE_HEADER), *rows, ""]).encode()


def clicks(run: int, rate: float, seconds: float, mobile_share: float) -> Iterator[Record]:
    """Clicks from apps and web servers; each happens when it is taken from here.

    Written out instead of by json.dumps, since they are made on the core that the twin's workers need.
    """
    last_millisecond, clicked_at = 0, ""
    for number in count():
        due = number / rate
        if due >= seconds:
            return
        millisecond = time.time_ns() // 1_000_000
        if millisecond != last_millisecond:
            last_millisecond = millisecond
            clicked_at = format_time(datetime.fromtimestamp(millisecond / 1000, UTC))
        label = _LABELS.get(number % ONE_BAD_OF, GOOD)
        scattered = (number + run) * _GOLDEN & _64_BITS
        text = (
            f"noon {run}-{number}\n"
            if label == NO_JSON
            else f'{{"click_id": "{run}-{number}", '
            f'"clicked_at": "{"noon" if label == BAD_TIME else clicked_at}", '
            f'"user_id": "user-{number % USERS:05}", '
            f'"article_id": "article-{number * 7919 % ARTICLES:05}"}}\n'
        )
        entry_point = EntryPoint.MOBILE if scattered < mobile_share * _64_BITS else EntryPoint.WEB
        yield Record(text.encode(), f"{scattered:016x}", entry_point, due, label)


@dataclass
class _Sent:
    """What the streams have acknowledged, of all runs together, in the units of contract/click.py."""

    units: int = 0
    good: int = 0


class Runs:
    """Sends at a rate and tracks how far the counts are behind."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._reader = twin.reader()  # kept, since to make one takes as much CPU as some thousand clicks
        self._number = 0
        self._sent = _Sent()
        self._mobile_share = load(ENVIRONMENT).peak.mobile_share

    def __call__(self, *, rate: int, seconds: int, pack_bytes: int = PACK_BYTES) -> dict[str, Any]:
        """pack_bytes: most bytes of a record that producers put, or ONE_CLICK."""
        self._number += 1
        twin, tally, stop = self._twin, TrafficTally(), threading.Event()
        failed: list[Exception] = []
        records = clicks(self._number, rate, seconds, self._mobile_share)

        def sending() -> None:
            try:
                send(records, twin.producers(), tally, stop, pack_bytes=pack_bytes)
            except Exception as error:
                failed.append(error)

        sender = threading.Thread(target=sending, daemon=True, name=SENDER)
        times = PartTimes()
        before, began = times.seconds(), time.monotonic()
        positions = [(0.0, 0, 0)]  # seconds, good clicks acknowledged, of these counted
        lags: list[tuple[float, float]] = []
        sender.start()
        try:
            while sender.is_alive():
                sender.join(SAMPLE_SECONDS)
                twin.check()
                times.sample()
                counted = self._counted() - self._sent.good
                good = tally.totals().sent_by_label.get(GOOD, 0)
                positions.append((time.monotonic() - began, good, counted))
                lags.append((positions[-1][0], lag(positions)))
                if lags[-1][1] > GIVE_UP_LAG_SECONDS or lag_growth(lags) > GIVE_UP_LAG_GROWTH_SECONDS:
                    stop.set()
        finally:
            stop.set()
        sender.join()
        if failed:
            raise failed[0]
        sent_seconds, after = time.monotonic() - began, times.seconds()
        totals = tally.totals()
        good = totals.sent_by_label.get(GOOD, 0)
        self._sent.units += totals.sent
        self._sent.good += good
        end_lag = self._settle(began + sent_seconds)
        cut_short = sent_seconds < seconds * 0.9
        growth = lag_growth(lags)
        missing = self._sent.good - self._counted()
        return {
            "rate": rate,
            "seconds": seconds,
            "sent": totals.sent,
            "sent_per_second": totals.sent / sent_seconds,
            "possible_duplicates": totals.possible_duplicates,
            "lags": lags,
            "lag_growth": growth,
            "end_lag": end_lag,
            "missing": missing,
            "holds": not cut_short
            and missing == 0
            and sent_seconds <= seconds * MAX_SENDING + SAMPLE_SECONDS
            and growth <= MAX_LAG_GROWTH_SECONDS
            and end_lag <= MAX_LAG_SECONDS,
            "cores": {part: (after[part] - before[part]) / sent_seconds for part in PARTS},
        }

    def _counted(self) -> int:
        return self._twin.totals(self._reader).clicks

    def _settle(self, sent_at: float) -> float:
        """Seconds from the last click until every click is counted."""

        def all_counted() -> bool:
            self._twin.check()
            return self._counted() >= self._sent.good

        try:
            wait_for(all_counted, what="all counted", timeout_seconds=SETTLE_SECONDS, poll_seconds=0.5)
        except TwinError:
            self._twin.check()
            return float(SETTLE_SECONDS)
        return time.monotonic() - sent_at

    def reconciliation(self) -> dict[str, int]:
        """The reconciliation of all that was sent to this twin. It reads every click, so it takes minutes."""
        found: Reconciliation | None = None

        def complete() -> bool:
            nonlocal found
            self._twin.check()
            found = self._twin.reconciliation()
            return found.accounted_for >= self._sent.units

        try:
            wait_for(complete, what="all accounted for", timeout_seconds=SETTLE_SECONDS, poll_seconds=5)
        except TwinError:
            self._twin.check()
        assert found is not None, "wait_for asks at least once"
        return {
            "sent": self._sent.units,
            "counted": found.counted,
            "rejected": found.rejected.total() + found.rejected_by_forwarder.total(),
            "unparseable": found.unparseable,
            "missing": self._sent.units - found.accounted_for,
        }


def lag(positions: Sequence[tuple[float, int, int]]) -> float:
    """Seconds since as many clicks were acknowledged as are counted by now.

    positions: (seconds, acknowledged, counted) in turn from (0, 0, 0) on. `counted` is below 0 where an
    earlier run lost clicks.
    """
    now, _, counted = positions[-1]
    counted = max(0, counted)
    earlier = (0.0, 0)
    for at, acknowledged, _ in positions:
        if acknowledged > counted:
            share = (counted - earlier[1]) / (acknowledged - earlier[1])
            return now - (earlier[0] + share * (at - earlier[0]))
        earlier = (at, acknowledged)
    return 0.0


def lag_growth(lags: Sequence[tuple[float, float]]) -> float:
    """Seconds by which the lag grew over a run, without its first fifth, in which it builds up."""
    steady = lags[len(lags) // 5 :]
    if len(steady) < 2:
        return 0.0
    slope = linear_regression(*zip(*steady, strict=True)).slope
    return slope * (steady[-1][0] - steady[0][0])
