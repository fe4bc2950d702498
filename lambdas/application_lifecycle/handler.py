"""Start the analytics application after a deployment, stop it with a snapshot before its deletion.

CloudFormation creates and updates the application but never starts it. An update of a running application
restarts it by itself, from a snapshot, and allows no state to be left behind. Two resources of a template are
this function's work:

- `Custom::ApplicationLifecycle`, after the application: it runs as deployed, or the deployment fails;
- `Custom::ApplicationPause`, before the application: it stops it with a snapshot where its new version cannot
  read all of the state (`StateGeneration` was raised, or operators are gone), so that the other resource
  starts it, and says what may be left behind. A rollback comes here first too: it leads back from a version
  with more operators in the same way. A version that cannot go back so is stopped without a snapshot, and
  the former one's is the latest. If the change itself was refused, CloudFormation never came to the other
  resource: then the former version is started here.
"""

from collections.abc import Mapping
from typing import Any

import boto3

from lambdas.application_lifecycle.application import FlinkApplication
from lambdas.application_lifecycle.configuration import PAUSE_RESOURCE
from lambdas.application_lifecycle.lifecycle import Lifecycle
from lambdas.application_lifecycle.state import StateChange, state_change
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
    """Do what CloudFormation asks, and return the resource's attributes; raises LifecycleError or
    StateLossError."""
    asked = event["ResourceProperties"]["Configuration"]
    change = StateChange()
    if event["RequestType"] == "Update":
        change = state_change(event["OldResourceProperties"], event["ResourceProperties"])
    if event["ResourceType"] == PAUSE_RESOURCE:
        return lifecycle.prepare(asked, deadline, change)
    if event["RequestType"] == "Delete":
        return lifecycle.stop(deadline)
    return lifecycle.start(asked, deadline, change)
