"""The page itself: it fits a comment, nothing in it can hide what follows, and it tells of an old branch."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from operations.review.assembly import Assembly
from operations.review.figures import NONE
from operations.review.findings import MEANINGS, Finding, Kind
from operations.review.page import MAX_PAGE_CHARACTERS, page
from operations.review.report import Report, review
from operations.review.revisions import Revision
from operations.review.sql import FileDiff
from operations.review.verdict import failing, verdict
from tests.conftest import PROJECT
from tests.operations.review.small_assemblies import one, resource


@pytest.fixture
def report(tmp_path: Path) -> Report:
    def revision(name: str, shards: int) -> Revision:
        assembly = one({"S": resource("AWS::Kinesis::Stream", Name="clicks", ShardCount=shards)})
        return Revision(name=name, tree=tmp_path, assembly=assembly, settings={}, figures=NONE)

    return review("production", revision("main", 1), revision("this tree", 2))


def test_a_page_fits_a_comment_whatever_is_in_it_and_says_what_is_cut(report: Report) -> None:
    loss = Finding(kind=Kind.DATA_LOSS, text="The clicks are lost.")
    long = FileDiff(path="analytics_sql/50_counts.sql", unified="\n".join(["+ SELECT a line"] * 10_000))
    text = page(replace(report, data=(loss,), sql_diffs=(long,)))
    assert len(text) <= MAX_PAGE_CHARACTERS
    assert "The clicks are lost." in text
    assert "Cut here" in text
    assert text.count("```") % 2 == 0


def test_a_text_cannot_hide_what_follows(report: Report) -> None:
    reason = "As agreed <details><!-- \n# Nothing"
    text = page(replace(report, acknowledgements=(f"**Newly accepted:** `IAM5`. Reason given: {reason}",)))
    assert "&lt;details>&lt;!-- " in text
    assert "\n# Nothing" not in text


def test_a_fence_in_the_sql_does_not_end_its_diff(report: Report) -> None:
    text = page(replace(report, sql_diffs=(FileDiff(path="a.sql", unified="+-- ```\n+# Nothing"),)))
    assert "\n````diff\n" in text


def test_a_branch_that_lacks_commits_of_its_base_is_told(report: Report) -> None:
    behind = replace(report, base=replace(report.base, ahead=3))
    assert "**main has 3 commits that this tree lacks" in page(behind)
    assert "lacks" not in page(report)


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        (Kind.PUBLIC, {Kind.PUBLIC, Kind.WILDCARD, Kind.ACCESS}),
        (Kind.WILDCARD, {Kind.WILDCARD, Kind.ACCESS}),
        (Kind.ACCESS, {Kind.ACCESS}),
    ],
)
def test_a_wider_right_fails_what_a_narrower_one_would(report: Report, found: Kind, meant: set[Kind]) -> None:
    wide = replace(report, access=(Finding(kind=found, text="Anyone may."),), effects=())
    assert set(failing(wide, Kind)) - {Kind.NOTE} == meant


def test_the_first_line_names_every_kind_of_danger_the_worst_first(report: Report) -> None:
    told = [kind for kind in Kind if kind not in {Kind.COST, Kind.NOTE}]  # the cost is told as a figure

    def said(*kinds: Kind) -> list[str]:
        findings = tuple(Finding(kind=kind, text="Something.") for kind in kinds)
        return verdict(replace(report, data=findings, effects=())).split(" · ")

    assert [word for kind in told for word in said(kind) if word == "Nothing at risk"] == []
    assert said(*reversed(told)) == list(dict.fromkeys(word for kind in told for word in said(kind)))


def test_an_account_that_changes_is_written_out(report: Report) -> None:
    arn = Finding(
        kind=Kind.ACCESS, text="It may write to arn:aws:kinesis:us-west-2:111111111111:stream/clicks."
    )
    assert "111111111111" not in page(replace(report, access=(arn,)))
    moved = Assembly(stacks=tuple(replace(s, account="000000000000") for s in report.head.assembly.stacks))
    assert "kinesis:us-west-2:111111111111:stream" in page(
        replace(report, access=(arn,), head=replace(report.head, assembly=moved))
    )


def test_the_docs_say_what_each_kind_of_finding_means() -> None:
    docs = (PROJECT / "docs" / "operate" / "review.md").read_text(encoding="utf-8")
    table = docs.partition("<!-- kinds -->")[2].partition("<!-- end kinds -->")[0]
    assert re.findall(r"^\| `(.*)` \| (.*) \|$", table, re.MULTILINE) == [*MEANINGS.items()]
