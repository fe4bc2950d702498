"""Which statements and actions of the roles the recorded calls needed, and which of the others have a
reason."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cloudformation import as_list
from operations.permissions.deciding import ALLOW, Call, Role, Statement, allows
from operations.permissions.reasons import REASONS, StandingReason
from operations.permissions.record import RecordedCall


@dataclass(frozen=True, kw_only=True)
class Use:
    """Of one action of one statement. calls: those that this statement alone allowed."""

    role: Role
    number: int
    action: str
    calls: tuple[RecordedCall, ...]
    reason: StandingReason | None

    @property
    def sid(self) -> str:
        return sid_of(self.role.statements[self.number])

    def __str__(self) -> str:
        return f"{self.role.name}, {self.sid}, {self.action}"


def sid_of(statement: Statement) -> str:
    """The statement's Sid, or its actions where it has none."""
    return str(statement.get("Sid") or " ".join(sorted(as_list(statement["Action"]))))


def uses(roles: Mapping[str, Role], record: Iterable[RecordedCall]) -> Iterator[Use]:
    """Of every action that a statement of a role allows, in the templates' order."""
    by_role: dict[str, list[RecordedCall]] = {}
    for each in record:
        by_role.setdefault(each.call.role, []).append(each)
    for role in roles.values():
        for number, statement in enumerate(role.statements):
            if statement["Effect"] != ALLOW:
                continue
            others = [one for at, one in enumerate(role.statements) if at != number]
            calls = [
                each
                for each in by_role.get(role.name, [])
                if allows(statement, role.arn, each.call) and not any_allows(others, role, each.call)
            ]
            for action in as_list(statement["Action"]):
                yield Use(
                    role=role,
                    number=number,
                    action=action,
                    calls=tuple(each for each in calls if each.call.action == action),
                    reason=reason_for(role.name, sid_of(statement), action),
                )


def any_allows(statements: Iterable[Statement], role: Role, call: Call) -> bool:
    return any(allows(statement, role.arn, call) for statement in statements)


def reason_for(role: str, sid: str, action: str) -> StandingReason | None:
    return next((each for each in REASONS if each.is_of(role, sid, action)), None)
