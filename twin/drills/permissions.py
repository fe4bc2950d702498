"""A permission that somebody takes from roles by a policy of their own, and the run-book's way to give it
back."""

import json
from collections.abc import Sequence

from names import OREGON
from twin.twin import Twin

POLICY = "drill"
"""Name of the inline policy."""
ALLOW = "aws iam delete-role-policy"


def deny(twin: Twin, roles: Sequence[str], *actions: str) -> None:
    """roles: their names."""
    statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    for role in roles:
        twin.emulator.client("iam", OREGON).put_role_policy(
            RoleName=role, PolicyName=POLICY, PolicyDocument=policy
        )


def allow(twin: Twin, roles: Sequence[str]) -> None:
    """Take the policy away. Raises botocore's error if it is not there."""
    for role in roles:
        twin.emulator.client("iam", OREGON).delete_role_policy(RoleName=role, PolicyName=POLICY)


def allow_command(roles: Sequence[str]) -> str:
    return " && ".join(f"{ALLOW} --role-name {role} --policy-name {POLICY}" for role in roles)


def are_allowed(twin: Twin, roles: Sequence[str]) -> bool:
    iam = twin.emulator.client("iam", OREGON)
    return all(POLICY not in iam.list_role_policies(RoleName=role)["PolicyNames"] for role in roles)
