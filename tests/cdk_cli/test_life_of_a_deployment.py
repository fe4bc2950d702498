"""The life of a deployment by the pinned command line, in order: a failed creation, updates, the end.

Each test deploys its starting point; if the one before has done so, that is quick.
"""

import copy
import json
from pathlib import Path

from analytics_sql.main import SQL_FOLDER
from analytics_sql.operators import Record, read_record
from lambdas.application_lifecycle.configuration import LIFECYCLE_RESOURCE
from names import OREGON, TOKYO
from tests.cdk_cli.conftest import Account, Outcome

STACKS = {"TokyoStorage": TOKYO, "OregonStorage": OREGON, "OregonAnalytics": OREGON, "TokyoIngest": TOKYO}


def update(
    account: Account,
    *,
    publish_every_seconds: int = 1,
    state_generation: int = 0,
    operators: Record | None = None,
) -> Outcome:
    """Deploy the application's stack, the only one that these settings change."""
    assembly = account.assembly(
        publish_every_seconds=publish_every_seconds, state_generation=state_generation, operators=operators
    )
    return account.deploy(assembly, account.names.stack("OregonAnalytics"), "--exclusively")


def restore_type(account: Account) -> str:
    run = account.application()["ApplicationConfigurationDescription"]["RunConfigurationDescription"]
    return str(run["ApplicationRestoreConfigurationDescription"]["ApplicationRestoreType"])


def left_behind(account: Account) -> bool:
    """Whether the newest start allowed a snapshot with more than the program."""
    run = account.application()["ApplicationConfigurationDescription"]["RunConfigurationDescription"]
    return bool(run["FlinkRunConfigurationDescription"]["AllowNonRestoredState"])


def query_added() -> Record:
    """This tree's operators, and those of a second query."""
    record = read_record(SQL_FOLDER)
    assert record is not None
    record = copy.deepcopy(record)
    number = record["next"]
    names = ("groupState of platform_counts", "sink platform_counts")
    record["operators"] |= {name: {"id": number + i, "state": None} for i, name in enumerate(names)}
    return {**record, "next": number + len(names)}


def query_removed() -> Record:
    """The operators of the next version, which removes the query."""
    added, first = query_added(), read_record(SQL_FOLDER)
    assert first is not None
    gone = {
        str(operator["id"]): name
        for name, operator in added["operators"].items()
        if name not in first["operators"]
    }
    return {**added, "operators": first["operators"], "removed": gone}


def last_resource_fails(account: Account, assembly: str) -> None:
    """Let the stack create a domain that exists, once the application runs."""
    file = Path(assembly) / f"{account.names.stack('OregonAnalytics')}.template.json"
    template = json.loads(file.read_text("utf-8"))
    [start] = [name for name, one in template["Resources"].items() if one["Type"] == LIFECYCLE_RESOURCE]
    template["Resources"]["Blocked"] = {
        "Type": "AWS::OpenSearchService::Domain",
        "Properties": {"DomainName": account.names.search_domain},
        "DependsOn": [start],
    }
    file.write_text(json.dumps(template), "utf-8")


def started(account: Account) -> int:
    """How often the application was started."""
    operations = account.applications.list_application_operations(
        ApplicationName=account.names.application, Operation="StartApplication"
    )
    return len(operations["ApplicationOperationInfoList"])


def snapshots(account: Account) -> list[str]:
    found = account.applications.list_application_snapshots(ApplicationName=account.names.application)
    return [snapshot["SnapshotName"] for snapshot in found["SnapshotSummaries"]]


def test_the_command_line_deploys_the_projects_own_app(account: Account) -> None:
    listed = account.cdk("list", "-c", "environment=local", "--output", str(account.home / "local"))
    listed.check()
    for stack in ("TokyoStorage", "OregonStorage", "OregonAnalytics", "TokyoIngest"):
        assert f"ClickTrends-local-{stack}" in listed.text


