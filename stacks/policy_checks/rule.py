"""What a policy check is, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stacks.policy_checks.assembly import CheckedAssembly, CheckedResource, SynthesisedStack


@dataclass(frozen=True, kw_only=True)
class Violation:
    """on: what breaks the rule; detail: what about it, part of the id by which it is acknowledged.

    also: findings of cdk-nag that say the same; an acknowledgment of one of them, with a reason, is enough.
    """

    on: CheckedResource | SynthesisedStack
    detail: str
    also: tuple[str, ...] = ()

    @property
    def acknowledged_for_nag(self) -> bool:
        acknowledged = self.on.acknowledged if isinstance(self.on, CheckedResource) else {}
        return any(acknowledged.get(finding, "").strip() for finding in self.also)


@dataclass(frozen=True, kw_only=True)
class PolicyCheck:
    """id: in a finding's name; says: what is wrong; advice: how to mend it.

    can_be_acknowledged: whether a reason makes up for it, by `PolicyChecks::<id>[<detail>]`.
    """

    id: str
    says: str
    advice: str
    check: Callable[[CheckedAssembly], Iterator[Violation]]
    can_be_acknowledged: bool = True

    def broken(self, assembly: CheckedAssembly) -> Iterator[Violation]:
        return (finding for finding in self.check(assembly) if not finding.acknowledged_for_nag)

    def name_of(self, finding: Violation) -> str:
        return f"{self.id}[{finding.detail}]"
