"""What a machine may lack: each is found where it is lacking, and not where it is there."""

import os
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from operations.doctor import machine
from operations.doctor.check import CheckResult, Verdict, run
from operations.doctor.machine import FACTORIES, jar_diagnoses
from tests.conftest import PROJECT

ALL_FACTORIES = (
    "org.apache.flink.connector.kinesis.table.KinesisDynamicTableFactory",
    "org.apache.flink.connector.firehose.table.KinesisFirehoseDynamicTableFactory",
    "clicktrends.reference.VersionedReferenceTableFactory",
)


def found(project: Path, check: str) -> list[CheckResult]:
    return run([one for one in machine.checks(project=project) if one.name == check])


def jar_with(folder: Path, factories: Iterable[str]) -> Path:
    jar = folder / "analytics-aws.jar"
    with zipfile.ZipFile(jar, "w") as opened:
        opened.writestr(FACTORIES, "\n".join(factories))
    return jar


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "src" / "main").mkdir(parents=True)
    (tmp_path / "pom.xml").write_text("<project/>")
    return tmp_path


def test_this_machine_has_what_the_tests_need_as_well() -> None:
    for check in ("Python, JDK, Maven", "Node", "CDK command line", "disk"):
        [finding] = found(PROJECT, check)
        assert finding.diagnosis.verdict is Verdict.OK, finding


def test_each_missing_tool_is_named_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("bash", "sed"):
        (tmp_path / tool).symlink_to(f"/bin/{tool}" if Path(f"/bin/{tool}").exists() else f"/usr/bin/{tool}")
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = found(PROJECT, "Python, JDK, Maven")
    assert {finding.diagnosis.verdict for finding in findings} == {Verdict.LACKS}
    told = [finding.diagnosis.text for finding in findings]
    assert [text.split()[0] for text in told] == ["Python", "JDK", "Maven"]
    assert all(finding.diagnosis.remedy.startswith("Get it: apt-get install") for finding in findings)


def test_a_missing_command_line_is_told_with_the_pinned_version(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"devDependencies": {"aws-cdk": "9.9.9"}}')
    [finding] = found(tmp_path, "CDK command line")
    assert finding.diagnosis.text == "aws-cdk 9.9.9 is pinned, none is installed."


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "FREE_GB", 1e9)
    [finding] = found(PROJECT, "disk")
    assert finding.diagnosis.verdict is Verdict.LACKS


def test_a_folder_that_is_no_clone_is_worth_a_warning(tmp_path: Path) -> None:
    [finding] = found(tmp_path, "git")
    assert finding.diagnosis.verdict is Verdict.WARNING
    assert "no git work tree" in finding.diagnosis.text


def test_a_work_tree_that_git_cannot_read_is_not_called_committed(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".git" / "index").write_bytes(b"damaged")
    [finding] = found(tmp_path, "git")
    assert finding.diagnosis.verdict is Verdict.WARNING
    assert "`git status` fails" in finding.diagnosis.text


def test_the_jar_with_all_its_connectors_is_fine(sources: Path) -> None:
    [outcome] = jar_diagnoses(jar_with(sources, ALL_FACTORIES), sources)
    assert outcome.verdict is Verdict.OK


@pytest.mark.parametrize(("missing", "named"), [(0, "Kinesis"), (1, "Firehose"), (2, "the segments")])
def test_a_jar_that_lacks_a_connector_is_named(sources: Path, missing: int, named: str) -> None:
    factories = [name for number, name in enumerate(ALL_FACTORIES) if number != missing]
    [outcome] = jar_diagnoses(jar_with(sources, factories), sources)
    assert outcome.verdict is Verdict.LACKS
    assert f"no connector for {named}, so" in outcome.text


def test_a_jar_that_is_missing_damaged_or_old_is_told_apart(sources: Path) -> None:
    jar = sources / "analytics-aws.jar"
    [missing] = jar_diagnoses(jar, sources)
    assert "is missing" in missing.text
    jar.write_bytes(b"no zip")
    [damaged] = jar_diagnoses(jar, sources)
    assert "is damaged" in damaged.text
    _write_with_a_broken_entry(jar)
    [broken] = jar_diagnoses(jar, sources)
    assert "is damaged" in broken.text
    jar_with(sources, ALL_FACTORIES)
    os.utime(jar, (1, 1))
    [old] = jar_diagnoses(jar, sources)
    assert old.verdict is Verdict.LACKS
    assert {missing.remedy, old.remedy} == {"Run `make aws-jar`."}


def _write_with_a_broken_entry(jar: Path) -> None:
    """Its list of entries is whole, what they hold is not, as after a copy that was cut and filled up."""
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(FACTORIES, "x" * 9_999)
    content = bytearray(jar.read_bytes())
    start = 30 + len(FACTORIES)
    content[start : start + 20] = b"\xff" * 20
    jar.write_bytes(content)
