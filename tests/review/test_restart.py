"""What is said of a restart of the application: with its state only where it takes snapshots."""

import json
from pathlib import Path

import pytest

from review.assembly import Assembly
from review.differences import differences
from review.effects import effect_findings
from review.figures import NONE
from review.page import page
from review.report import review
from review.restart import APPLICATION, DROPPING_STATE, LIFECYCLE, WITH_SNAPSHOT, restart
from review.revisions import Revision
from tests.review.handmade import one, resource
from tests.review.test_sql import RECORD


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
    (finding,) = effect_findings(differences(application(1, True), application(2, True)))
    assert "stops with a snapshot and starts again" in finding.details[0]


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True), (False, False), (None, None)])
def test_without_snapshots_on_both_sides_a_restart_begins_without_state(
    before: bool | None, after: bool | None
) -> None:
    findings = effect_findings(differences(application(1, before), application(2, after)))
    for finding in findings:
        assert "stops without a snapshot and starts again without its state" in finding.details[0]


def test_a_raised_generation_begins_without_the_snapshot_that_it_takes() -> None:
    def raised(generation: int) -> Assembly:
        (stack,) = application(1, True).stacks
        return one({**stack.resources, "L": resource(LIFECYCLE, StateGeneration=generation)})

    assert restart(raised(0), raised(1)) == DROPPING_STATE
    assert restart(raised(1), raised(1)) == restart(raised(1), raised(0)) == WITH_SNAPSHOT
    assert restart(application(1, True), raised(3)) == WITH_SNAPSHOT


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