def test_a_failed_first_storage_stack_leaves_no_name_and_deploys_next_time(
    account: Account,
) -> None:
    blocker = account.emulator.client("opensearch", OREGON)
    blocker.create_domain(DomainName=account.names.search_domain)
    assembly = account.assembly()
    failed = account.deploy(assembly, account.names.stack("OregonStorage"))
    assert not failed.succeeded
    assert "CREATE_COMPLETE" in failed.text  # of earlier resources
    assert account.status("OregonStorage") == "ROLLBACK_COMPLETE"
    assert account.data() == {account.names.search_domain}

    blocker.delete_domain(DomainName=account.names.search_domain)
    account.deploy(assembly).check()
    assert {account.status(stack, region) for stack, region in STACKS.items()} == {"CREATE_COMPLETE"}
    assert account.application()["ApplicationStatus"] == "RUNNING"
    assert account.data() == account.everything()


def test_an_update_reaches_the_running_application(account: Account) -> None:
    account.deploy(account.assembly()).check()
    update(account, publish_every_seconds=2).check()
    assert account.status("OregonAnalytics") == "UPDATE_COMPLETE"
    assert account.application()["ApplicationStatus"] == "RUNNING"
    assert account.publish_interval_ms() == 2_000
    assert any(name.startswith("UPDATEAPPLICATION") for name in snapshots(account))


def test_an_update_the_service_undoes_fails_with_its_reason(
    account: Account,
) -> None:
    update(account, publish_every_seconds=2).check()
    account.let_fail(update="Cannot map the state of operator 8 to the new program")
    failed = update(account, publish_every_seconds=3)
    assert not failed.succeeded
    said = " ".join(failed.text.split())
    assert "checkpoint interval in ms is 2000 instead of 3000" in said
    assert "Cannot map the state of operator 8 to the new program" in said
    assert account.status("OregonAnalytics") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.application()["ApplicationStatus"] == "RUNNING"
    assert account.publish_interval_ms() == 2_000


def test_a_raised_generation_starts_once_without_state_after_a_snapshot(
    account: Account,
) -> None:
    update(account).check()
    before = snapshots(account)
    update(account, publish_every_seconds=4, state_generation=1).check()
    assert restore_type(account) == "SKIP_RESTORE_FROM_SNAPSHOT"
    assert account.publish_interval_ms() == 4_000
    made = [name for name in snapshots(account) if name not in before]
    assert [name.split("-")[0] for name in made] == ["STOP"]

    starts = started(account)
    update(account, publish_every_seconds=5, state_generation=1).check()
    assert started(account) == starts


def test_a_failed_start_without_state_returns_to_the_former_snapshot(
    account: Account,
) -> None:
    update(account, publish_every_seconds=5, state_generation=1).check()
    account.let_fail(start="main.py: no such table")
    failed = update(account, publish_every_seconds=6, state_generation=2)
    assert not failed.succeeded
    assert "main.py: no such table" in " ".join(failed.text.split())
    assert account.status("OregonAnalytics") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.application()["ApplicationStatus"] == "RUNNING"
    assert account.publish_interval_ms() == 5_000
    assert restore_type(account) == "RESTORE_FROM_LATEST_SNAPSHOT"


def test_a_change_refused_during_a_pause_leaves_the_former_version_running(
    account: Account,
) -> None:
    update(account, publish_every_seconds=5, state_generation=1).check()
    account.let_fail(update="InvalidApplicationConfigurationException: no such runtime")
    failed = update(account, publish_every_seconds=6, state_generation=3)
    assert not failed.succeeded
    assert "no such runtime" in " ".join(failed.text.split())
    assert account.status("OregonAnalytics") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.application()["ApplicationStatus"] == "RUNNING"
    assert account.publish_interval_ms() == 5_000
    assert restore_type(account) == "RESTORE_FROM_LATEST_SNAPSHOT"


