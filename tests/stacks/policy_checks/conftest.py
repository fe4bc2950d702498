"""The policy checks alone, on a stack that a test builds: no cdk-nag, so it takes a tenth of a second."""

from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack, Validations

from names import TOKYO
from stacks.constructs.retention import Retention
from stacks.policy_checks.plugin import PolicyChecks
from stacks.policy_checks.tags import stack_tags
from tests.stacks.policy_checks.policy_fixture import KEEP, SETTINGS, Build, Check


@pytest.fixture
def broken(tmp_path: Path) -> Check:
    """What the policy checks say of a stack; empty if it passes."""

    def check(
        build: Build,
        *,
        retention: Retention = KEEP,
        tags: dict[str, str] | None = None,
    ) -> str:
        app = App(
            outdir=str(tmp_path / "out"), analytics_reporting=False, builtin_cloud_formation_validation=False
        )
        stack = Stack(
            app,
            "Trial",
            env=Environment(account=SETTINGS.account, region=TOKYO),
            tags=stack_tags(SETTINGS) if tags is None else tags,
        )
        build(stack)
        Validations.of(app).add_plugins(PolicyChecks(settings=SETTINGS, retention=retention))
        try:
            app.synth()
        except RuntimeError as error:
            return str(error)
        return ""

    return check
