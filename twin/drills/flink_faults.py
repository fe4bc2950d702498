"""Faults of the analytics application that it meets while it runs: checkpoints, sinks, deployments."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contract.sink import CLICK_COUNTS
from names import OREGON
from twin.analytics import EmulatedApplication
from twin.drills.fault import Fault
from twin.drills.run import DrilledRun
from twin.flink_job import MAX_RESTARTS, JobState
from twin.processes import TwinError, wait_for
from twin.twin import Twin

FAILS_WITHIN_SECONDS = 120.0
"""Some checkpoint intervals and restarts, on a busy machine."""
DEPLOYS_WITHIN_SECONDS = 600.0
BLOCKED_CHECKPOINTS = 2_000
"""More than the job tries during the fault."""
FAILING_PARAMETER = "DrillParameter"


def _application(twin: Twin) -> EmulatedApplication:
    assert twin.application is not None, "a drill needs a deployed twin"
    return twin.application


def _wait_until(twin: Twin, holds: Callable[[JobState], bool], what: str) -> None:
    """Of a state of the job that is seen from now on."""
    application = _application(twin)

    def seen() -> bool:
        state = application.state
        return state is not None and holds(state)

    wait_for(seen, what=what, timeout_seconds=FAILS_WITHIN_SECONDS, seen=lambda: str(application.state))


def _checkpoints_fail(run: DrilledRun) -> Callable[[], None]:
    application = _application(run.twin)
    state = application.state
    failed = 0 if state is None else state.failed_checkpoints + state.restarts
    free = block_checkpoints(application)
    what = "a checkpoint that fails"
    _wait_until(run.twin, lambda now: now.failed_checkpoints + now.restarts > failed, what)
    return free


def block_checkpoints(application: EmulatedApplication) -> Callable[[], None]:
    """Files stand where the folders of the next checkpoints will be, as root may write everywhere else.
    Earlier checkpoints stay readable. Returns what takes the files away. Raises TwinError."""
    newest = application.last_checkpoint()
    if newest is None:
        raise TwinError("no checkpoint is complete yet: cause this fault again in some seconds")
    number = int(newest.name.removeprefix("chk-"))
    blocking = [newest.parent / f"chk-{number + next_one}" for next_one in range(1, BLOCKED_CHECKPOINTS)]
    placed = [path for path in blocking if _placed(path)]

    def free() -> None:
        for path in placed:
            if path.is_file():
                path.unlink()

    return free


def _placed(path: Path) -> bool:
    try:
        path.touch(exist_ok=False)
    except FileExistsError:  # the one under way
        return False
    return True


def _sink_fails(run: DrilledRun) -> Callable[[], None]:
    """In place of the folder into which an operator writes counts there is a file."""
    transport = run.twin.transport
    if transport is None:
        raise TwinError("this fault needs a run with TRANSPORT=files: start one")
    folder = transport.folder_of(run.twin.names.delivery_stream(CLICK_COUNTS.name))
    aside = folder.with_name(f".{folder.name}")
    folder.rename(aside)
    folder.touch()

    def back() -> None:
        folder.unlink()
        aside.rename(folder)

    state = _application(run.twin).state
    before = 0 if state is None else state.restarts
    try:
        what = "a job that restarts again and again"
        _wait_until(run.twin, lambda now: now.restarts >= before + MAX_RESTARTS, what)
    except TwinError:
        back()
        raise
    return back


def _a_deployment_rolls_back(run: DrilledRun) -> None:
    """It gives the application another checkpoint interval, which restarts it, and then fails: CloudFormation
    makes no parameter of type SecureString (its user guide, AWS::SSM::Parameter, Type)."""
    twin = run.twin
    service = twin.emulator.client("cloudformation", OREGON)
    stack, template = _stack_of_the_application(service)
    resources = template["Resources"]
    for resource in resources.values():
        if resource["Type"] == "AWS::KinesisAnalyticsV2::Application":
            flink = resource["Properties"]["ApplicationConfiguration"]["FlinkApplicationConfiguration"]
            interval = flink["CheckpointConfiguration"]["CheckpointInterval"]
            flink["CheckpointConfiguration"]["CheckpointInterval"] = 2 * int(interval)
    resources[FAILING_PARAMETER] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Type": "SecureString", "Value": "drill"},
        "DependsOn": [
            name for name in resources if resources[name]["Type"] == "Custom::ApplicationLifecycle"
        ],
    }
    service.update_stack(
        StackName=stack,
        TemplateURL=_uploaded(twin, template),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )

    def status() -> str:
        return str(service.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

    def application() -> str:
        return str(_application(twin).detail()["ApplicationStatus"])

    wait_for(
        lambda: status() == "UPDATE_ROLLBACK_COMPLETE" and application() == "RUNNING",
        what=f"stack {stack} rolled back and the application running again",
        timeout_seconds=DEPLOYS_WITHIN_SECONDS,
        poll_seconds=1.0,
        seen=lambda: f"the stack is {status()}, the application {application()}",
    )


def _stack_of_the_application(service: Any) -> tuple[str, dict[str, Any]]:
    for stack in service.describe_stacks()["Stacks"]:
        body = service.get_template(StackName=stack["StackName"])["TemplateBody"]
        template: dict[str, Any] = json.loads(body) if isinstance(body, str) else json.loads(json.dumps(body))
        if any(
            resource["Type"] == "Custom::ApplicationLifecycle" for resource in template["Resources"].values()
        ):
            return str(stack["StackName"]), template
    raise TwinError("no stack holds the application")


def _uploaded(twin: Twin, template: dict[str, Any]) -> str:
    bucket, key = f"cdk-hnb659fds-assets-{twin.names.account}-{OREGON}", "drill.json"
    twin.emulator.client("s3", OREGON).put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
    return f"{twin.emulator.endpoint}/{bucket}/{key}"


FLINK_FAULTS = (
    Fault(
        name="flink-checkpoints-failing",
        what="the service's storage takes no checkpoint of the application",
        seen="no new counts; the job restarts from its last checkpoint",
        runbook="numberOfFailedCheckpoints",
        cause=_checkpoints_fail,
        lasts_seconds=20,
    ),
    Fault(
        name="flink-looping",
        what="an operator fails at every start, because it cannot write counts",
        seen="no new counts; the screen says that the job restarts again and again",
        runbook="numRestarts",
        cause=_sink_fails,
        lasts_seconds=10,
    ),
    Fault(
        name="deployment-rolled-back",
        what="a deployment restarts the application and then fails, and CloudFormation takes it back",
        seen="no new counts for as long as two starts take",
        runbook="runningTime",
        cause=_a_deployment_rolls_back,
    ),
)
