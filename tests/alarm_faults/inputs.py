"""What parts of a twin are given to read: files, records and states that are wrong, late or missing."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from contract.event_time import format_time
from contract.sink import CLICK_COUNTS
from lambdas.reconciliation.configuration import ALLOWED_LATENESS_HOURS
from lambdas.replay.results import RUNNING
from names import (
    FAILED_DOCUMENTS_PREFIX,
    INCOMING_SEGMENTS_PREFIX,
    OREGON,
    RAW_PREFIX,
    segments_version_key,
)
from stacks.reconciliation.alarms import OPEN_HOURS_ALARM
from tests.alarm_faults.acts import Pair, invoke, nothing
from twin.drills.flink_faults import block_checkpoints
from twin.traffic.simulated import readers, write_segments
from twin.twin import Twin

READERS = 2_000
SEED = 20
AHEAD = timedelta(hours=9)
MARGIN = timedelta(hours=2)
"""Of reconciliation: for deliveries, and that the hour is surely over."""
IN_FORCE_FOR = timedelta(days=3)
"""The version of the run, so that clicks of days ago find it."""
BROKEN_FOR, SHRUNKEN_FOR, COMPLETE_FOR = timedelta(hours=2), timedelta(hours=1), timedelta(minutes=30)


def write_readers(file: Path, number: int = READERS) -> bytes:
    """The segments of so many of the run's readers."""
    write_segments(file, readers(READERS, SEED)[:number])
    return file.read_bytes()


def _publish(twin: Twin, in_force_for: timedelta, body: bytes) -> str:
    """Past the door, as the account's root: nobody else may. Returns its key."""
    key = segments_version_key(datetime.now(UTC) - in_force_for)
    twin.emulator.client("s3", OREGON).put_object(Bucket=twin.names.segments_bucket, Key=key, Body=body)
    return key


def _broken_version() -> Pair:
    keys: list[str] = []

    def end(twin: Twin) -> None:
        twin.emulator.client("s3", OREGON).delete_object(Bucket=twin.names.segments_bucket, Key=keys.pop())

    return Pair(lambda twin: keys.append(_publish(twin, BROKEN_FOR, b"broken")), end)


def _shrunken_version(twin: Twin) -> None:
    _publish(twin, SHRUNKEN_FOR, write_readers(twin.work / "few.csv", READERS // 10))


def _complete_version(twin: Twin) -> None:
    """As `click-trends rollback` does: what was loaded stays loaded, whatever is deleted."""
    _publish(twin, COMPLETE_FOR, write_readers(twin.work / "complete.csv"))


BROKEN_VERSION = _broken_version()
SHRUNKEN_VERSION = Pair(_shrunken_version, _complete_version)


def uploaded(body: bytes | None) -> Pair:
    """A file of segments, with the operator's permissions; None: a good one. It ends by itself."""

    def cause(twin: Twin) -> None:
        role = twin.names.role_arn(twin.names.operator_role("publish"))
        twin.emulator.client_as(role, "s3", OREGON).put_object(
            Bucket=twin.names.segments_bucket,
            Key=f"{INCOMING_SEGMENTS_PREFIX}{uuid4().hex[:8]}.csv",
            Body=write_readers(twin.work / "upload.csv") if body is None else body,
        )

    return Pair(cause, nothing)


def early_click() -> bytes:
    """Of a server that sends local time as UTC."""
    click = {
        "click_id": uuid4().hex,
        "clicked_at": format_time(datetime.now(UTC) + AHEAD),
        "user_id": "hanako",
        "article_id": "politics-0001",
        "platform": "web",
        "position": 1,
    }
    return json.dumps(click).encode() + b"\n"


def _checkpoints_refused() -> Pair:
    free: list[Callable[[], None]] = []

    def cause(twin: Twin) -> None:
        assert twin.application is not None, "the twin is not deployed"
        free.append(block_checkpoints(twin.application))

    return Pair(cause, lambda _: free.pop()())


CHECKPOINTS_REFUSED = _checkpoints_refused()


def _unreadable_documents(twin: Twin) -> None:
    client = twin.emulator.client("lambda", OREGON)
    found = client.get_function_configuration(FunctionName=twin.names.redelivery)
    twin.emulator.client("s3", OREGON).put_object(
        Bucket=found["Environment"]["Variables"]["BUCKET"],
        Key=f"{FAILED_DOCUMENTS_PREFIX}{CLICK_COUNTS.name}/{uuid4().hex}",
        Body=b"no document\n",
    )


FAILED_DOCUMENTS_UNREADABLE = Pair(_unreadable_documents, nothing)


def _overdue_replay(twin: Twin) -> None:
    """Somebody asked for one two days ago, and nothing was done."""
    now = datetime.now(UTC)
    state = {
        "id": f"{now:%Y%m%dT%H%M%SZ}-00000000",
        "token": uuid4().hex,
        "from": format_time(now - timedelta(hours=60)),
        "to": format_time(now - timedelta(hours=59)),
        "arrived_until": format_time(now - timedelta(hours=50)),
        "ends_by": format_time(now - timedelta(hours=40)),
        "corrections": {},
        "generations": {},
        "phase": "asked",
        "sinks": {},
        "put": {},
    }
    twin.emulator.client("s3", OREGON).put_object(
        Bucket=twin.names.raw_bucket, Key=RUNNING, Body=json.dumps(state).encode()
    )


REPLAY_OVERDUE = Pair(_overdue_replay, nothing)


def _final_hour(twin: Twin, before: timedelta) -> datetime:
    """The start of one that was final so long ago."""
    client = twin.emulator.client("lambda", OREGON)
    found = client.get_function_configuration(FunctionName=twin.names.reconciliation)
    lateness = timedelta(hours=int(found["Environment"]["Variables"][ALLOWED_LATENESS_HOURS]))
    newest = datetime.now(UTC) - lateness - MARGIN
    return newest.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1) - before


def _reconcile(twin: Twin, hour: datetime) -> None:
    invoke(lambda names: names.reconciliation, OREGON, {"hour": hour.isoformat()})(twin)


def _uncounted_clicks(twin: Twin) -> None:
    hour = _final_hour(twin, timedelta(hours=2))
    click = json.loads(early_click()) | {"clicked_at": format_time(hour + timedelta(minutes=10))}
    key = f"{RAW_PREFIX}{hour:%Y/%m/%d/%H}/fault-{uuid4().hex}.gz"
    body = gzip.compress(json.dumps(click).encode() + b"\n")
    twin.emulator.client("s3", OREGON).put_object(Bucket=twin.names.raw_bucket, Key=key, Body=body)
    _reconcile(twin, hour)


UNCOUNTED_CLICKS = Pair(_uncounted_clicks, nothing)


def reconcile_an_early_hour(twin: Twin) -> None:
    """So that the function knows of it, and goes on trying."""
    _reconcile(twin, _final_hour(twin, timedelta(hours=OPEN_HOURS_ALARM + 2)))
