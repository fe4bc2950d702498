"""Calls just beyond what a role's statements allow: made from the statements themselves, so that none is left
out."""

from collections.abc import Iterator, Mapping
from typing import Any

from cloudformation import as_list
from names import OREGON, TOKYO, TWIN_ACCOUNT
from operations.permissions.deciding import ALLOW, ENVIRONMENT, Call, Role, Statement

NOBODYS = {
    "athena": ("DeleteWorkGroup",),
    "cloudwatch": ("PutMetricData",),
    "dynamodb": ("DeleteTable",),
    "es": ("ESHttpPatch", "UpdateDomainConfig"),
    "firehose": ("UpdateDestination",),
    "glue": ("DeleteTable",),
    "iam": ("UpdateAssumeRolePolicy",),
    "kinesis": ("DeleteStream",),
    "kinesisanalytics": ("UpdateApplication",),
    "kms": ("PutKeyPolicy",),
    "lambda": ("UpdateFunctionCode",),
    "logs": ("DeleteLogStream",),
    "s3": ("PutBucketPolicy", "PutObjectAcl"),
    "sns": ("SetTopicAttributes",),
    "sqs": ("PurgeQueue",),
}
"""By service: what no role may do, on whatever."""


def calls_beyond(role: Role) -> Iterator[Call]:
    """An action of nobody's on each of its resources, each of its actions on a resource of another
    environment or account, and each where a condition does not hold."""
    for statement in role.statements:
        if statement["Effect"] != ALLOW:
            continue
        keys, actions = keys_of(statement), as_list(statement["Action"])
        for pattern in as_list(statement["Resource"]):
            resource = pattern.replace("*", "a")
            for action in sorted(
                {f"{of.partition(':')[0]}:{each}" for of in actions for each in nobodys(of)}
            ):
                yield call(role, action, resource, keys)
            for action in actions:
                if pattern != "*":
                    yield call(role, action, elsewhere(resource), keys)
                for key in keys.keys() - UNDECIDED:
                    yield call(role, action, resource, {**keys, key: OTHER_VALUES.get(key, "another")})


OTHER_VALUES = {"aws:requestedregion": TOKYO}
UNDECIDED = {"s3:resourceaccount"}
"""The emulator takes every bucket for one of the account (tests/stacks/test_forwarder.py)."""


def nobodys(action: str) -> tuple[str, ...]:
    return NOBODYS[action.partition(":")[0]]


def elsewhere(resource: str) -> str:
    for mark in "-_":
        other = resource.replace(f"trends{mark}{ENVIRONMENT}", f"trends{mark}other")
        if other != resource:
            return other
    return resource.replace(TWIN_ACCOUNT, "111111111111")


def keys_of(statement: Statement) -> dict[str, str]:
    """Of a request that meets the statement's conditions."""
    conditions: Mapping[str, Any] = statement.get("Condition", {})
    return {
        key.lower(): str(value).replace("*", "a")
        for each in conditions.values()
        for key, value in each.items()
    }


def call(role: Role, action: str, resource: str, keys: Mapping[str, str]) -> Call:
    region = resource.split(":")[3] if resource.count(":") > 3 else ""
    asked = keys.get("aws:requestedregion", region or OREGON)
    return Call(role=role.name, action=action, resource=resource, region=asked, keys=tuple(keys.items()))
