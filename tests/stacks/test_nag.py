"""cdk-nag stands guard: what it finds ends the synthesis unless it was acknowledged on that very resource."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from stacks.constructs.acknowledge import acknowledge, acknowledge_wildcards


def synthesise(outdir: Path, build: Callable[[Stack], None]) -> None:
    app = App(outdir=str(outdir), analytics_reporting=False)
    build(Stack(app, "Bad"))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


def test_a_bucket_without_tls_ends_the_synthesis(tmp_path: Path) -> None:
    def bad(stack: Stack) -> None:
        acknowledge(s3.Bucket(stack, "Bucket"), "S1", reason="a finding that is not the one tested here")

    with pytest.raises(RuntimeError, match="AwsSolutions-S10"):
        synthesise(tmp_path, bad)


def test_an_acknowledged_wildcard_covers_no_other(tmp_path: Path) -> None:
    def bad(stack: Stack) -> None:
        role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        resources = ["arn:aws:s3:::one/*", "arn:aws:s3:::two/*"]
        role.add_to_policy(iam.PolicyStatement(actions=["s3:GetObject"], resources=resources))
        acknowledge_wildcards(role, resources[:1], reason="its objects have no fixed names")

    with pytest.raises(RuntimeError, match="AwsSolutions-IAM5") as raised:
        synthesise(tmp_path, bad)
    assert "arn:aws:s3:::two/*" in str(raised.value)
    assert "arn:aws:s3:::one/*" not in str(raised.value)
