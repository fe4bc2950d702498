"""`make deploy` asks the doctor first; `make` runs here with stand-ins for what its lines call."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT

STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "{calls}"
case "$*" in *doctor*) exit {code};; esac
"""


def calls_of_deploy(folder: Path, *, doctor_ends_with: int) -> list[str]:
    """What `make deploy` calls, once everything is set up."""
    calls = folder / "calls"
    for name in ("python", "cdk"):
        tool = folder / name
        tool.write_text(STAND_IN.format(calls=calls, code=doctor_ends_with), encoding="utf-8")
        tool.chmod(0o755)
    stand_ins = f"BIN={os.path.relpath(folder, PROJECT)}"
    subprocess.run(
        ["make", "--silent", "--old-file=setup", "deploy", "ENVIRONMENT=trial", stand_ins],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    return calls.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("code", [0, 2], ids=["nothing is lacking", "something could not be looked at"])
def test_a_deployment_begins_when_the_doctor_finds_nothing_lacking(tmp_path: Path, code: int) -> None:
    assert calls_of_deploy(tmp_path, doctor_ends_with=code) == [
        "python -m interruption stacks.preflight deploy --environment trial",
        "python -m operations.doctor --environment trial",
        "cdk deploy --all -c environment=trial",
    ]


@pytest.mark.parametrize("code", [1, 130], ids=["something is lacking", "interrupted"])
def test_no_deployment_begins_where_the_doctor_finds_something_lacking(tmp_path: Path, code: int) -> None:
    assert [call.split()[0] for call in calls_of_deploy(tmp_path, doctor_ends_with=code)] == [
        "python",
        "python",
    ]
