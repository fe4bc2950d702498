"""Faults of the readers' segments: what an upload may be, and what becomes of it."""

from collections.abc import Callable
from uuid import uuid4

from contract.segments_receipt import receipt_name
from names import (
    INCOMING_SEGMENTS_PREFIX,
    OREGON,
    REFUSED_SEGMENTS_PREFIX,
    SEGMENTS_PREFIX,
    SEGMENTS_RECEIPTS_PREFIX,
)
from twin.drills.fault import Fault
from twin.drills.run import DrilledRun
from twin.processes import wait_for
from twin.twin import Twin

DONE_WITHIN_SECONDS = 240.0
"""Two rounds of the publisher's schedule, the lead of a version before, and a busy machine."""
LATE_SECONDS = 90.0
"""More than a round of the schedule."""
KEPT_SHARE = 0.25
"""Of the users, in a version that has shrunk: less than settings.segments.max_shrink_percent lets go."""


def _upload(twin: Twin, content: bytes) -> str:
    """Returns its name."""
    name = f"drill-{uuid4().hex[:8]}.csv"
    s3 = twin.emulator.client("s3", OREGON)
    s3.put_object(Bucket=twin.names.segments_bucket, Key=INCOMING_SEGMENTS_PREFIX + name, Body=content)
    return name


def _wait_for_object(twin: Twin, key: str, what: str) -> None:
    s3, bucket = twin.emulator.client("s3", OREGON), twin.names.segments_bucket
    wait_for(
        lambda: bool(s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents")),
        what=what,
        timeout_seconds=DONE_WITHIN_SECONDS,
        poll_seconds=1.0,
    )


def _wait_until_published(twin: Twin, name: str) -> None:
    _wait_for_object(twin, SEGMENTS_RECEIPTS_PREFIX + receipt_name(name), f"{name} published")


def _newest_version(twin: Twin) -> bytes:
    s3, bucket = twin.emulator.client("s3", OREGON), twin.names.segments_bucket
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=SEGMENTS_PREFIX)["Contents"]
    newest = max(item["Key"] for item in listed if item["Key"].endswith(".csv"))
    content: bytes = s3.get_object(Bucket=bucket, Key=newest)["Body"].read()
    return content


def _refused(content: bytes) -> Callable[[DrilledRun], None]:
    def cause(run: DrilledRun) -> None:
        name = _upload(run.twin, content)
        _wait_for_object(run.twin, REFUSED_SEGMENTS_PREFIX + name, f"{name} refused")

    return cause


def _a_shrunken_file(run: DrilledRun) -> None:
    """The publisher compares an upload with the last that it published, so that a whole one goes first."""
    whole = _newest_version(run.twin)
    _wait_until_published(run.twin, _upload(run.twin, whole))
    lines = whole.splitlines(keepends=True)
    _refused(b"".join(lines[: int(len(lines) * KEPT_SHARE)]))(run)


def _a_late_file(run: DrilledRun) -> Callable[[], None]:
    function = {"FunctionName": run.twin.names.segments_publisher}
    functions = run.twin.emulator.client("lambda", OREGON)
    functions.put_function_concurrency(**function, ReservedConcurrentExecutions=0)
    name = _upload(run.twin, _newest_version(run.twin))

    def publishes() -> None:
        functions.delete_function_concurrency(**function)
        _wait_until_published(run.twin, name)

    return publishes


SEGMENTS_FAULTS = (
    Fault(
        name="segments-broken",
        what="a segments file with a wrong header is uploaded",
        seen="the file is refused, with its reasons beside it; the version in force stays",
        runbook="RefusedSegments",
        cause=_refused(b"user_id,gender\nhanako,female\n"),
    ),
    Fault(
        name="segments-empty",
        what="an empty segments file is uploaded",
        seen="the file is refused; the version in force stays",
        runbook="RefusedSegments",
        cause=_refused(b""),
    ),
    Fault(
        name="segments-shrunken",
        what=f"a segments file with {KEPT_SHARE:.0%} of the users is uploaded",
        seen="the file is refused; the version in force stays",
        runbook="RefusedSegments",
        cause=_a_shrunken_file,
    ),
    Fault(
        name="segments-late",
        what=f"the publisher is throttled for {LATE_SECONDS:.0f} s while a segments file waits",
        seen="the version before stays in force for longer",
        runbook="UploadAge",
        cause=_a_late_file,
        lasts_seconds=LATE_SECONDS,
    ),
)
