"""What CloudFormation's requests become: when the state is dropped, and when it is not."""

from typing import Any

import pytest

from lambdas.application_lifecycle.configuration import LIFECYCLE_RESOURCE, PAUSE_RESOURCE, differences
from lambdas.application_lifecycle.handler import handle
from tests.application_lifecycle.service import ASKED, DEADLINE, FlinkService

HAS_RUN = (("StartApplication", "SUCCESSFUL", ""),)


def request(
    resource_type: str, request_type: str, *, generation: int = 0, former_generation: int | None = None
) -> dict[str, Any]:
    """As CloudFormation sends it: numbers are text."""
    properties: dict[str, Any] = {
        "ApplicationName": "analytics",
        "StateGeneration": str(generation),
        "Configuration": ASKED,
    }
    former = {} if former_generation is None else {"StateGeneration": str(former_generation)}
    return {
        "ResourceType": resource_type,
        "RequestType": request_type,
        "ResourceProperties": properties,
        **({"OldResourceProperties": former} if request_type == "Update" else {}),
    }


def handled(service: FlinkService, event: dict[str, Any]) -> dict[str, str]:
    return handle(event, service.lifecycle(), DEADLINE)


@pytest.mark.parametrize("former", [None, 0, 9])
def test_an_update_that_raises_the_generation_drops_the_state(former: int | None) -> None:
    service = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(service, request(LIFECYCLE_RESOURCE, "Update", generation=10, former_generation=former))
    assert service.restore_types == ["SKIP_RESTORE_FROM_SNAPSHOT"]


@pytest.mark.parametrize("generation", [0, 3])
def test_an_update_that_leaves_the_generation_keeps_the_state(generation: int) -> None:
    service = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(
        service, request(LIFECYCLE_RESOURCE, "Update", generation=generation, former_generation=generation)
    )
    assert service.restore_types == ["RESTORE_FROM_LATEST_SNAPSHOT"]


def test_a_rollback_lowers_the_generation_and_keeps_the_state() -> None:
    service = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(service, request(LIFECYCLE_RESOURCE, "Update", generation=1, former_generation=2))
    assert service.restore_types == ["RESTORE_FROM_LATEST_SNAPSHOT"]


def test_an_update_that_raises_the_generation_pauses_the_application_before_it_is_changed() -> None:
    service = FlinkService("RUNNING")
    assert handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=0)) == {}
    assert service.stops == [False]


@pytest.mark.parametrize("request_type", ["Create", "Delete"])
def test_making_and_deleting_the_pause_leaves_the_application_alone(request_type: str) -> None:
    service = FlinkService("RUNNING")
    assert handled(service, request(PAUSE_RESOURCE, request_type, generation=1)) == {}
    assert service.stops == []


def test_a_rollback_of_the_pause_starts_the_former_version_that_it_had_stopped() -> None:
    """Where the change itself was refused, CloudFormation does not come to the lifecycle again."""
    service = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=2))
    assert service.restore_types == ["RESTORE_FROM_LATEST_SNAPSHOT"]


@pytest.mark.parametrize("seen", ["RUNNING", "READY/newer.zip", "GONE", "STARTING"])
def test_a_rollback_of_the_pause_leaves_alone_what_is_not_the_stopped_former_version(seen: str) -> None:
    service = FlinkService(seen, snapshots=("READY",), operations=HAS_RUN)
    assert handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=2)) == {}
    assert (service.restore_types, service.stops) == ([], [])


@pytest.mark.parametrize("status", ["RUNNING", "STARTING"])
def test_a_rollback_of_the_pause_stops_a_newer_version_without_a_snapshot(status: str) -> None:
    """Where the deployment failed after the newer version had started: CloudFormation would update it in
    place, and the former code cannot read the newer one's snapshot."""
    service = FlinkService(f"{status}/newer.zip", snapshots=("READY",), operations=HAS_RUN)
    assert handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=2)) == {}
    assert (service.restore_types, service.stops) == ([], [True])


def test_any_other_update_does_not_pause_it() -> None:
    service = FlinkService("RUNNING")
    handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=1))
    assert service.stops == []


def test_a_deletion_stops_it() -> None:
    service = FlinkService("RUNNING")
    assert handled(service, request(LIFECYCLE_RESOURCE, "Delete")) == {}
    assert service.stops == [False]


def test_each_difference_is_named_with_both_values() -> None:
    running = {**ASKED, "code": "old.zip", "clicks/format": "csv", "clicks/extra": "1"}
    del running["checks/max-age-seconds"]
    assert differences(ASKED, running) == [
        "code is old.zip instead of new.zip",
        "clicks/format is csv instead of json",
        "checks/max-age-seconds is not set instead of 86400",
        "clicks/extra is 1 instead of not set",
    ]
