"""`make setup`, with a stand-in for Maven."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from twin.opensearch import VERSION

# As maven-dependency-plugin: a mark in the folder in which it runs, and where that is, nothing is unpacked.
MAVEN = f"""#!/usr/bin/env bash
set -e
marks='${{project.basedir}}/target/dependency-maven-plugin-markers'
[[ -e $marks ]] && exit
mkdir -p "$marks"
for argument in "$@"; do
    if [[ $argument == -DoutputDirectory=* ]]; then
        mkdir -p "${{argument#*=}}/opensearch-{VERSION}/modules/analysis-common"
    fi
done
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(PROJECT / "Makefile", tmp_path)
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / "prerequisites.sh").touch()
    (tmp_path / "bin").mkdir()
    maven = tmp_path / "bin" / "mvn"
    maven.write_text(MAVEN)
    maven.chmod(0o755)
    return tmp_path


def make(project: Path, target: str) -> None:
    path = f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}"
    made = subprocess.run(
        ["make", "-C", str(project), target],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr


def test_opensearch_is_unpacked_again_after_everything_was_removed(project: Path) -> None:
    installed = f".cache/opensearch-{VERSION}/.installed"
    for _ in range(2):
        make(project, installed)
        assert (project / installed).is_file()
        assert {file.name for file in project.iterdir()} == {".cache", "Makefile", "bin", "twin"}
        make(project, "clean")


def test_the_version_that_is_set_up_is_the_one_that_is_started() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"^OPENSEARCH_VERSION := (.*)$", makefile, re.MULTILINE) == [VERSION]
