"""What the two syntheses cannot show is said all the same."""

from pathlib import Path

from operations.review.blind_spots import unseen_findings
from operations.review.dependencies import DependencyChange
from operations.review.findings import Kind


def test_changed_java_restarts_the_application_though_no_template_shows_it(tmp_path: Path) -> None:
    for side in ("old", "new"):
        file = tmp_path / side / "connectors" / "src" / "main" / "java" / "Join.java"
        file.parent.mkdir(parents=True)
        file.write_text(f"class Join {{ /* {side} */ }}")
    (finding,) = unseen_findings(tmp_path / "old", tmp_path / "new", (), restart="It restarts.")
    assert finding.kind is Kind.INTERRUPTION
    assert "`connectors/src/main/java/Join.java`" in finding.text
    assert finding.details == ("It restarts.",)
    assert not list(unseen_findings(tmp_path / "new", tmp_path / "new", (), restart="It restarts."))


def test_an_upgrade_of_what_writes_the_templates_is_not_understood(tmp_path: Path) -> None:
    def upgraded(name: str) -> DependencyChange:
        return DependencyChange(
            ecosystem="Python", file="requirements.txt", name=name, old="1", new="2", licence=""
        )

    upgrades = (upgraded("aws-cdk-lib"), upgraded("duckdb"))
    (finding,) = unseen_findings(tmp_path, tmp_path, upgrades, restart="It restarts.")
    assert finding.kind is Kind.NOT_UNDERSTOOD
    assert "`aws-cdk-lib` 1 → 2" in finding.text
