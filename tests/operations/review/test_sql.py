"""What becomes of the running state, from the recorded operators of two trees."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from operations.review.findings import Finding, Kind
from operations.review.sql import StateSettings, state_findings, without_comments

RECORD: dict[str, Any] = {
    "next": 3,
    "operators": {
        "source clicks": {"id": 1, "state": None},
        "counts": {"id": 2, "state": {"key": ["VARCHAR"], "calls": ["COUNT"]}},
    },
}
SQL = "-- Counts.\nSELECT 1;\n"


def found(tmp_path: Path, old: Any, new: Any, *, sql: str = SQL, **settings: Any) -> list[Finding]:
    for name, record, text in (("old", old, SQL), ("new", new, sql)):
        folder = tmp_path / name / "analytics_sql"
        folder.mkdir(parents=True)
        (folder / "10.sql").write_text(text)
        if record:
            (folder / "operators.json").write_text(json.dumps(record))
    return list(
        state_findings(
            tmp_path / "old",
            tmp_path / "new",
            StateSettings(**{"retention_hours": 24, "raised": False, **settings}),
        )
    )


def changed(*, numbers: bool = True, **state: Any) -> dict[str, Any]:
    record = copy.deepcopy(RECORD)
    record["operators"]["counts"]["state"] |= state
    if numbers:
        for operator in record["operators"].values():
            operator["id"] += 10
    return record


def test_nothing_is_said_where_nothing_changes(tmp_path: Path) -> None:
    assert found(tmp_path, RECORD, RECORD) == []


def test_other_rules_with_the_same_state_keep_it_and_old_counts_stay(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, RECORD, RECORD, sql="SELECT 2;")
    assert finding.kind is Kind.NOTE
    assert "keeps state" in finding.text
    assert "never lower it" in finding.details[0]


def test_a_comment_keeps_state(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, RECORD, RECORD, sql="-- Better said.\nSELECT 1;\n")
    assert "Only comments" in finding.text


def test_state_of_another_kind_starts_fresh(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, RECORD, changed(calls=["SUM"]), sql="SELECT 2;", raised=True)
    assert finding.kind is Kind.FRESH_STATE
    assert "starts fresh and is rebuilt from the stream within 24 h" in finding.text


def test_another_key_needs_a_replay(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, RECORD, changed(key=["BIGINT"]), sql="SELECT 2;", raised=True)
    assert finding.kind is Kind.REPLAY
    assert "needs a replay" in finding.text


def test_a_key_of_the_same_types_in_another_generation_needs_a_replay(tmp_path: Path) -> None:
    old = {**RECORD, "sinks": {"click-counts": {"generation": 1, "key": ["minute"]}}}
    new = {**changed(), "sinks": {"click-counts": {"generation": 2, "key": ["minute"]}}}
    (finding,) = found(tmp_path, old, new, sql="SELECT 2;", raised=True)
    assert finding.kind is Kind.REPLAY
    assert "`click-counts`" in finding.text


def test_a_key_in_another_order_starts_fresh_and_needs_no_replay(tmp_path: Path) -> None:
    before = changed(numbers=False, key=["gender VARCHAR", "region VARCHAR"])
    after = changed(key=["region VARCHAR", "gender VARCHAR"])
    (finding,) = found(tmp_path, before, after, sql="SELECT 2;", raised=True)
    assert finding.kind is Kind.FRESH_STATE
    assert "the key of `counts` stand in another order" in finding.text


def test_the_first_release_with_numbers_starts_fresh(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, None, RECORD, raised=True)
    assert finding.kind is Kind.FRESH_STATE


def test_a_record_that_is_gone_is_not_understood(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, RECORD, None, sql="SELECT 2;")
    assert finding.kind is Kind.NOT_UNDERSTOOD


def test_a_second_query_counts_from_now_on(tmp_path: Path) -> None:
    more = copy.deepcopy(RECORD)
    more["operators"]["counts by platform"] = {"id": 3, "state": {"key": [], "calls": []}}
    (finding,) = found(tmp_path, RECORD, more, sql="SELECT 2;")
    assert finding.kind is Kind.NOTE
    assert any("`counts by platform` begins with this deployment" in detail for detail in finding.details)


def one_less(**more: Any) -> dict[str, Any]:
    """Without the counts."""
    return {**RECORD, "operators": {"source clicks": RECORD["operators"]["source clicks"]}, **more}


@pytest.mark.parametrize(
    "after", [one_less(removed={"2": "counts"}), one_less(next=2)], ids=["taken away", "not yet added"]
)
def test_an_operator_that_goes_is_said_to_lose_its_state(tmp_path: Path, after: dict[str, Any]) -> None:
    (finding,) = found(tmp_path, RECORD, after, sql="SELECT 2;")
    assert finding.kind is Kind.DATA_LOSS
    assert "The state of `counts` is given up" in finding.text
    assert "AllowNonRestoredState" in finding.text


def test_an_operator_that_goes_without_being_named_is_refused(tmp_path: Path) -> None:
    refused, lost = found(tmp_path, RECORD, one_less(), sql="SELECT 2;")
    assert refused.kind is Kind.FAILS
    assert "`counts` would lose its state" in refused.text
    assert lost.kind is Kind.DATA_LOSS


def test_another_name_is_said_to_lose_the_state_of_the_former(tmp_path: Path) -> None:
    renamed = copy.deepcopy(RECORD)
    renamed["operators"] = {
        name: {**operator, "id": operator["id"] + 10} for name, operator in renamed["operators"].items()
    }
    renamed["operators"]["clicked"] = renamed["operators"].pop("source clicks")
    (finding,) = found(tmp_path, RECORD, renamed, sql="SELECT 2;", raised=True)
    assert finding.kind is Kind.FRESH_STATE
    assert "`source clicks` is gone and `clicked` is new" in finding.text


def test_state_that_is_lost_without_a_raised_generation_fails(tmp_path: Path) -> None:
    findings = found(tmp_path, RECORD, changed(calls=["SUM"]), sql="SELECT 2;")
    assert [finding.kind for finding in findings] == [Kind.FRESH_STATE, Kind.FAILS]
    assert "analytics.state_generation" in findings[1].text


def test_more_tasks_than_a_state_can_be_restored_with_fail(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, RECORD, RECORD, parallelism=(85, 129))
    assert finding.kind is Kind.FAILS
    assert "begun with 85 tasks can be restored with 128 at most" in finding.text


@pytest.mark.parametrize(
    "settings",
    [
        {"parallelism": (85, 128)},
        {"parallelism": (86, 129)},
        {"parallelism": (4, 200), "snapshots": False},
        {"parallelism": None},
    ],
)
def test_as_many_tasks_as_the_state_allows_or_no_state_at_all_do_not(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    assert found(tmp_path, RECORD, RECORD, **settings) == []


def test_a_raised_lateness_accepts_clicks_whose_count_is_forgotten(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, RECORD, RECORD, lateness_hours=(24, 30))
    assert finding.kind is Kind.REPLAY
    assert "more than 24 h old when this is deployed is accepted and not counted" in finding.text
    assert "That ends 6 h after the deployment" in finding.details[0]


@pytest.mark.parametrize("lateness_hours", [(24, 24), (30, 24), None])
def test_any_other_lateness_is_not_mentioned(tmp_path: Path, lateness_hours: tuple[int, int] | None) -> None:
    assert found(tmp_path, RECORD, RECORD, lateness_hours=lateness_hours) == []


@pytest.mark.parametrize(
    ("drops_repeated", "kind", "says"),
    [
        ((False, True), Kind.NOTE, "from this deployment on"),
        ((True, False), Kind.DATA_LOSS, "ids that were remembered are given up"),
    ],
)
def test_dropping_repeated_click_ids_begins_or_ends_and_keeps_the_counts(
    tmp_path: Path, drops_repeated: tuple[bool, bool], kind: Kind, says: str
) -> None:
    (finding,) = found(tmp_path, RECORD, RECORD, drops_repeated=drops_repeated)
    assert finding.kind is kind
    assert says in finding.text
    assert "every count goes on" in finding.text


@pytest.mark.parametrize("both", [False, True])
def test_repeated_click_ids_that_go_on_as_before_are_not_mentioned(tmp_path: Path, both: bool) -> None:
    assert found(tmp_path, RECORD, RECORD, drops_repeated=(both, both)) == []


def test_more_tasks_with_a_raised_generation_start_fresh(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, RECORD, RECORD, parallelism=(4, 200), raised=True)
    assert finding.kind is Kind.FRESH_STATE


def test_without_snapshots_no_change_of_the_sql_keeps_state_and_none_fails_for_it(tmp_path: Path) -> None:
    for folder, record, sql in (
        ("rules", RECORD, "SELECT 2;"),
        ("comment", RECORD, "-- Better said.\nSELECT 1;\n"),
        ("state", changed(calls=["SUM"]), "SELECT 2;"),
    ):
        (finding,) = found(tmp_path / folder, RECORD, record, sql=sql, snapshots=False)
        assert finding.kind is Kind.FRESH_STATE


def test_a_raised_generation_drops_state_that_could_be_kept(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, RECORD, RECORD, raised=True)
    assert finding.kind is Kind.FRESH_STATE
    assert "could be restored" in finding.text


def test_what_looks_like_a_comment_in_a_literal_is_none() -> None:
    assert without_comments("WHERE a = '--x' -- why\n") == "WHERE a = '--x'"
    assert without_comments("SELECT /* all */ 1\n/* two\nlines */") == "SELECT  1"
    assert without_comments("SELECT /*+ STATE_TTL('t'='1d') */ 1") != without_comments("SELECT  1")
