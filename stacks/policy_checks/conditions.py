"""Which conditions of a policy keep strangers out. Without the CDK, so that `make review` reads it fast."""

import re

from cloudformation import as_list

_OURS = {
    *("principalaccount", "principalarn", "principalorgid", "principalorgpaths"),
    *("sourceaccount", "sourcearn", "sourceorgid", "sourceorgpaths", "sourceowner"),
    *("sourcevpc", "sourcevpce"),
}
"""Condition keys, without `aws:`, that narrow a principal of * to ours: S3 user guide, "The meaning of
'public'"."""
_ANYONES = re.compile(r"\*|arn:([^:]*:){3}[^:]*[*?]")
"""A value that any account can match: everything, or an ARN whose account is not written out."""


def narrows(condition: object) -> bool:
    """Whether a part of a condition lets in only ours. One that excludes, or that holds where the key is
    missing, does not."""
    return isinstance(condition, dict) and any(
        key.lower().rpartition(":")[2] in _OURS
        and not any(_ANYONES.match(str(value)) for value in as_list(values))
        for operator, compared in condition.items()
        if isinstance(compared, dict) and not _lets_others_in(operator.lower())
        for key, values in compared.items()
    )


def _lets_others_in(operator: str) -> bool:
    return bool(re.search(r"not|null|ifexists$|forallvalues", operator))
