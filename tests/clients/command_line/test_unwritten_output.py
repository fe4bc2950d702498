"""An answer that cannot be written ends with 1 and one sentence, without a traceback."""

import subprocess
import sys

import pytest

from tests.conftest import PROJECT

COMMAND = f"{sys.executable} -m clients.command_line"
SHOW = f"""{sys.executable} -c '
from rich.table import Table
from clients.command_line.output import show, written_in_full
with written_in_full():
    table = Table("article")
    for number in range(2000):
        table.add_row(str(number))
    show(table)
'"""


@pytest.mark.parametrize("command", [f"{COMMAND} --help", f"{COMMAND} saved-objects", SHOW])
@pytest.mark.parametrize(
    ("output", "reason"), [(">/dev/full", "No space left on device"), ("| true", "Broken pipe")]
)
def test_output_that_cannot_be_written_ends_with_1_and_a_sentence(
    command: str, output: str, reason: str
) -> None:
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} {output}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == f"click-trends: standard output cannot be written: {reason}\n"
    assert ended.returncode == 1


def test_a_closed_standard_output_ends_with_1_and_a_sentence() -> None:
    ended = subprocess.run(
        ["bash", "-c", f"{COMMAND} saved-objects >&-"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == "click-trends: standard output cannot be written: Bad file descriptor\n"
    assert ended.returncode == 1