def test_a_failed_added_query_is_rolled_back_without_its_operators(
    account: Account,
) -> None:
    update(account).check()
    before = snapshots(account)
    assembly = account.assembly(publish_every_seconds=7, operators=query_added())
    last_resource_fails(account, assembly)
    failed = account.deploy(assembly, account.names.stack("OregonAnalytics"), "--exclusively")
    assert not failed.succeeded
    assert account.status("OregonAnalytics") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.application()["ApplicationStatus"] == "RUNNING"
    made = [name.split("-")[0] for name in snapshots(account) if name not in before]
    assert made == ["UPDATEAPPLICATION", "STOP"]
    assert (restore_type(account), left_behind(account)) == ("RESTORE_FROM_LATEST_SNAPSHOT", True)


def test_a_query_is_added_in_place_and_removed_leaving_its_state_behind(
    account: Account,
) -> None:
    update(account).check()
    update(account, operators=query_added()).check()
    before = snapshots(account)
    update(account, operators=query_removed()).check()
    made = [name.split("-")[0] for name in snapshots(account) if name not in before]
    assert made == ["STOP"]
    assert (restore_type(account), left_behind(account)) == ("RESTORE_FROM_LATEST_SNAPSHOT", True)

    update(account, publish_every_seconds=2, operators=query_removed()).check()
    assert not left_behind(account)  # an update in place no longer allows it


def test_a_failed_removal_returns_to_the_snapshot_with_all_state(account: Account) -> None:
    update(account).check()
    update(account, operators=query_added()).check()
    account.let_fail(start="main.py: no such table")
    failed = update(account, operators=query_removed())
    assert not failed.succeeded
    assert "main.py: no such table" in " ".join(failed.text.split())
    assert account.status("OregonAnalytics") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.application()["ApplicationStatus"] == "RUNNING"
    assert (restore_type(account), left_behind(account)) == ("RESTORE_FROM_LATEST_SNAPSHOT", False)


def test_a_removal_that_the_service_refuses_leaves_the_former_version_running(
    account: Account,
) -> None:
    update(account).check()
    update(account, operators=query_added()).check()
    account.let_fail(update="InvalidApplicationConfigurationException: no such runtime")
    failed = update(account, publish_every_seconds=2, operators=query_removed())
    assert not failed.succeeded
    assert account.status("OregonAnalytics") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.application()["ApplicationStatus"] == "RUNNING"
    assert (restore_type(account), left_behind(account)) == ("RESTORE_FROM_LATEST_SNAPSHOT", False)


def test_losing_state_that_no_record_gives_up_is_refused_first(
    account: Account,
) -> None:
    update(account, operators=query_added()).check()
    before, starts = snapshots(account), started(account)
    failed = update(account, operators={**query_removed(), "removed": {}})
    assert not failed.succeeded
    said = " ".join(failed.text.split())
    assert "would lose the state of groupState of platform_counts, sink platform_counts" in said
    assert account.status("OregonAnalytics") == "UPDATE_ROLLBACK_COMPLETE"
    assert account.application()["ApplicationStatus"] == "RUNNING"
    assert (snapshots(account), started(account)) == (before, starts)


def test_a_storage_stack_in_use_cannot_be_deleted(account: Account) -> None:
    assembly = account.assembly()
    account.deploy(assembly).check()
    for stack, region in (("OregonStorage", OREGON), ("TokyoStorage", TOKYO)):
        refused = account.destroy(assembly, account.names.stack(stack), "--exclusively")
        assert not refused.succeeded
        assert account.status(stack, region) in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_with_both_keys_nothing_is_left(account: Account) -> None:
    account.deploy(account.assembly()).check()
    assembly = account.assembly(allow_destroy=True, destroy=True)
    account.deploy(assembly).check()  # so that the stacks know that data may go
    account.destroy(assembly).check()
    assert account.data() == set()


def test_data_outlives_all_stacks_and_redeployment_without_both_keys(
    account: Account,
) -> None:
    assembly = account.assembly()
    account.deploy(assembly).check()
    account.destroy(assembly).check()
    assert {account.status(stack, region) for stack, region in STACKS.items()} == {None}
    assert account.data() == account.everything()

    assert not account.deploy(assembly).succeeded  # the names exist
    assert account.data() == account.everything()
