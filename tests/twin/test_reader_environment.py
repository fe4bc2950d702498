"""The file that a shell sources to ask a running twin."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from names import TWIN_ACCOUNT, Names
from tests.conftest import PROJECT
from twin.reader_environment import environment_file

RUNBOOK = PROJECT / "docs" / "operate" / "runbook.md"
NAMES = Names(environment="local", account=TWIN_ACCOUNT)


class Emulated:
    search_endpoint = "http://127.0.0.1:2"

    def client_environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
        }


def test_every_variable_of_the_runbook_is_set_in_the_shell(tmp_path: Path) -> None:
    emulated: Any = Emulated()
    file = tmp_path / "environment"
    file.write_text(environment_file(emulated, NAMES, tmp_path), encoding="utf-8")
    commands = re.findall(r"^(?:aws|curl) .*", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    used = set(re.findall(r"\$([A-Z]+)\b(?!_)", "\n".join(commands)))
    assert used >= {"ENV", "ACCOUNT", "TOKYO", "OREGON"}
    echo = (
        f"set -eu; . {file}; printf '%s\\n' {' '.join(f'${name}' for name in sorted(used))} $AWS_ENDPOINT_URL"
    )
    told = subprocess.check_output(["bash", "-c", echo], text=True).split()
    assert told == [TWIN_ACCOUNT, "local", "us-west-2", "ap-northeast-1", "http://127.0.0.1:1"]


def test_commands_of_iam_take_no_region_as_on_aws(tmp_path: Path) -> None:
    emulated: Any = Emulated()
    file = tmp_path / "environment"
    file.write_text(environment_file(emulated, NAMES, tmp_path), encoding="utf-8")
    ask = f"AWS_MAX_ATTEMPTS=1 {sys.executable} -c 'import boto3; boto3.client(\"iam\").list_roles()'"
    told = subprocess.run(
        ["env", "-i", "bash", "-c", f". {file}; {ask}"], capture_output=True, text=True, check=False
    )
    assert "EndpointConnectionError" in told.stderr, "nothing listens there, and nothing else is wrong"


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs a command in a shell that has sourced the file, where the AWS command line prints its words."""
    emulated: Any = Emulated()
    file, line = tmp_path / "environment", tmp_path / "aws"
    file.write_text(environment_file(emulated, NAMES, tmp_path), encoding="utf-8")
    line.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    line.chmod(0o755)

    def run(command: str) -> subprocess.CompletedProcess[str]:
        words = ["env", "-i", f"PATH={tmp_path}:{os.environ['PATH']}", "bash", "-c", f". {file}; {command}"]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    return run


def test_no_command_leaves_the_twin_for_aws(shell: Callable[[str], Any]) -> None:
    """Version 1 of the command line takes no endpoint of the environment for SQS."""
    told = shell("aws sqs receive-message --queue-url 'https://sqs/a queue' --region $TOKYO").stdout
    assert told == (
        "--endpoint-url http://127.0.0.1:1 sqs receive-message --queue-url https://sqs/a queue "
        "--region ap-northeast-1\n"
    )


def test_logs_are_told_by_the_runbooks_command_which_version_1_has_not(shell: Callable[[str], Any]) -> None:
    told = shell("aws logs tail /aws/lambda/a --since 30m --region $TOKYO").stdout
    found = re.search(
        r"logs filter-log-events --start-time (\d+)000 .*--log-group-name /aws/lambda/a --reg", told
    )
    assert found is not None
    assert -60 <= int(found[1]) + 30 * 60 - time.time() <= 60


def test_a_time_that_the_twins_logs_cannot_be_asked_for_is_named(shell: Callable[[str], Any]) -> None:
    told = shell("aws logs tail a --since 2weeks")
    assert (told.returncode, "not '2weeks'" in told.stderr) == (2, True)


def test_without_events_it_is_said_where_the_other_logs_are(
    tmp_path: Path, shell: Callable[[str], Any]
) -> None:
    (tmp_path / "aws").write_text("#!/bin/sh\n", encoding="utf-8")
    assert "docs/start/twin.md" in shell("aws logs tail a --since 1h").stderr
