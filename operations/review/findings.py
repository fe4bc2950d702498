"""What a review finds: one plain sentence each, of one kind, the dangerous kinds first."""

from dataclasses import dataclass
from enum import StrEnum

Place = tuple[str, str, str]
"""Stack, logical id, path of a value; a path covers what is below it."""


class Kind(StrEnum):
    """In order of danger, as the page lists them. The value is what `--fail-on` takes."""

    DATA_LOSS = "data-loss"
    DATA_LEFT = "data-left"
    PROTECTION_LOST = "protection-lost"
    BROKEN = "broken"
    PUBLIC = "public"
    WILDCARD = "wildcard"
    ACCESS = "access"
    ENCRYPTION = "encryption"
    FAILS = "fails"
    NAME = "name"
    REPLAY = "replay"
    FRESH_STATE = "fresh-state"
    INTERRUPTION = "interruption"
    ALARM_LOST = "alarm-lost"
    COST = "cost"
    LATENCY = "latency"
    NOT_UNDERSTOOD = "not-understood"
    NOT_ASSESSED = "not-assessed"
    NOTE = "note"


MEANINGS = {
    Kind.DATA_LOSS: "data is deleted or becomes unreadable",
    Kind.DATA_LEFT: "data is kept, but nothing of the system uses it any more",
    Kind.PROTECTION_LOST: "what keeps data from being deleted or lost is removed",
    Kind.BROKEN: "a part stops working, or may no longer do what its code does",
    Kind.PUBLIC: "something can be reached without credentials of the account",
    Kind.WILDCARD: "a permission on more than what is named",
    Kind.ACCESS: "somebody may do what they could not do before",
    Kind.ENCRYPTION: "encryption is removed or changed",
    Kind.FAILS: "CloudFormation will refuse the deployment",
    Kind.NAME: "a physical name changes, or names what is no longer there",
    Kind.REPLAY: "counts are right again only after a replay",
    Kind.FRESH_STATE: "the running state is lost and built again from the stream",
    Kind.INTERRUPTION: "something is late, slower or unavailable for a while",
    Kind.ALARM_LOST: "an alarm or a log is gone, or an alarm notifies later or watches something else",
    Kind.COST: "the monthly cost changes by a hundredth or more",
    Kind.LATENCY: "counts become visible, or reach the service, later",
    Kind.NOT_UNDERSTOOD: "a change whose effect this tool does not know",
    Kind.NOT_ASSESSED: "a new value that no rule assesses, though its update is known",
    Kind.NOTE: "worth knowing",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """text: one sentence of Markdown; details: more sentences, each shown below it. covers: the values
    that it explains."""

    kind: Kind
    text: str
    details: tuple[str, ...] = ()
    covers: tuple[Place, ...] = ()
