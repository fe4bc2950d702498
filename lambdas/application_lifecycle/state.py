"""What a new version of the application means for the state in its snapshots.

A restore fails if the snapshot holds an operator that the program lacks, unless the start allows it; such a
start forgives every other loss too. So each version is deployed with the numbers of its stateful operators
(analytics_sql/operators.json). A start may leave behind only operators that its record names as removed, or
never numbered: those came with the version that is rolled back. So may it leave behind those that a setting
turned off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.application_lifecycle.configuration import OPERATORS, STATE_GENERATION


class StateLossError(Exception):
    """State would be lost that no release gave up; the message says which and what to do."""


def deployed_operators(record: Mapping[str, Any], *, with_optional: bool) -> dict[str, Any]:
    """The part of an operators.json record that is deployed with the application: names by number.

    with_optional: whether the settings turn on what the record has as optional.
    """
    numbered: dict[str, str] = {}
    off: dict[str, str] = {}
    for name, operator in record["operators"].items():
        runs = with_optional or not operator.get("optional")
        (numbered if runs else off)[str(operator["id"])] = name
    return {
        "next": str(record["next"]),
        "numbered": numbered,
        "removed": dict(record["removed"]),
        "off": off,
    }


@dataclass(frozen=True, kw_only=True)
class StateChange:
    """dropped: the version starts without state; restored: it returns to a version whose own snapshot holds
    what the one in between cannot read or has lost; left_behind: the former version's operators that this one
    lacks, named in its record, turned off or newer than it; unnamed: those that are neither."""

    dropped: bool = False
    restored: bool = False
    left_behind: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()

    @property
    def leaves_state_behind(self) -> bool:
        return bool(self.left_behind or self.unnamed)

    def check(self, application: str) -> None:
        """Raises StateLossError."""
        if self.unnamed:
            raise StateLossError(
                f"{application} would lose the state of {', '.join(self.unnamed)}, and no release gave it "
                "up. Deploy a tree whose analytics_sql/operators.json continues the deployed one, or raise "
                "analytics.state_generation by one in the environment's file, to start without any state."
            )


def state_change(former: Mapping[str, Any], now: Mapping[str, Any]) -> StateChange:
    """From a resource's properties before and after; versions before this rule have no operators."""
    raised = int(now[STATE_GENERATION]) - int(former.get(STATE_GENERATION, "0"))
    if raised:
        return StateChange(dropped=raised > 0, restored=raised < 0)
    if not (former.get(OPERATORS) and now.get(OPERATORS)):
        return StateChange()
    before, after = former[OPERATORS], now[OPERATORS]
    numbered = after["numbered"].items()
    lacking = [one for one in before["numbered"].items() if one not in numbered]
    removed = {**after["removed"], **after.get("off", {})}.items()
    named = [one for one in lacking if one in removed or int(one[0]) >= int(after["next"])]
    return StateChange(
        restored=any(one in numbered for one in before["removed"].items()),
        left_behind=tuple(name for _, name in named),
        unnamed=tuple(name for one in lacking if one not in named for name in one[1:]),
    )
