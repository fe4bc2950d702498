"""What the application makes of the published segments, by the gauges of its reference table and its log
(docs/reference/analytics.md)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TABLE = "segments"
# As clicktrends.reference.VersionDirectory writes them, without the folder.
_REFUSAL = re.compile(r"Refused (?:a version: )?\S*?/segments(?:/|: )(.+?)\. (?:The last good|Nobody gets)")


@dataclass(frozen=True, kw_only=True)
class SegmentsState:
    """users: in the version in force; refused: files that are; shrunken: versions with less than half of the
    users of the one before; last_refusal: the newest file that was refused, and why."""

    users: int
    refused: int
    shrunken: int
    last_refusal: str | None = None

    @property
    def problem(self) -> str | None:
        """What a person who watches should know, on one line; None while all is as it should be."""
        told = []
        if not self.users:
            told.append("no version is in force, so every reader counts as unknown")
        if self.refused:
            last = f", the last: {self.last_refusal}" if self.last_refusal else ""
            told.append(f"{self.refused} refused{last}")
        if self.shrunken:
            told.append(f"{self.shrunken} with less than half of the readers of the version before")
        return f"segments: {'; '.join(told)}" if told else None


def segments_state(gauges: Mapping[str, float], log: Iterable[str]) -> SegmentsState | None:
    """gauges: of any task, by their names; log: lines, read only where a file is refused. None while the
    table has not registered them all."""
    names = [f"{TABLE}{name}" for name in ("Users", "RefusedVersions", "ShrunkenVersions")]
    if not gauges.keys() >= set(names):
        return None
    users, refused, shrunken = (int(gauges[name]) for name in names)
    refusals = [found[1] for line in log if (found := _REFUSAL.search(line))] if refused else []
    return SegmentsState(
        users=users,
        refused=refused,
        shrunken=shrunken,
        last_refusal=refusals[-1] if refusals else None,
    )
