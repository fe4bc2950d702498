"""In the emulator's process: the operators in each snapshot, so that a start from it is as strict as on AWS.

Flink restores a snapshot with an operator that the program lacks only if the start allows it; an update of a
running application does not. A version's operators are those that its zip records.
"""

import io
import json
import zipfile
from typing import Any

from ministack.services import kinesisanalyticsv2 as flink
from ministack.services import s3

from analytics_sql.main import REMEMBER_CLICK_IDS
from analytics_sql.operators import FILE

NEEDED_OF_FLINK = ("_add_snapshot", "_snapshots")
NEEDED_OF_S3 = ("_get_object_data",)

Operators = dict[int, str]  # number -> name
_HELD = "_operators"  # of a running application, and of its snapshots


def remember_operators() -> None:
    """From now on, a snapshot has the operators of the version that ran when it was taken."""
    add_snapshot = flink._add_snapshot

    def added(record: dict[str, Any], *what: Any, **more: Any) -> dict[str, Any]:
        snapshot: dict[str, Any] = add_snapshot(record, *what, **more)
        snapshot[_HELD] = record.get(_HELD, {})
        return snapshot

    flink._add_snapshot = added


def runs(record: dict[str, Any]) -> None:
    """The application now runs its configured version."""
    record[_HELD] = operators_of(record["_Configuration"])


def unmapped_at_start(record: dict[str, Any], run: dict[str, Any]) -> str | None:
    """Why it cannot start with this RunConfiguration, in Flink's words; None if it can."""
    restore = run.get("ApplicationRestoreConfiguration", {}).get("ApplicationRestoreType")
    allowed = run.get("FlinkRunConfiguration", {}).get("AllowNonRestoredState", False)
    ready = [
        snapshot
        for snapshot in (flink._snapshots.get(record["ApplicationName"]) or {}).values()
        if snapshot["SnapshotStatus"] == "READY"
    ]
    if restore != "RESTORE_FROM_LATEST_SNAPSHOT" or allowed or not ready:
        return None
    return _unmapped(ready[-1][_HELD], record["_Configuration"])


def unmapped_by_update(record: dict[str, Any], configuration: dict[str, Any]) -> str | None:
    """Why a running application cannot continue with another configuration, in Flink's words; None if it
    can."""
    return _unmapped(record.get(_HELD, {}), configuration)


def operators_of(configuration: dict[str, Any]) -> Operators:
    """The operators that the configured zip records, and the properties turn on; none without such a zip."""
    code = configuration.get("ApplicationCodeConfiguration", {}).get("CodeContent", {})
    location = code.get("S3ContentLocation", {})
    content = s3._get_object_data(location.get("BucketARN", "").split(":::")[-1], location.get("FileKey", ""))
    if content is None:
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        record = json.loads(archive.read(FILE))
    groups = configuration.get("EnvironmentProperties", {}).get("PropertyGroups", [])
    optional = any(REMEMBER_CLICK_IDS in group["PropertyMap"] for group in groups)
    return {
        operator["id"]: name
        for name, operator in record["operators"].items()
        if optional or not operator.get("optional")
    }


def _unmapped(held: Operators, configuration: dict[str, Any]) -> str | None:
    lacking = held.keys() - operators_of(configuration).keys()
    if not lacking:
        return None
    return (
        f"Cannot map checkpoint/savepoint state for operator {held[min(lacking)]} to the new program, "
        "because the operator is not available in the new program. If you want to allow to skip this, you "
        "can set the --allowNonRestoredState option on the CLI."
    )
