"""A command that Ctrl-C ends says nothing and ends with 130, whether it works or still imports."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
INTERRUPTED_AT_AN_IMPORT = """
import runpy, sys

class Interrupts:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
sys.path.insert(0, "")
sys.argv = [{run!r}]
runpy.{how}({run!r}, run_name="__main__")
"""
INTERRUPTED_AT_WORK = """
import atexit
from interruption import quiet_interruption
from typer import Exit, Typer

app = Typer()

@app.command()
def main():
    try:
        raise KeyboardInterrupt
    finally:
        print("tidied")

atexit.register(print, "complains")
with quiet_interruption():
    app()
"""


def ran(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "command",
    ["operations.cost", "operations.doctor", "operations.review", "twin", "clients.web_servers", "app.py"],
)
@pytest.mark.parametrize("module", ["settings", "pydantic"])
def test_a_command_that_is_interrupted_while_it_imports_ends_quietly(command: str, module: str) -> None:
    how = "run_path" if command.endswith(".py") else "run_module"
    ended = ran(INTERRUPTED_AT_AN_IMPORT.format(module=module, run=command, how=how))
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.parametrize("module", ["clients.command_line.command", "boto3", "opensearchpy", "typer"])
def test_click_trends_that_is_interrupted_while_it_imports_ends_quietly(module: str) -> None:
    ended = ran(INTERRUPTED_AT_AN_IMPORT.format(module=module, run="clients.command_line", how="run_module"))
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.parametrize("module", ["settings.page", "stacks.preflight"])
def test_a_module_whose_package_imports_much_is_guarded_from_outside(module: str) -> None:
    program = INTERRUPTED_AT_AN_IMPORT.format(module="pydantic", run="interruption", how="run_module")
    ended = ran(program.replace("['interruption']", f"['interruption', {module!r}]"))
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_command_that_is_interrupted_at_work_tidies_up_and_runs_nothing_at_exit() -> None:
    ended = ran(INTERRUPTED_AT_WORK)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "tidied\n", "")


def test_every_other_end_of_a_command_stays_as_it_is() -> None:
    ended = ran(
        "import sys\nfrom interruption import quiet_interruption\nwith quiet_interruption(): sys.exit(3)"
    )
    assert ended.returncode == 3
    ended = ran(
        "from interruption import quiet_interruption\nwith quiet_interruption(): raise ValueError('x')"
    )
    assert ended.returncode == 1
    assert "ValueError: x" in ended.stderr
