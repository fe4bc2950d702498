"""Every call that the tests made in the twin stays allowed, and every permission has a call or a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from cloudformation import Stack, as_list
from operations.permissions.deciding import ALLOW, Role, decision
from operations.permissions.needed import Use, sid_of, uses
from operations.permissions.page import PAGE, page
from operations.permissions.reasons import REASONS, StandingReason
from operations.permissions.record import RecordedCall, matched, one_of_each, read_record, write_record
from tests.conftest import PROJECT

Roles = Mapping[str, Role]
Record = Sequence[RecordedCall]
HOW = "record anew (docs/reference/testing.md)"


def refused(roles: Roles, record: Record) -> list[str]:
    """The calls that the roles' policies do not allow, each with the test that makes it."""
    return [
        f"{each.call.role} may not {each.call.action} {each.call.resource}: {each.test} needs it"
        for each in record
        if decision(roles[each.call.role], each.call) != ALLOW
    ]


@pytest.fixture(name="used", scope="module")
def uses_of_every_action(every_role: Roles, record: Record) -> list[Use]:
    return list(uses(every_role, record))


def test_every_call_that_a_test_made_is_still_allowed(roles: Roles, record: Record) -> None:
    assert refused(roles, record) == []


def test_whichever_statement_goes_a_named_test_needs_it_or_it_has_a_reason(
    every_role: Roles, record: Record
) -> None:
    """The mutation: each statement is taken away, and the test above has to name a test, but for statements
    whose every action only AWS calls."""
    unnoticed = []
    for role in every_role.values():
        of_role = [each for each in record if each.call.role == role.name]
        for number, statement in enumerate(role.statements):
            if statement["Effect"] != ALLOW:
                continue
            missing = refused({role.name: role.without(number)}, of_role)
            sid, actions = sid_of(statement), as_list(statement["Action"])
            reasoned = all(any(one.is_of(role.name, sid, action) for one in REASONS) for action in actions)
            if not any("::test_" in each for each in missing) and not reasoned:
                unnoticed.append(f"{role.name}, {sid}")
    assert unnoticed == [], "no test needs these statements: remove them, or give a reason (reasons.py)"


def test_every_action_of_a_role_was_called_or_has_a_reason(used: list[Use]) -> None:
    unneeded = [str(use) for use in used if not use.calls and use.reason is None]
    assert unneeded == [], "remove them, or give a reason (operations/permissions/reasons.py)"


def test_every_reason_stands_for_an_action_that_no_call_needed(used: list[Use]) -> None:
    unneeded = {(use.role.name, use.sid, use.action) for use in used if not use.calls}
    gone = [
        f"{role}, {reason.sid}, {action}"
        for reason in REASONS
        for role in reason.roles
        for action in reason.actions
        if (role, reason.sid, action) not in unneeded
    ]
    assert gone == [], "no template has these: remove the reason"
    called = [str(use) for use in used if use.reason is not None and use.calls]
    assert called == [], "these have a reason and were called: remove the reason"


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.sid)
def test_every_reason_has_a_source(reason: StandingReason) -> None:
    file, _, name = reason.source.partition("::")
    assert file.startswith("https://") or f"def {name}(" in (PROJECT / file).read_text(encoding="utf-8")


def test_every_test_in_the_record_exists(record: Record) -> None:
    gone = []
    for test in {each.test for each in record if each.test}:
        file, _, name = test.partition("::")
        path = PROJECT / file
        if not path.exists() or f"def {name.partition('[')[0]}(" not in path.read_text(encoding="utf-8"):
            gone.append(test)
    assert gone == [], HOW


def test_the_record_holds_each_kind_of_call_once(roles: Roles, record: Record) -> None:
    assert one_of_each(record, roles) == record, HOW


def test_a_call_is_kept_with_its_test_and_once_for_each_pattern(roles: Roles, record: Record) -> None:
    first = next(each for each in record if each.test)
    untested = replace(first, test="")
    assert one_of_each([untested, first, untested], roles) == [first]
    other_resource = replace(first, call=replace(first.call, resource="arn:aws:s3:::other"))
    assert matched(roles[first.call.role], other_resource.call) == []
    assert one_of_each([other_resource], roles) == []


def test_what_is_written_is_read_again(record: Record, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("record") / "calls.jsonl"
    write_record(record, file)
    assert read_record(file) == record


def test_the_page_is_what_the_policies_and_the_record_say(
    stacks: tuple[Stack, ...], stacks_with_options: tuple[Stack, ...], record: Record
) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(stacks, stacks_with_options, record), "run make docs"
