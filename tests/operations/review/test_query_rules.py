"""Changes of what analysts ask in SQL: what the page says of each."""

from collections.abc import Mapping

import pytest

from operations.review.assembly import Assembly
from operations.review.findings import Kind
from operations.review.report import Report
from tests.operations.review.edits import Edit, reports
from tests.operations.review.test_rules import put

GROUP, TABLE = "AWS::Athena::WorkGroup", "AWS::Glue::Table"
CONFIGURATION, INPUT = "Properties.WorkGroupConfiguration", "Properties.TableInput"
JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
CASES: Mapping[str, tuple[Edit, Kind, str]] = {
    "no limit": (put(GROUP, "", f"{CONFIGURATION}.BytesScannedCutoffPerQuery"), Kind.COST, "may read more"),
    "a lower limit": (
        put(GROUP, "", f"{CONFIGURATION}.BytesScannedCutoffPerQuery", 10_000_000),
        Kind.NOTE,
        "A larger one is cancelled",
    ),
    "answers anywhere": (
        put(GROUP, "", f"{CONFIGURATION}.EnforceWorkGroupConfiguration", False),
        Kind.PROTECTION_LOST,
        "where they do not expire",
    ),
    "another reader of lines": (
        put(TABLE, "Raw", f"{INPUT}.StorageDescriptor.SerdeInfo.SerializationLibrary", JSON_SERDE),
        Kind.BROKEN,
        "may find nothing",
    ),
    "projection switched off": (
        put(TABLE, "Raw", f"{INPUT}.Parameters", {"projection.enabled": "false"}),
        Kind.BROKEN,
        "may find nothing",
    ),
}


@pytest.fixture(scope="module")
def reviewed(production: Assembly, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    edits = {name: edit for name, (edit, _, _) in CASES.items()}
    with pytest.MonkeyPatch.context() as patch:
        return reports(production, edits, tmp_path_factory.mktemp("tree"), patch)


@pytest.mark.parametrize("name", CASES)
def test_what_a_change_does_to_queries_is_said(name: str, reviewed: dict[str, Report]) -> None:
    _, kind, says = CASES[name]
    found = {finding.kind for finding in reviewed[name].findings if says in finding.text}
    assert found == {kind}
    assert Kind.NOT_ASSESSED not in {finding.kind for finding in reviewed[name].findings}
