"""`click-trends` in the repository's own environment runs the tree in which it is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

LAUNCHER = PROJECT / "clients" / "command_line" / "launcher.sh"
STAND_IN = """
import sys
def main():
    print({tree!r}, *sys.argv[1:], sep="|")
    raise SystemExit(3)
"""


def made_tree(tree: Path) -> Path:
    """With a command that says which tree it is of."""
    package = tree / "clients" / "command_line"
    (package / "deeper").mkdir(parents=True)
    (package / "__main__.py").write_text(STAND_IN.format(tree=tree.name))
    return tree


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A tree whose .venv holds the command and a Python, in a folder whose name has a space."""
    tree = made_tree(tmp_path / "a project")
    commands = tree / ".venv" / "bin"
    commands.mkdir(parents=True)
    for name, text in (("click-trends", LAUNCHER.read_text()), ("python", f'exec "{sys.executable}" "$@"')):
        (commands / name).write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
        (commands / name).chmod(0o755)
    return tree


def answer(command: Path | str, called_in: Path, *, path: str = "") -> str:
    environment = {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}
    ended = subprocess.run(
        [command, "top", "an id", "--last=1h"],
        cwd=called_in,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (3, "")
    return ended.stdout.strip()


def test_it_runs_the_tree_in_which_it_is_called(project: Path, tmp_path: Path) -> None:
    other = made_tree(tmp_path / "worktree")
    (other / ".venv").symlink_to(project / ".venv")
    for folder in (other, other / "clients" / "command_line" / "deeper"):
        assert answer(project / ".venv/bin/click-trends", folder) == "worktree|top|an id|--last=1h"
        assert answer(".venv/bin/click-trends", other).startswith("worktree|")


def test_elsewhere_it_runs_the_tree_of_its_environment(project: Path, tmp_path: Path) -> None:
    command = project / ".venv" / "bin" / "click-trends"
    for folder in (Path("/"), tmp_path):
        assert answer(command, folder).startswith("a project|")
        assert answer("click-trends", folder, path=str(command.parent)).startswith("a project|")
    worktree = made_tree(tmp_path / "worktree")
    (worktree / ".venv").symlink_to(project / ".venv")
    assert answer(worktree / ".venv/bin/click-trends", Path("/")).startswith("worktree|")


@pytest.mark.usefixtures("project")
def test_it_may_be_linked_into_a_folder_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "click-trends").symlink_to(Path("../a project/.venv/bin/click-trends"))
    (tmp_path / "commands" / "ct").symlink_to("click-trends")
    assert answer("ct", tmp_path, path=str(tmp_path / "commands")).startswith("a project|")


def test_a_module_of_the_folder_it_is_called_in_is_not_imported(project: Path, tmp_path: Path) -> None:
    (tmp_path / "clients.py").write_text("raise SystemExit('the wrong clients')")
    assert answer(project / ".venv/bin/click-trends", tmp_path).startswith("a project|")
