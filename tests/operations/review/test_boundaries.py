"""A permissions boundary that is new, gone or another one is named once for all roles that it limits."""

from typing import Any

import pytest

from operations.review.boundaries import boundary_findings
from operations.review.differences import Differences, differences
from operations.review.findings import Finding, Kind
from operations.review.report import review
from operations.review.unassessed_values import unassessed_findings
from tests.operations.review.revision_pairs import RevisionBuilder
from tests.operations.review.small_assemblies import one, role

LIMITS = "arn:aws:iam::111111111111:policy/limits"
OTHERS = "arn:aws:iam::111111111111:policy/others"


def between(old: str | None, new: str | None) -> Differences:
    def roles(boundary: str | None) -> dict[str, Any]:
        properties = {"PermissionsBoundary": boundary} if boundary else {}
        return {name: role(name, **properties) for name in ("reader", "writer")}

    return differences(one(roles(old)), one(roles(new)))


def found(old: str | None, new: str | None) -> Finding:
    (finding,) = boundary_findings(between(old, new))
    return finding


@pytest.mark.parametrize(
    ("old", "new", "kind", "said"),
    [
        (None, LIMITS, Kind.NOT_ASSESSED, f"of 2 roles is new: `{LIMITS}`"),
        (LIMITS, None, Kind.ACCESS, f"of 2 roles is gone: `{LIMITS}`"),
        (LIMITS, OTHERS, Kind.ACCESS, f"of 2 roles changes: `{LIMITS}` → `{OTHERS}`"),
    ],
)
def test_a_change_of_the_boundary_is_named_once_with_its_roles(
    old: str | None, new: str | None, kind: Kind, said: str
) -> None:
    finding = found(old, new)
    assert finding.kind is kind
    assert said in finding.text
    assert "the role `reader` and the role `writer`" in finding.details[0]


def test_it_is_said_nowhere_else() -> None:
    changes = between(None, LIMITS)
    assert list(unassessed_findings(changes, [], []))
    assert not list(unassessed_findings(changes, list(boundary_findings(changes)), []))


def test_roles_whose_boundary_stays_or_that_come_and_go_are_not_named() -> None:
    assert not list(boundary_findings(between(LIMITS, LIMITS)))
    bounded = one({"R": role("reader", PermissionsBoundary=LIMITS)})
    assert not list(boundary_findings(differences(one({}), bounded)))
    assert not list(boundary_findings(differences(bounded, one({}))))


def test_a_new_boundary_is_all_that_a_review_says_of_the_roles(builder: RevisionBuilder) -> None:
    bounded = {"deployment.permissions_boundary": "limits"}
    report = review("production", builder.revision("main"), builder.revision("tree", settings=bounded))
    [finding] = report.findings
    assert " roles is new: `arn:aws:iam::111111111111:policy/limits`" in finding.text
    assert [change.key for change in report.settings] == ["deployment.permissions_boundary"]
