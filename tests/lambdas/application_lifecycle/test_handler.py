"""CloudFormation's requests: which state is kept, left behind or dropped."""

from typing import Any

import pytest

from lambdas.application_lifecycle.configuration import LIFECYCLE_RESOURCE, PAUSE_RESOURCE
from lambdas.application_lifecycle.handler import handle
from lambdas.application_lifecycle.running_configuration import differences
from lambdas.application_lifecycle.state import StateLossError, deployed_operators
from tests.lambdas.application_lifecycle.service import ASKED, DEADLINE, FlinkService

HAS_RUN = (("StartApplication", "SUCCESSFUL", ""),)


def version(
    following: int, *operators: int, removed: tuple[int, ...] = (), off: tuple[int, ...] = ()
) -> dict[str, Any]:
    """A version's operators as deployed, with these numbers, each named after its own. off: optional ones
    that the settings turn off."""
    named = {f"operator {number}": {"id": number, "state": None} for number in operators}
    optional = {f"operator {number}": {"id": number, "state": None, "optional": True} for number in off}
    return deployed_operators(
        {
            "next": following,
            "operators": named | optional,
            "removed": {str(number): f"operator {number}" for number in removed},
        },
        with_optional=False,
    )


FIRST = version(3, 1, 2)
ONE_ADDED = version(4, 1, 2, 3)
ONE_REMOVED = version(4, 1, 2, removed=(3,))
ONE_OFF = version(4, 1, 2, off=(3,))
RENUMBERED = version(6, 4, 5)
OTHER_BRANCH = version(4, 1, 2, 3)
OTHER_BRANCH["numbered"]["3"] = "another operator"
BY_HAND = version(4, 1, 2)
"""ONE_REMOVED without naming what it removes."""


def changed(
    resource_type: str, former: dict[str, Any] | None, now: dict[str, Any] | None, *, raised: int = 0
) -> dict[str, Any]:
    """An update between versions; None: a version from before operators were deployed."""
    event = request(resource_type, "Update", generation=raised, former_generation=0)
    for properties, operators in (("OldResourceProperties", former), ("ResourceProperties", now)):
        if operators is not None:
            event[properties]["Operators"] = operators
    return event


def request(
    resource_type: str, request_type: str, *, generation: int = 0, former_generation: int | None = None
) -> dict[str, Any]:
    """A request as CloudFormation sends it, with numbers as text."""
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


def test_raising_the_generation_pauses_the_application_before_the_change() -> None:
    service = FlinkService("RUNNING")
    assert handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=0)) == {}
    assert service.stops == [False]


@pytest.mark.parametrize("request_type", ["Create", "Delete"])
def test_creating_and_deleting_the_pause_leaves_the_application_alone(request_type: str) -> None:
    service = FlinkService("RUNNING")
    assert handled(service, request(PAUSE_RESOURCE, request_type, generation=1)) == {}
    assert service.stops == []


def test_a_rollback_of_the_pause_starts_the_former_version_it_stopped() -> None:
    """If the change itself was refused, CloudFormation does not reach the lifecycle again."""
    service = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=2))
    assert service.restore_types == ["RESTORE_FROM_LATEST_SNAPSHOT"]


@pytest.mark.parametrize("seen", ["RUNNING", "READY/newer.zip", "GONE", "STARTING"])
def test_a_rollback_of_the_pause_touches_only_the_stopped_former_version(seen: str) -> None:
    service = FlinkService(seen, snapshots=("READY",), operations=HAS_RUN)
    assert handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=2)) == {}
    assert (service.restore_types, service.stops) == ([], [])


@pytest.mark.parametrize("status", ["RUNNING", "STARTING"])
def test_a_rollback_of_the_pause_stops_a_newer_version_without_a_snapshot(status: str) -> None:
    """If the deployment failed after the newer version started, CloudFormation would update it in place, and
    the former code cannot read the newer snapshot."""
    service = FlinkService(f"{status}/newer.zip", snapshots=("READY",), operations=HAS_RUN)
    assert handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=2)) == {}
    assert (service.restore_types, service.stops) == ([], [True])


def test_any_other_update_leaves_it_running() -> None:
    service = FlinkService("RUNNING")
    handled(service, request(PAUSE_RESOURCE, "Update", generation=1, former_generation=1))
    assert service.stops == []


def test_a_deletion_stops_it() -> None:
    service = FlinkService("RUNNING")
    assert handled(service, request(LIFECYCLE_RESOURCE, "Delete")) == {}
    assert service.stops == [False]


@pytest.mark.parametrize(
    ("former", "now"),
    [
        (ONE_ADDED, ONE_REMOVED),
        (ONE_ADDED, FIRST),
        (version(5, 1, 2, 3, 4), version(5, 1, removed=(2, 3, 4))),
        (ONE_ADDED, ONE_OFF),
    ],
    ids=["a removal", "an addition rolled back", "three removals at once", "one turned off"],
)
def test_a_version_with_fewer_operators_may_leave_them_behind_after_a_pause(
    former: dict[str, Any], now: dict[str, Any]
) -> None:
    running = FlinkService("RUNNING/former.zip")
    assert handled(running, changed(PAUSE_RESOURCE, former, now)) == {}
    assert running.stops == [False]
    stopped = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(stopped, changed(LIFECYCLE_RESOURCE, former, now))
    assert (stopped.restore_types, stopped.allowed) == (["RESTORE_FROM_LATEST_SNAPSHOT"], [True])


