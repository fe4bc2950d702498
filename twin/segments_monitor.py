"""How the application handles the published segments, from its reference table's gauges and its log
(docs/reference/analytics.md)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TABLE = "segments"
# As clicktrends.reference.VersionDirectory writes them, without the folder.
_REFUSAL = re.compile(r"Refused (?:a version: )?\S*?/segments(?:/|: )(.+?)\. (?:The last good|Nobody gets)")


@dataclass(frozen=True, kw_only=True)
class SegmentsState:
    """users: in the version in force; refused: number of refused files; shrunken: versions with less than
    half of the former version's users; last_refusal: the newest refused file, and why."""

    users: int
    refused: int
    shrunken: int
    last_refusal: str | None = None

    @property
    def problem(self) -> str | None:
        """The segments' problem, on one line; None if all is well."""
        told = []
        if not self.users:
            told.append("no version is in force, so every reader counts as unknown")
        if self.refused:
            last = f", the last: {self.last_refusal}" if self.last_refusal else ""
            told.append(f"{self.refused} refused{last}")
        if self.shrunken:
            told.append(f"{self.shrunken} with less than half of the readers of the former version")
        return f"segments: {'; '.join(told)}" if told else None


def segments_state(gauges: Mapping[str, float], log: Iterable[str]) -> SegmentsState | None:
    """gauges: of any task, by name; log: lines, read only if a file is refused. None until the table has
    registered all of them."""
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
