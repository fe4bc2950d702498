"""A rule that fails takes nothing else from the page, and says that it failed."""

from collections.abc import Iterator

from operations.review.differences import Differences, differences
from operations.review.findings import Finding, Kind
from operations.review.rule_failures import found
from tests.operations.review.small_assemblies import one, resource


def test_a_rule_that_fails_at_one_resource_still_speaks_of_the_others() -> None:
    def rules(changes: Differences) -> Iterator[Finding]:
        for change in changes.resources:
            if change.logical_id == "Odd":
                raise TypeError("unhashable")
            yield Finding(kind=Kind.DATA_LOSS, text=change.logical_id)

    bucket = resource("AWS::S3::Bucket")
    changes = differences(one({"Odd": bucket, "Plain": bucket}), one({}))
    findings = found("data", rules, changes)
    assert {finding.kind for finding in findings} == {Kind.DATA_LOSS, Kind.NOT_UNDERSTOOD}
    assert [finding.text for finding in findings if finding.kind is Kind.DATA_LOSS] == ["Plain"]
    assert any("rules on data failed" in finding.text for finding in findings)
