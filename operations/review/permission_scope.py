"""How far a permission reaches: beyond what it names, or beyond the account."""

import json
import re
from collections.abc import Iterator

from operations.review.grants import ALL_BUT, EVERYTHING_OF, Grant


def wildcards(grant: Grant) -> Iterator[str]:
    """Why a permission reaches further than what it names. All objects of one bucket, and all paths of one
    domain, are no wildcard."""
    if grant.action.startswith(EVERYTHING_OF):
        yield f"{grant.action}, whose statements are AWS's and may grow"
        return
    if "*" in grant.action or "?" in grant.action:
        yield f"the action `{grant.action}`"
    if grant.negated:
        yield grant.negated
    if grant.is_trust:
        if is_anyone(grant.principal):
            yield "anyone may assume it"
        return
    if not _names_one(grant.resource):
        yield f"the resource `{grant.resource}`"


def _names_one(resource: str) -> bool:
    head = re.split(r"[*?]", resource, maxsplit=1)[0]
    if head == resource or not resource.startswith("arn:"):
        return head == resource
    service = resource.split(":")[2]
    last = head.split(":", 5)[-1]
    if service == "s3":
        return "/" in last and not last.startswith("/")
    if service == "logs":
        return bool(re.match(r"log-group:[^*]+:", last))
    # type/name/…*: the name is complete only if something follows it
    return last.count("/") >= 2 or (last.count(":") >= 2)


def any_identity(grant: Grant) -> bool:
    """Whether a trust takes every identity of a provider that others use too. IAM user guide, "Create a role
    for OpenID Connect federation": the condition must name the audience, or the subject."""
    if grant.action != "sts:AssumeRoleWithWebIdentity":
        return False
    conditions = json.loads(grant.condition) if grant.condition else {}
    return not any(
        key.endswith((":aud", ":sub")) and "*" not in str(values)
        for operator, keys in conditions.items()
        if operator in {"StringEquals", "ForAnyValue:StringEquals"} and isinstance(keys, dict)
        for key, values in keys.items()
    )


def is_anyone(principal: str) -> bool:
    return principal == "*" or principal.startswith(ALL_BUT)
