"""The versions of the segments that are published, and the one to go back to."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contract.segments_receipt import read_time, written_time
from names import SEGMENTS_PREFIX
from operations.operator import RefusedError
from operations.segments.outcomes import listed_objects, receipts

ROLLBACK, WITHOUT_A_READER = "rollback-of-", "without-a-reader-"
"""How the names of uploads begin that this command and `click-trends erase` make."""
_SUFFIX = ".csv"


@dataclass(frozen=True, kw_only=True)
class PublishedVersion:
    """key: of its object; size: in bytes; users, upload: by its receipt, None without one."""

    key: str
    valid_from: datetime
    size: int
    users: int | None
    upload: str | None

    @property
    def name(self) -> str:
        """valid_from, as the object is named."""
        return written_time(self.valid_from.timestamp())


def is_version_name(text: str) -> bool:
    """Whether a version can have this name, with or without its suffix."""
    with suppress(ValueError):
        return written_time(read_time(name := text.removesuffix(_SUFFIX))) == name
    return False


def published_versions(client: Any, bucket: str) -> list[PublishedVersion]:
    """By valid_from, the earliest first. Other objects are left out, as the application leaves them."""
    by_time = {receipt.valid_from: receipt for receipt in receipts(client, bucket) if not receipt.correction}
    found = []
    for listed in listed_objects(client, bucket, SEGMENTS_PREFIX):
        with suppress(ValueError):
            seconds = read_time(listed["Key"].removeprefix(SEGMENTS_PREFIX).removesuffix(_SUFFIX))
            receipt = by_time.get(seconds)
            found.append(
                PublishedVersion(
                    key=listed["Key"],
                    valid_from=datetime.fromtimestamp(seconds, UTC),
                    size=listed["Size"],
                    users=receipt.summary.users if receipt else None,
                    upload=receipt.name if receipt else None,
                )
            )
    return sorted(found, key=lambda version: version.valid_from)


def brings_readers_back(published: list[PublishedVersion], earlier: PublishedVersion) -> bool:
    """Whether a reader was erased from the segments after this version."""
    return any(
        version.valid_from > earlier.valid_from and (version.upload or "").startswith(WITHOUT_A_READER)
        for version in published
    )


def version_to_return_to(published: list[PublishedVersion], valid_from: str | None) -> PublishedVersion:
    """valid_from: its name, None for the version before the newest, in force or not. Raises RefusedError."""
    if valid_from is not None:
        found = [version for version in published if version.name == valid_from.removesuffix(_SUFFIX)]
        if not found:
            raise RefusedError(
                f"{valid_from!a} is no version of the segments: click-trends versions lists them, such as"
                f" {published[-1].name if published else '20260131T120000Z'}"
            )
        return found[0]
    if len(published) < 2:
        raise RefusedError("there is no version of the segments before the newest: publish another one")
    newest = published[-1]
    if newest.upload is not None and newest.upload.startswith(ROLLBACK):
        raise RefusedError(
            f"the newest version is a rollback already ({newest.upload}), and the one before it is what that"
            " went back from: name the version to return to, as click-trends versions lists it"
        )
    return published[-2]
