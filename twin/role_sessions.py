"""In conditions, a role's session is the role, and the account's root a service that names this account:
MiniStack compares the session's own ARN, and its services and the twin's assume roles as root.

For a role, aws:PrincipalArn is the ARN of the role, whoever assumed it (IAM user guide, "AWS global condition
context keys", aws:PrincipalArn).
"""

import re
from types import ModuleType
from typing import Any

NEEDED_OF_IAM_EVALUATOR = ("_resolve_condition_key",)
_SESSION = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+")


def compare_roles(iam_evaluator: ModuleType) -> None:
    """iam_evaluator: ministack.core.iam_evaluator."""
    resolve = iam_evaluator._resolve_condition_key

    def resolved(key: str, context: Any) -> Any:
        value = resolve(key, context)
        if key.lower() == "aws:principalarn" and isinstance(value, str):
            return _SESSION.sub(r"arn:aws:iam::\1:role/\2", value)
        if key.lower() == "aws:sourceaccount" and value is None and context.principal_arn.endswith(":root"):
            return context.principal_account
        return value

    iam_evaluator._resolve_condition_key = resolved  # type: ignore[attr-defined]
