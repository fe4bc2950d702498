"""Start the analytics application after a deployment, stop it with a snapshot before its deletion.

CloudFormation creates and updates the application but never starts it. An update of a running application
restarts it by itself, from a snapshot. Two resources of a template are this function's work:

- `Custom::ApplicationLifecycle`, after the application: it runs as deployed, or the deployment fails;
- `Custom::ApplicationPause`, before the application: where `StateGeneration` was raised, the application is
  stopped, so that it is not restarted from a state that its new version cannot read. In a rollback it is
  started again, if the change was refused and CloudFormation never came to the other resource; a new version
  that did start is stopped without a snapshot, which the former one could not read.
"""

from collections.abc import Mapping
from typing import Any

import boto3

from lambdas.application_lifecycle.application import FlinkApplication
from lambdas.application_lifecycle.configuration import PAUSE_RESOURCE
from lambdas.application_lifecycle.lifecycle import Lifecycle
from lambdas.custom_resource import InvocationContext, answer


def handler(event: dict[str, Any], context: InvocationContext) -> None:
    name = event["ResourceProperties"]["ApplicationName"]
    application = FlinkApplication(
        name, service=boto3.client("kinesisanalyticsv2"), metrics=boto3.client("cloudwatch")
    )
    kind = "paused" if event["ResourceType"] == PAUSE_RESOURCE else "running"
    answer(
        event,
        context,
        physical_id=f"{name}-{kind}",
        work=lambda deadline: handle(event, Lifecycle(application), deadline),
    )


def handle(event: Mapping[str, Any], lifecycle: Lifecycle, deadline: float) -> dict[str, str]:
    """Do what CloudFormation asks, and return the resource's attributes; raises LifecycleError."""
    asked = event["ResourceProperties"]["Configuration"]
    raised = raised_generations(event)
    if event["ResourceType"] == PAUSE_RESOURCE:
        if raised > 0:
            return lifecycle.pause(deadline)
        return lifecycle.resume(asked, deadline) if raised < 0 else {}
    if event["RequestType"] == "Delete":
        return lifecycle.stop(deadline)
    return lifecycle.start(asked, deadline, drop_state=raised > 0)


def raised_generations(event: Mapping[str, Any]) -> int:
    """By how much an update raises the generation of the state; a rollback lowers it, and keeps the state."""
    if event["RequestType"] != "Update":
        return 0
    before = event["OldResourceProperties"].get("StateGeneration", "0")
    return int(event["ResourceProperties"]["StateGeneration"]) - int(before)