@pytest.mark.parametrize(
    ("former", "now"),
    [
        (FIRST, FIRST),
        (FIRST, ONE_ADDED),
        (ONE_REMOVED, ONE_REMOVED),
        (None, FIRST),
        (ONE_ADDED, None),
        (FIRST, ONE_OFF),
        (ONE_OFF, ONE_ADDED),
    ],
    ids=[
        "other rules",
        "an addition",
        "a version later",
        "the first numbers",
        "before them",
        "the first with one that is off",
        "one turned on, however long it was off",
    ],
)
def test_any_other_version_needs_no_pause_and_leaves_nothing_behind(
    former: dict[str, Any] | None, now: dict[str, Any] | None
) -> None:
    running = FlinkService("RUNNING/former.zip")
    assert handled(running, changed(PAUSE_RESOURCE, former, now)) == {}
    assert running.stops == []
    stopped = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(stopped, changed(LIFECYCLE_RESOURCE, former, now))
    assert stopped.allowed == [False]


@pytest.mark.parametrize("resource_type", [PAUSE_RESOURCE, LIFECYCLE_RESOURCE])
@pytest.mark.parametrize(
    ("former", "now", "lost"),
    [
        (FIRST, RENUMBERED, "operator 1, operator 2"),
        (ONE_ADDED, OTHER_BRANCH, "operator 3"),
        (ONE_ADDED, BY_HAND, "operator 3"),
    ],
    ids=["new numbers", "a number of another branch", "a record that does not name it"],
)
def test_losing_state_that_no_release_gave_up_is_refused_first(
    resource_type: str, former: dict[str, Any], now: dict[str, Any], lost: str
) -> None:
    code = "/former.zip" if resource_type == PAUSE_RESOURCE else ""
    service = FlinkService(f"RUNNING{code}" if code else "READY", snapshots=("READY",), operations=HAS_RUN)
    with pytest.raises(StateLossError, match=rf"analytics would lose the state of {lost}, and no release"):
        handled(service, changed(resource_type, former, now))
    assert (service.stops, service.restore_types) == ([], [])


@pytest.mark.parametrize(("former", "now"), [(RENUMBERED, FIRST), (OTHER_BRANCH, ONE_ADDED)])
def test_the_rollback_of_a_refused_version_leaves_the_former_one_running(
    former: dict[str, Any], now: dict[str, Any]
) -> None:
    service = FlinkService("RUNNING")
    assert handled(service, changed(PAUSE_RESOURCE, former, now)) == {}
    assert (service.stops, service.restore_types) == ([], [])


def test_a_raised_generation_drops_what_no_release_gave_up() -> None:
    running = FlinkService("RUNNING/former.zip")
    handled(running, changed(PAUSE_RESOURCE, FIRST, RENUMBERED, raised=1))
    assert running.stops == [False]
    stopped = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(stopped, changed(LIFECYCLE_RESOURCE, FIRST, RENUMBERED, raised=1))
    assert (stopped.restore_types, stopped.allowed) == (["SKIP_RESTORE_FROM_SNAPSHOT"], [False])


def test_the_rollback_of_a_removal_returns_to_the_snapshot_with_the_state() -> None:
    newer = FlinkService("RUNNING/newer.zip")
    handled(newer, changed(PAUSE_RESOURCE, ONE_REMOVED, ONE_ADDED))
    assert newer.stops == [True]  # a snapshot of the newer version would lack it
    stopped = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(stopped, changed(LIFECYCLE_RESOURCE, ONE_REMOVED, ONE_ADDED))
    assert (stopped.restore_types, stopped.allowed) == (["RESTORE_FROM_LATEST_SNAPSHOT"], [False])


def test_the_rollback_of_a_refused_removal_restarts_the_former_version() -> None:
    service = FlinkService("READY", snapshots=("READY",), operations=HAS_RUN)
    handled(service, changed(PAUSE_RESOURCE, ONE_REMOVED, ONE_ADDED))
    assert (service.restore_types, service.allowed) == (["RESTORE_FROM_LATEST_SNAPSHOT"], [False])


def test_the_rollback_of_an_addition_the_service_undid_leaves_it_running() -> None:
    service = FlinkService("RUNNING")
    assert handled(service, changed(PAUSE_RESOURCE, ONE_ADDED, FIRST)) == {}
    assert (service.stops, service.restore_types) == ([], [])


def test_a_first_start_leaves_nothing_behind() -> None:
    service = FlinkService("READY")
    handled(service, request(LIFECYCLE_RESOURCE, "Create"))
    assert service.allowed == [False]


def test_each_difference_is_named_with_both_values() -> None:
    running = {**ASKED, "code": "old.zip", "clicks/format": "csv", "clicks/extra": "1"}
    del running["checks/max-age-seconds"]
    assert differences(ASKED, running) == [
        "code is old.zip instead of new.zip",
        "clicks/format is csv instead of json",
        "checks/max-age-seconds is not set instead of 86400",
        "clicks/extra is 1 instead of not set",
    ]
