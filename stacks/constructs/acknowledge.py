"""Accepting findings of cdk-nag, one at a time, each with the reason a reviewer would ask for."""

from collections.abc import Iterable

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, finding: str, *, reason: str) -> None:
    """Accept one finding, e.g. `OS1`, on this construct."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{finding}", reason=reason))


def acknowledge_wildcards(construct: IConstruct, resources: Iterable[str], *, reason: str) -> None:
    """Accept exactly these resources with a wildcard in the role's policy: any other stays a finding."""
    for resource in resources:
        acknowledge(construct, f"IAM5[Resource::{resource}]", reason=reason)
