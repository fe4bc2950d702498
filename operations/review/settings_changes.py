"""Settings that change, with their meaning; and findings of cdk-nag that are newly accepted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.review.assembly import Assembly
from operations.review.display_names import shown
from operations.review.findings import Finding, Kind


@dataclass(frozen=True, kw_only=True)
class Setting:
    """value, default: as JSON has them; meaning: its description, with the unit."""

    value: Any
    default: Any
    meaning: str


@dataclass(frozen=True, kw_only=True)
class SettingChange:
    """None on a side that has no such setting."""

    key: str
    old: Setting | None
    new: Setting | None

    @property
    def meaning(self) -> str:
        setting = self.new or self.old
        return setting.meaning if setting else ""


def setting_changes(old: Mapping[str, Setting], new: Mapping[str, Setting]) -> tuple[SettingChange, ...]:
    """In the order of the new settings. A changed default is a changed setting; of a new environment, only
    what is not at its default counts."""
    if not old:
        return tuple(
            SettingChange(key=key, old=None, new=setting)
            for key, setting in new.items()
            if setting.value != setting.default
        )
    keys = [*new, *(key for key in old if key not in new)]
    return tuple(
        SettingChange(key=key, old=old.get(key), new=new.get(key))
        for key in keys
        if _value(old.get(key)) != _value(new.get(key))
    )


def _value(setting: Setting | None) -> tuple[bool, str]:
    return setting is not None, repr(setting.value) if setting else ""


CORRECTIONS = "analytics.segments_corrections"


def setting_findings(changes: tuple[SettingChange, ...], *, counted_into: int = 1) -> Iterator[Finding]:
    """counted_into: the new analytics.counts_generation."""
    stays = all(change.key != "analytics.counts_generation" for change in changes)
    for change in changes:
        if change.key == CORRECTIONS and stays and (moved := _moved_within(change, counted_into)):
            yield Finding(
                kind=Kind.BROKEN,
                text=f"**The segments that the application counts with change ({', '.join(moved)}), and "
                "`analytics.counts_generation` does not**: of one click a reader may see counts under two "
                "segments.",
                details=("Raise it by one, with the correction from that generation on.",),
            )
        if change.key == "allow_destroy" and change.new and change.new.value is True:
            yield Finding(
                kind=Kind.PROTECTION_LOST,
                text="**`allow_destroy` is true: the first of the two keys that delete data is turned.** "
                "The second is `-c destroy=yes` at the command line; with both, stacks delete their data.",
            )


def _moved_within(change: SettingChange, generation: int) -> list[str]:
    """The corrections that this generation is counted with on one side only."""
    old, new = ({} if side is None else side.value for side in (change.old, change.new))
    sides = [{name for name, since in side.items() if since <= generation} for side in (old, new)]
    return sorted(f"`{name}`" for name in sides[0] ^ sides[1])


def setting_line(change: SettingChange, *, is_new: bool = False) -> str:
    """is_new: of an environment that is compared with nothing."""
    if is_new and change.new:
        return f"`{change.key}` = {shown(change.new.value)}. {change.meaning}".rstrip()
    old = shown(change.old.value) if change.old else "(no such setting)"
    new = shown(change.new.value) if change.new else "(no such setting)"
    return f"`{change.key}`: {old} → {new}. {change.meaning}".rstrip()


def acknowledgement_lines(old: Assembly, new: Assembly) -> tuple[str, ...]:
    """New, reworded and withdrawn ones, with their reasons."""
    before, after = _acknowledged(old), _acknowledged(new)
    lines = []
    for place, reason in after.items():
        if place not in before:
            lines.append(f"**Newly accepted:** {place}. Reason given: {reason}")
        elif before[place] != reason:
            lines.append(f"Another reason for {place}: {reason}")
    lines += [f"No longer accepted: {place}." for place in before if place not in after]
    return tuple(lines)


def _acknowledged(assembly: Assembly) -> dict[str, str]:
    """The reason by what is accepted."""
    return {
        f"`{finding}` on {stack.title}/{path}": reason
        for stack in assembly.stacks
        for (path, finding), reason in stack.acknowledged.items()
    }
