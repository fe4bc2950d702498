"""Dependencies with their licences, settings with their meaning, acknowledgements with their reasons."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from operations.review import dependencies
from operations.review.dependencies import dependency_changes, dependency_line
from operations.review.settings_changes import Setting, setting_changes, setting_line

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<properties><fastcsv.version>{fastcsv}</fastcsv.version></properties>
<dependencies><dependency><groupId>de.siegmar</groupId><artifactId>fastcsv</artifactId>
<version>${{fastcsv.version}}</version></dependency></dependencies></project>"""


def trees(folder: Path, file: str, old: str, new: str) -> tuple[Path, Path]:
    for name, text in (("old", old), ("new", new)):
        target = folder / name / file
        target.parent.mkdir(parents=True)
        target.write_text(text)
    return folder / "old", folder / "new"


def test_a_new_python_package_has_its_licence(tmp_path: Path) -> None:
    pinned = f"pydantic=={version('pydantic')}\n"
    (change,) = dependency_changes(*trees(tmp_path, "requirements.txt", "# none\n", pinned))
    assert dependency_line(change).startswith(f"Python `pydantic` (new) → {version('pydantic')} — MIT")


def test_a_version_that_is_not_installed_has_no_licence_made_up(tmp_path: Path) -> None:
    (change,) = dependency_changes(*trees(tmp_path, "requirements.txt", "pydantic==1.0\n", "pydantic==0.1\n"))
    assert change.licence == dependencies.NOT_INSTALLED


def test_a_function_s_own_requirements_are_read_too(tmp_path: Path) -> None:
    (change,) = dependency_changes(
        *trees(tmp_path, "lambdas/forwarder/requirements.txt", "", "orjson==3.0\n")
    )
    assert change.file == "lambdas/forwarder/requirements.txt"


def test_an_npm_package_of_the_lock_has_its_licence_whoever_brings_it(tmp_path: Path) -> None:
    def lock(version: str) -> str:
        entry = {"version": version, "license": "WTFPL"}
        root = {"": {"devDependencies": {"cdk": "1.0.0"}}, "node_modules/cdk": {"version": "1.0.0"}}
        return json.dumps({"packages": {**root, "node_modules/cdk/node_modules/@pad/left": entry}})

    (change,) = dependency_changes(*trees(tmp_path, "package-lock.json", lock("1.2.0"), lock("1.3.0")))
    assert dependency_line(change) == "npm `@pad/left` 1.2.0 → 1.3.0 — WTFPL (package-lock.json)"


def test_a_maven_artifact_has_its_version_and_the_licence_of_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    poms = {
        "de/siegmar/fastcsv/4.4.0/fastcsv-4.4.0.pom": "<parent><groupId>de.siegmar</groupId>"
        "<artifactId>parent</artifactId><version>1</version></parent>",
        "de/siegmar/parent/1/parent-1.pom": "<licenses><license><name>MIT</name></license></licenses>",
    }
    for path, content in poms.items():
        file = repository / path
        file.parent.mkdir(parents=True)
        file.write_text(f'<project xmlns="http://maven.apache.org/POM/4.0.0">{content}</project>')
    monkeypatch.setattr(dependencies, "MAVEN_REPOSITORY", repository)
    (change,) = dependency_changes(
        *trees(tmp_path, "connectors/pom.xml", POM.format(fastcsv="4.0.0"), POM.format(fastcsv="4.4.0"))
    )
    assert dependency_line(change) == "Maven `de.siegmar:fastcsv` 4.0.0 → 4.4.0 — MIT (connectors/pom.xml)"


def test_a_setting_that_changes_is_shown_with_its_meaning() -> None:
    old = {"streams.retention_hours": Setting(value=24, default=24, meaning="In hours.")}
    new = {"streams.retention_hours": Setting(value=48, default=48, meaning="In hours.")}
    (change,) = setting_changes(old, new)
    assert setting_line(change) == "`streams.retention_hours`: `24` → `48`. In hours."


def test_a_setting_that_is_gone_is_shown() -> None:
    (change,) = setting_changes({"a": Setting(value=1, default=1, meaning="What it was.")}, {})
    assert setting_changes({}, {"a": Setting(value=1, default=1, meaning="At its default.")}) == ()
    assert "(no such setting)" in setting_line(change)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("click>=8", "click>=9"),
        ("click==8", "click[extra]==8"),
        ("click==8", "click @ https://example.com/click.whl"),
        ("click==8", 'click==8 ; python_version < "3.12"'),
    ],
)
def test_whatever_is_asked_of_a_package_is_compared(tmp_path: Path, old: str, new: str) -> None:
    assert len(dependency_changes(*trees(tmp_path, "requirements.txt", old, new))) == 1


def test_another_hash_or_comment_is_no_other_package(tmp_path: Path) -> None:
    old, new = "click==8 --hash=sha256:a  # why\n", "click == 8 \\\n    --hash=sha256:b\n"
    assert dependency_changes(*trees(tmp_path, "requirements.txt", old, new)) == ()
