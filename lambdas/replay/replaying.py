"""One replay after another, each step by step, as its state in S3 says: whoever asked may be gone.

asked -> counting -> putting -> ending: the application is made and started; it counts; its counts are put;
everything is taken away. A step that was taken, and whose state was not saved, is taken again.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from contract.event_time import format_time
from lambdas.replay.application import ReplayApplication
from lambdas.replay.click_range import ClickRange, RangeError, asked_range
from lambdas.replay.configuration import ReplayConfiguration
from lambdas.replay.generations import in_generations
from lambdas.replay.metrics import publish, tell
from lambdas.replay.objects import needed_versions
from lambdas.replay.properties import Properties, replay_properties
from lambdas.replay.putting import Putting
from lambdas.replay.results import OvertakenError, Results, counts_prefix, segments_prefix
from names import RAW_PREFIX

ENDS_AFTER_SECONDS = 3600
"""By when a replay that has ended is taken away, or its alarm notifies."""
SHOWN_AFTER_SECONDS = 120
"""After which READY, or no application, means that what was started has ended."""
SAVED_EVERY_SECONDS = 10
"""Between two notes of how far a file was put."""

State = dict[str, Any]


class Replayer:
    """clients: of S3, Firehose and kinesisanalyticsv2. Raises botocore's errors, and NotTakenError."""

    def __init__(
        self,
        configuration: ReplayConfiguration,
        *,
        s3: Any,
        firehose: Any,
        service: Any,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._configuration = configuration
        self._s3 = s3
        self._firehose = firehose
        self._application = ReplayApplication(service, configuration)
        self._results = Results(s3, configuration.raw_bucket)
        self._now = now

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        """Begin a replay of event's `from`, `to` and perhaps `arrived_until`. Returns its `id` and `ends_by`,
        or why it is `refused`. An event that is sent again, with the same `token`, begins no other.

        `corrections`: by the key of a version of the segments, the key of what is read in its place;
        `generations`: by day, where its counts go if not into that of the delivery stream.
        """
        configuration = self._configuration
        now = self._now()
        try:
            asked = asked_range(
                datetime.fromisoformat(event["from"]),
                datetime.fromisoformat(event["to"]),
                arrived_until=datetime.fromisoformat(event["arrived_until"])
                if event.get("arrived_until")
                else None,
                lateness=configuration.lateness,
                kept=configuration.kept,
                now=now,
            )
        except RangeError as error:
            return {"refused": str(error)}
        token = event.get("token") or uuid4().hex
        state: State = {
            "id": f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}",
            "token": token,
            "from": format_time(asked.begin),
            "to": format_time(asked.end),
            "arrived_until": format_time(asked.arrived_until),
            "ends_by": format_time(now + configuration.longest),
            "corrections": event.get("corrections", {}),
            "generations": event.get("generations", {}),
            "phase": "asked",
            "sinks": dict(configuration.sinks),
            "put": {},
        }
        if not self._results.begin(state):
            other = self._results.running()
            if other is None:
                return {"refused": "another replay has just ended: ask again"}
            if other.get("token") != token:
                return {
                    "refused": f"a replay of {other['from']} to {other['to']} runs, until "
                    f"{other['ends_by']} at the latest: wait for its end"
                }
            state = other
        self.go_on(0.0)
        return {key: state[key] for key in ("id", "ends_by")}

    def go_on(self, seconds_left: float) -> None:
        """Take the steps that can be taken. seconds_left: for putting counts. Of two invocations at a time
        the one that saves later stops."""
        with suppress(OvertakenError):
            self._go_on(time.monotonic() + seconds_left)

    def _go_on(self, until: float) -> None:
        state = self._results.running()
        if state is None:
            self._application.take_away()  # left behind by a step that was not saved
            return
        if state["phase"] == "asked":
            self._start(state)
        if state["phase"] == "counting":
            self._look(state)
        if state["phase"] in ("putting", "ending"):
            problem, gone = None, False
            try:
                gone = self._application.take_away()
            except ClientError as error:
                problem = error  # no reason to keep complete counts back
            if state["phase"] == "putting":
                self._put(state, until)
            if state["phase"] == "ending":
                self._end(state, gone=gone)
            if problem:
                raise problem

    def _start(self, state: State) -> None:
        if self._is_overdue(state):
            self._failed(state, "it could not be started")
            return
        if not self._application.is_of(state["id"]):
            self._application.take_away()
            return
        status = self._application.status()
        if status is None:
            self._application.create(state["id"], self._properties(state))
            status = self._application.status()
        if status == "READY":
            self._application.start()
        if status in ("READY", "STARTING", "RUNNING"):
            state["started_at"] = format_time(self._now())
            self._to(state, "counting")

    def _properties(self, state: State) -> Properties:
        configuration = self._configuration
        asked = _range_of(state)
        for version in needed_versions(self._s3, configuration.segments_bucket, asked):
            source = state.get("corrections", {}).get(version.key, version.key)
            self._results.copy_version(state["id"], configuration.segments_bucket, version.key, source)
        raw = f"s3://{configuration.raw_bucket}"
        return replay_properties(
            asked,
            clicks={
                "path": f"{raw}/{RAW_PREFIX.rstrip('/')}",
                "source.path.regex-pattern": asked.path_pattern,
            },
            segments=f"{raw}/{segments_prefix(state['id']).rstrip('/')}",
            counts={
                table: f"{raw}/{counts_prefix(state['id'], table).rstrip('/')}" for table in _sinks(state)
            },
            remembered_hours=configuration.remembered_hours,
        )

    def _look(self, state: State) -> None:
        """Complete counts decide; what the service says of the application only tells that none will come."""
        if self._is_complete(state):
            self._to(state, "putting")
            return
        status = self._application.status()
        shown_late = self._seconds_since(state["started_at"]) < SHOWN_AFTER_SECONDS
        if status in (None, "READY") and not shown_late:
            if self._is_complete(state):
                self._to(state, "putting")
                return
            reason = "its application is gone" if status is None else self._application.why_it_failed()
            self._failed(state, reason)
        elif self._is_overdue(state):
            self._failed(state, f"it counted for longer than {self._configuration.longest}")

    def _is_complete(self, state: State) -> bool:
        return all(self._results.is_complete(state["id"], table) for table in _sinks(state))

    def _put(self, state: State, until: float) -> None:
        """As much as time allows; a file from where it was left."""
        for table, stream in _sinks(state).items():
            putting = Putting(self._firehose, stream, per_second=self._configuration.counts_per_second)
            for key, size in self._results.files(state["id"], table):
                while state["put"].get(key, 0) < size:
                    if time.monotonic() >= until:
                        return
                    at = self._put_some(putting, key, state["put"].get(key, 0), state)
                    state["put"][key] = at
                    self._results.save(state)
        self._ended(state, "counted")

    def _put_some(self, putting: Putting, key: str, at: int, state: State) -> int:
        """The counts of SAVED_EVERY_SECONDS from this byte of a file on. Returns the position after them."""
        number = max(1, round(SAVED_EVERY_SECONDS * self._configuration.counts_per_second))
        lines = []
        for line in self._results.lines(key, at):
            lines.append(line)
            at += len(line)
            if len(lines) == number:
                break
        put = putting.put_lines(in_generations(lines, state.get("generations", {})))
        publish(put=put)
        state["keys"] = state.get("keys", 0) + put
        state["clicks"] = state.get("clicks", 0) + sum(json.loads(line)["clicks"] for line in lines)
        return at

    def _failed(self, state: State, reason: str) -> None:
        publish(failed=1)
        self._ended(state, "failed", reason)

    def _ended(self, state: State, result: str, reason: str | None = None) -> None:
        told = {key: state.get(key) for key in ("id", "from", "to", "clicks", "keys")}
        now = format_time(self._now())
        self._results.tell(state["id"], {**told, "result": result, "reason": reason, "ended_at": now})
        state["ended_at"] = now
        self._to(state, "ending")

    def _end(self, state: State, *, gone: bool) -> None:
        """Counts are kept until no job can write any more."""
        if gone:
            self._results.take_away(state["id"])
            self._results.end()
            tell("the replay has ended", state)
        elif self._seconds_since(state["ended_at"]) > ENDS_AFTER_SECONDS:
            publish(failed=1)

    def _to(self, state: State, phase: str) -> None:
        state["phase"] = phase
        self._results.save(state)
        tell(phase, state)

    def _seconds_since(self, time: str) -> float:
        return (self._now() - datetime.fromisoformat(time)).total_seconds()

    def _is_overdue(self, state: State) -> bool:
        return self._now() > datetime.fromisoformat(state["ends_by"])


def _sinks(state: State) -> dict[str, str]:
    """Delivery stream by table, as they were when it was asked for."""
    sinks: dict[str, str] = state["sinks"]
    return sinks


def _range_of(state: State) -> ClickRange:
    begin, end, until = (datetime.fromisoformat(state[key]) for key in ("from", "to", "arrived_until"))
    return ClickRange(begin=begin, end=end, arrived_until=until)
