"""Commands that `make` gives with variables that are wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from twin.reader_environment import THIS_TWIN

NONE = "no twin is running"


@pytest.mark.parametrize(
    ("goal", "variables", "told"),
    [
        ("drill", ["FAULT=poison", "LASTS=text"], "Invalid value for LASTS: "),
        ("drill", ["FAULT=poison", "LASTS=-1"], "Invalid value for LASTS: "),
        ("drill", ["FAULT=poison", "LASTS=nan"], "Invalid value for LASTS: "),
        ("drill", ["FAULT=opensearch-away poison"], NONE),
        ("drill", ["FAULT=-x"], NONE),
        ("start", ["PART=opensearch flink"], NONE),
        ("start", ["PART=-x"], NONE),
        ("run", ["RATE=0 1"], "Invalid value for RATE: "),
        ("run", ["SPEED=2"], "SPEED needs a file"),
        ("soak", ["HOURS=text"], "Invalid value for HOURS: "),
        ("soak", ["SEED=1 2"], "Invalid value for SEED: "),
    ],
)
def test_a_wrong_variable_is_answered_without_pythons_usage(
    tmp_path: Path, goal: str, variables: list[str], told: str
) -> None:
    code, said = _given(goal, variables, tmp_path)
    assert code == 2
    assert told in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("goal", ["cost", "web-servers", "doctor"])
def test_an_environment_of_two_words_is_named_whole(tmp_path: Path, goal: str) -> None:
    code, said = _given(goal, ["ENVIRONMENT=a b"], tmp_path)
    assert code == 1
    assert "no environment 'a b'" in said
    assert "--help" not in said


def _given(goal: str, variables: list[str], temporary: Path) -> tuple[int, str]:
    """The exit code of the last command that make gives, and what it says."""
    recipe = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", goal, *variables],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    command = recipe.splitlines()[-1]
    assert command.startswith("python -m ")
    done = subprocess.run(
        ["bash", "-c", command.replace("python", f'"{sys.executable}"', 1)],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(temporary), THIS_TWIN: ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
