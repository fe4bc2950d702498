"""The record of calls (calls.jsonl): one for each role, action, region and pattern of a statement that a call
matched, with the test that ran when it was made first.

What the emulators of a run append (twin/permission_calls.py) is added by `python -m operations.permissions`.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudformation import as_list
from operations.permissions.deciding import ASSET, Call, Role, Statement, allows

RECORD = Path(__file__).with_name("calls.jsonl")
_HASH = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True, kw_only=True)
class RecordedCall:
    """test: its id, or empty where none ran."""

    call: Call
    test: str


class RecordError(Exception):
    """A file holds something else than calls; the message says where and what to do."""


def read_record(file: Path = RECORD) -> list[RecordedCall]:
    """Raises RecordError at a line that is no call."""
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            read = json.loads(line)
            call = Call(
                role=read["role"],
                action=read["action"],
                resource=_HASH.sub(ASSET, read["resource"]),
                region=read["region"],
                keys=tuple((key, value) for key, value in read["keys"]),
            )
            found.append(RecordedCall(call=call, test=read["test"]))
        except (ValueError, TypeError, KeyError) as error:
            raise RecordError(f"{file}, line {number}, is no recorded call: record anew") from error
    return found


def write_record(calls: Iterable[RecordedCall], file: Path = RECORD) -> None:
    lines = [
        json.dumps(
            {
                "role": each.call.role,
                "action": each.call.action,
                "resource": each.call.resource,
                "region": each.call.region,
                "keys": each.call.keys,
                "test": each.test,
            }
        )
        for each in calls
    ]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def matched(role: Role, call: Call) -> list[tuple[int, str]]:
    """The number of each statement that alone allows the call, with each pattern of it that matches."""
    return [
        (number, pattern)
        for number, statement in enumerate(role.statements)
        for pattern in as_list(statement["Resource"])
        if allows(_only(statement, pattern), role.arn, call)
    ]


def _only(statement: Statement, pattern: str) -> Statement:
    return {**statement, "Resource": pattern}


def short_named(recorded: RecordedCall, roles: Mapping[str, Role]) -> RecordedCall | None:
    """The call of the role's short name; None of a role that the templates do not have, as those of
    tests."""
    name, call = recorded.call.role, recorded.call
    for role in roles.values():
        if name == role.physical_name or (role.generated and name.startswith(role.generated)):
            short = Call(
                role=role.name, action=call.action, resource=call.resource, region=call.region, keys=call.keys
            )
            return RecordedCall(call=short, test=recorded.test)
    return None


def one_of_each(calls: Sequence[RecordedCall], roles: Mapping[str, Role]) -> list[RecordedCall]:
    """Sorted. Of calls that match the same patterns the one with a test is kept, and of these the first.
    What no statement allows any longer goes."""
    kept: dict[tuple[object, ...], RecordedCall] = {}
    for each in sorted(calls, key=lambda each: not each.test):
        call = each.call
        if call.role in roles and (patterns := matched(roles[call.role], call)):
            kept.setdefault((call.role, call.action, call.region, *patterns), each)
    return sorted(kept.values(), key=lambda each: (each.call.role, each.call.action, each.call.resource))
