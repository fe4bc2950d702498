"""What the pinned `cdk drift` prints and ends with, as operations/ci/drift.py reads it: a stack of the
emulated AWS that somebody changes outside CloudFormation."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_cdk import App, CfnResource, Environment, LegacyStackSynthesizer, Stack

from names import OREGON, TWIN_ACCOUNT
from operations.ci.drift import DriftState, outcome
from tests.conftest import PROJECT
from twin.emulator import Emulator

pytestmark = pytest.mark.slow


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    started = Emulator(opensearch_endpoint="http://127.0.0.1:1", log=tmp_path / "ministack.log")
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.stop()


def test_a_resource_that_somebody_changed_is_drift_until_it_is_put_back(
    emulator: Emulator, tmp_path: Path
) -> None:
    app = App(outdir=str(tmp_path / "cdk.out"))
    where = Environment(account=TWIN_ACCOUNT, region=OREGON)
    stack = Stack(app, "Trial", env=where, synthesizer=LegacyStackSynthesizer())
    queue = {"QueueName": "trial", "VisibilityTimeout": 30}
    CfnResource(stack, "Queue", type="AWS::SQS::Queue", properties=queue)
    app.synth()

    def detected() -> DriftState:
        ended = subprocess.run(
            [str(PROJECT / "node_modules/.bin/cdk"), "drift", "--fail", "--no-notices"],
            cwd=PROJECT,
            env={
                **emulator.client_environment(),
                "PATH": f"{PROJECT}/.venv/bin{os.pathsep}{os.environ['PATH']}",
                "HOME": str(tmp_path),
                "CDK_HOME": str(tmp_path / "cdk"),
                "CDK_APP": str(tmp_path / "cdk.out"),
                "AWS_REGION": OREGON,
                "CDK_DISABLE_VERSION_CHECK": "1",
                "CDK_DISABLE_CLI_TELEMETRY": "1",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return outcome(ended.stdout + ended.stderr, ended.returncode, expected_unchecked=0)

    assert detected() is DriftState.FAILED  # there is no stack, so nothing is known
    cloudformation = emulator.client("cloudformation", OREGON)
    template = (tmp_path / "cdk.out" / "Trial.template.json").read_text(encoding="utf-8")
    cloudformation.create_stack(StackName="Trial", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="Trial", WaiterConfig={"Delay": 1})
    assert detected() is DriftState.CLEAN

    sqs = emulator.client("sqs", OREGON)
    address = sqs.get_queue_url(QueueName="trial")["QueueUrl"]
    for seconds, expected in (("45", DriftState.DRIFTED), ("30", DriftState.CLEAN)):
        sqs.set_queue_attributes(QueueUrl=address, Attributes={"VisibilityTimeout": seconds})
        assert detected() is expected
