"""What is said of a restart of the application: with its state only where it takes snapshots."""

import json
from pathlib import Path
from typing import Any

import pytest

from lambdas.application_lifecycle.configuration import LIFECYCLE_RESOURCE
from operations.review.assembly import Assembly
from operations.review.differences import differences
from operations.review.effects import update_findings
from operations.review.figures import NONE
from operations.review.page import page
from operations.review.report import review
from operations.review.restart import (
    APPLICATION,
    DROPPING_STATE,
    FORMER_STREAM,
    NOT_KNOWN,
    WITH_SNAPSHOT,
    restart,
)
from operations.review.revisions import Revision
from tests.lambdas.application_lifecycle.test_handler import BY_HAND, FIRST, ONE_ADDED, ONE_REMOVED
from tests.operations.review.small_assemblies import one, resource
from tests.operations.review.test_sql import RECORD


def application(parallelism: int, snapshots: bool | None) -> Assembly:
    """snapshots: None where the template says nothing of them."""
    written = {} if snapshots is None else {"SnapshotsEnabled": snapshots}
    configuration = {
        "ApplicationSnapshotConfiguration": written,
        "FlinkApplicationConfiguration": {"ParallelismConfiguration": {"Parallelism": parallelism}},
    }
    return one({"A": resource(APPLICATION, ApplicationName="a", ApplicationConfiguration=configuration)})


def tree(folder: Path, name: str) -> Path:
    """With other SQL, of the same state, and other Java for each name."""
    for path, text in {
        "analytics_sql/10.sql": f"SELECT '{name}';\n",
        "analytics_sql/operators.json": json.dumps(RECORD),
        "connectors/src/main/java/Join.java": f"class {name} {{}}",
    }.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder / name


def test_with_snapshots_a_restart_loses_nothing() -> None:
    (finding,) = update_findings(differences(application(1, True), application(2, True)))
    assert "stops with a snapshot and starts again" in finding.details[0]


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True), (False, False), (None, None)])
def test_without_snapshots_on_both_sides_a_restart_begins_without_state(
    before: bool | None, after: bool | None
) -> None:
    findings = list(update_findings(differences(application(1, before), application(2, after))))
    assert findings
    for finding in findings:
        assert "stops without a snapshot and starts again without its state" in finding.details[0]


def with_lifecycle(**properties: Any) -> Assembly:
    (stack,) = application(1, True).stacks
    return one({**stack.resources, "L": resource(LIFECYCLE_RESOURCE, **properties)})


def test_a_raised_generation_begins_without_the_snapshot_that_it_takes() -> None:
    def raised(generation: int) -> Assembly:
        return with_lifecycle(StateGeneration=generation)

    assert restart(raised(0), raised(1)) == DROPPING_STATE
    assert restart(raised(1), raised(1)) == restart(raised(1), raised(0)) == WITH_SNAPSHOT
    assert restart(application(1, True), raised(3)) == WITH_SNAPSHOT


@pytest.mark.parametrize(
    ("former", "now", "said"),
    [
        (ONE_ADDED, ONE_REMOVED, "starts from it **without the state of `operator 3`**"),
        (ONE_ADDED, FIRST, "starts from it **without the state of `operator 3`**"),
        (ONE_ADDED, BY_HAND, "refused before the application is touched**: the state of `operator 3`"),
        (FIRST, ONE_ADDED, "none is lost"),
    ],
)
def test_a_restart_that_leaves_state_behind_says_whose(
    former: dict[str, object], now: dict[str, object], said: str
) -> None:
    before, after = (with_lifecycle(StateGeneration=0, Operators=operators) for operators in (former, now))
    assert said in restart(before, after)


def test_another_source_stream_is_said_to_be_unread_behind_a_state_of_the_former() -> None:
    def reading(stream: str, generation: int = 0) -> Assembly:
        return with_lifecycle(StateGeneration=generation, Configuration={"clicks/stream.arn": stream})

    assert restart(reading("source"), reading("clicks")) == FORMER_STREAM
    assert restart(reading("source"), reading("clicks", generation=1)) == DROPPING_STATE
    assert restart(reading("source"), reading("source")) == WITH_SNAPSHOT


@pytest.mark.parametrize(
    "properties",
    [{}, {"StateGeneration": {"Ref": "P"}}, {"StateGeneration": 0, "Operators": ["?"]}],
)
def test_a_lifecycle_that_is_not_understood_is_not_called_harmless(properties: dict[str, object]) -> None:
    known = with_lifecycle(StateGeneration=0, Operators=FIRST)
    assert restart(known, with_lifecycle(**properties)) == NOT_KNOWN


@pytest.mark.parametrize("snapshots", [True, False])
def test_the_whole_page_agrees_on_whether_state_is_kept(tmp_path: Path, snapshots: bool) -> None:
    def revision(name: str, made: Assembly) -> Revision:
        return Revision(name=name, tree=tree(tmp_path, name), assembly=made, settings={}, figures=NONE)

    report = review(
        "production",
        revision("old", application(1, True)),
        revision("new", application(2, snapshots)),
    )
    told = page(report)
    assert ("with a snapshot" in told) is snapshots
    assert ("**keeps state**" in told) is snapshots
    assert ("starts fresh" in told) is not snapshots
