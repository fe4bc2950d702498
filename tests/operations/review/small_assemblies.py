"""Small assemblies written by hand, where a whole synthesis would hide the point."""

from collections.abc import Mapping
from typing import Any

from operations.review.assembly import Assembly, ReviewedStack

ACCOUNT = "111111111111"


def stack(
    title: str,
    resources: Mapping[str, Any],
    *,
    region: str = "us-west-2",
    protected: bool = False,
    **sections: Any,
) -> ReviewedStack:
    """sections: others of its template, as `Outputs`."""
    template = {"Resources": dict(resources), **sections}
    return ReviewedStack(
        name=f"ClickTrends-production-{title}",
        account=ACCOUNT,
        region=region,
        protected=protected,
        template=template,
        raw=template,
        paths={logical_id: logical_id for logical_id in resources},
    )


def assembly(*stacks: ReviewedStack) -> Assembly:
    return Assembly(stacks=stacks)


def one(resources: Mapping[str, Any], **sections: Any) -> Assembly:
    """An assembly of one stack."""
    return assembly(stack("OregonStorage", resources, **sections))


def resource(kind: str, *, keep: str | None = None, **properties: Any) -> dict[str, Any]:
    """keep: both of its policies, as `Retain`."""
    policies = {"DeletionPolicy": keep, "UpdateReplacePolicy": keep} if keep else {}
    return {"Type": kind, "Properties": properties, **policies}


def role(name: str, *statements: Mapping[str, Any], trust: Any = None, **properties: Any) -> dict[str, Any]:
    trusted = trust or {"Service": "lambda.amazonaws.com"}
    return resource(
        "AWS::IAM::Role",
        RoleName=name,
        AssumeRolePolicyDocument={
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted}]
        },
        Policies=[{"PolicyName": "Rights", "PolicyDocument": {"Statement": list(statements)}}],
        **properties,
    )


def allow(action: Any, on: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}
