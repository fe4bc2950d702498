"""Data goes only with two keys: `allow_destroy` in the settings and `-c destroy=yes` at the command line."""

from collections.abc import Iterator

from stacks.policy_checks.assembly import CheckedAssembly
from stacks.policy_checks.holds_data import BUILT_AGAIN, HOLDS_DATA
from stacks.policy_checks.rule import PolicyCheck, Violation

KEEPS = {"Retain", "RetainExceptOnCreate", "Snapshot"}
EMPTIES_A_BUCKET = "Custom::S3AutoDeleteObjects"


def rule(*, both_keys_turned: bool, expendable: frozenset[str] = frozenset()) -> PolicyCheck:
    """both_keys_turned: data may go with its stack, and nothing is found; expendable: physical names of what
    holds only data that nobody needs back."""

    def check(assembly: CheckedAssembly) -> Iterator[Violation]:
        if both_keys_turned:
            return
        for resource in assembly.of_type(*sorted(HOLDS_DATA.keys() - BUILT_AGAIN.keys())):
            if resource.name in expendable:
                continue
            for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
                if resource.body.get(policy) not in KEEPS:
                    yield Violation(on=resource, detail=policy)
        for resource in assembly.of_type(EMPTIES_A_BUCKET):
            yield Violation(on=resource, detail="AutoDeleteObjects")

    return PolicyCheck(
        id="DataNeedsTwoKeys",
        says="Data could be deleted with one key",
        advice="Apply `retention.removal_policy` (stacks/constructs/retention.py) to what holds data.",
        check=check,
        can_be_acknowledged=False,
    )
