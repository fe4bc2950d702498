"""Start the analytics application after a deployment, and stop it with a snapshot before its deletion.

CloudFormation creates and updates the application but never starts it. The service restarts a running
application at an update, from a snapshot, and lets no state be left behind. This function implements two
resources:

- `Custom::ApplicationLifecycle`, after the application: it runs as deployed, or the deployment fails;
- `Custom::ApplicationPause`, before the application: stops it with a snapshot if its new version cannot read
  all of the state (`StateGeneration` was raised, or operators are gone). The other resource then starts it,
  and says what may be left behind.

A rollback reaches the pause first too. It leaves a version with more operators in the same way. A version
that cannot be left so is stopped without a snapshot, and the former version's stays the latest. If the change
itself was refused, CloudFormation never reaches the lifecycle resource, and the pause starts the former
version.
"""

from collections.abc import Mapping
from typing import Any

import boto3

from lambdas.application_lifecycle.application import FlinkApplication
from lambdas.application_lifecycle.configuration import (
    APPLICATION_NAME,
    PAUSE_RESOURCE,
    LifecycleConfiguration,
)
from lambdas.application_lifecycle.lifecycle import Lifecycle
from lambdas.application_lifecycle.state import StateChange, state_change
from lambdas.shared.custom_resource import InvocationContext, answer


def handler(event: dict[str, Any], context: InvocationContext) -> None:
    name = event["ResourceProperties"][APPLICATION_NAME]
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
    """Do what CloudFormation requests, and return the resource's attributes. Raises LifecycleError or
    StateLossError."""
    configuration = LifecycleConfiguration.read(event)
    change = StateChange()
    if event["RequestType"] == "Update":
        change = state_change(event["OldResourceProperties"], event["ResourceProperties"])
    if configuration.pauses:
        return lifecycle.prepare(configuration.asked, deadline, change)
    if event["RequestType"] == "Delete":
        return lifecycle.stop(deadline)
    return lifecycle.start(configuration.asked, deadline, change)
