"""After a deployment the newest ten snapshots stay; deletions never fail the deployment."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lambdas.application_lifecycle.service import DEADLINE, FlinkService
from tests.lambdas.application_lifecycle.test_lifecycle import start


def test_the_newest_ten_snapshots_stay_once_the_job_runs() -> None:
    service = FlinkService("RUNNING", snapshots=("READY",) * 13)
    assert start(service) == {"Status": "RUNNING"}
    assert sorted(service.deleted) == [0, 1, 2]


def test_only_restorable_snapshots_count_and_are_deleted() -> None:
    service = FlinkService("RUNNING", snapshots=("READY", "FAILED", "CREATING", "DELETING", *("READY",) * 10))
    start(service)
    assert service.deleted == [0]


@pytest.mark.parametrize("snapshots", [0, 1, 10])
def test_up_to_ten_snapshots_all_stay(snapshots: int) -> None:
    service = FlinkService("RUNNING", snapshots=("READY",) * snapshots)
    start(service)
    assert service.deleted == []


def test_nothing_is_deleted_while_the_job_does_not_run() -> None:
    service = FlinkService("RUNNING", snapshots=("READY",) * 13, job_after_seconds=None)
    with pytest.raises(Exception, match="no job has run"):
        start(service)
    assert service.deleted == []


def test_a_refused_deletion_lets_the_deployment_succeed() -> None:
    service = FlinkService("RUNNING", snapshots=("READY",) * 13)

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DeleteApplicationSnapshot")

    service.delete_application_snapshot = refuse  # type: ignore[method-assign,assignment]
    assert start(service) == {"Status": "RUNNING"}


def test_deletions_beyond_the_functions_time_wait_for_the_next_deployment() -> None:
    service = FlinkService("RUNNING", snapshots=("READY",) * 100)
    service.seconds_a_deletion = 100.0
    assert start(service) == {"Status": "RUNNING"}
    assert 0 < len(service.deleted) < 10
    assert service.seconds < DEADLINE + service.seconds_a_deletion
