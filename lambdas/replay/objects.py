"""The objects that a replay reads, in their buckets."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lambdas.replay.click_range import SUFFIX, ClickRange
from names import RAW_PREFIX, SEGMENTS_CORRECTIONS_PREFIX, SEGMENTS_PREFIX, segments_version_key

_CORRECTION = re.compile(rf"{SEGMENTS_CORRECTIONS_PREFIX}(\d{{8}}T\d{{6}}Z)/\d{{4}}[.]csv")
_VERSION = re.compile(rf"{SEGMENTS_PREFIX}(\d{{8}}T\d{{6}}Z)[.]csv")


class Stored(NamedTuple):
    key: str
    bytes: int


class Correction(NamedTuple):
    """key: of what replaces the version under the key `version`."""

    version: str
    key: str
    published_at: datetime


def listed(s3: Any, bucket: str, prefix: str) -> Iterator[Stored]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            yield Stored(found["Key"], found["Size"])


def objects_of(s3: Any, bucket: str, asked: ClickRange, prefix: str = RAW_PREFIX) -> list[Stored]:
    """Of the hours that the range needs, in order, below RAW_PREFIX or another one that is kept by hours."""
    hours = (prefix + hour.removeprefix(RAW_PREFIX) for hour in asked.prefixes)
    return [stored for hour in hours for stored in listed(s3, bucket, hour) if stored.key.endswith(SUFFIX)]


def needed_versions(s3: Any, bucket: str, asked: ClickRange) -> list[Stored]:
    """The version of the segments that held when the range began, and those that came into force in it."""
    found = sorted(each for each in listed(s3, bucket, SEGMENTS_PREFIX) if _VERSION.fullmatch(each.key))
    return in_force(found, asked.begin, asked.end)


def in_force(versions: list[Stored], begin: datetime, end: datetime) -> list[Stored]:
    """Those that held at some time from `begin` on and before `end`. versions: in order."""
    before = [each for each in versions if valid_from(each) <= begin]
    return [*before[-1:], *(each for each in versions if begin < valid_from(each) < end)]


def corrections(s3: Any, bucket: str) -> list[Correction]:
    """Of versions of the segments, in order."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=SEGMENTS_CORRECTIONS_PREFIX)
    return [
        Correction(segments_version_key(_time(match[1])), found["Key"], found["LastModified"])
        for page in pages
        for found in page.get("Contents", [])
        if (match := _CORRECTION.fullmatch(found["Key"]))
    ]


def last_before(found: list[Correction], until: datetime) -> dict[str, str]:
    """By the key of its version, the key of the last correction that was published before then."""
    return {each.version: each.key for each in found if each.published_at < until}


def valid_from(version: Stored) -> datetime:
    """Raises ValueError if it is no version."""
    found = _VERSION.fullmatch(version.key)
    return _time(found[1] if found else version.key)


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
