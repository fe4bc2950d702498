"""Every command of the operators' pages is run as it stands, or marked as needing AWS and checked as text."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from names import OREGON, TOKYO
from tests.conftest import PROJECT

GUIDE = PROJECT / "docs" / "operate" / "operations.md"
PAGES = (GUIDE, PROJECT / "docs" / "operate" / "runbook.md", PROJECT / "docs" / "start" / "deployment.md")
FENCE = re.compile(r"^```(\S+)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_BACKTICKS = re.compile(r"`(aws [a-z0-9-]+ [a-z0-9-]+ [^`]*--[^`]*)`")
OPTIONS_OF_ALL = {"region", "output", "query", "profile", "cli-binary-format", "cli-input-json"}
NOT_OF_THE_SDK = {
    "s3": {name: {"recursive"} for name in ("cp", "mv", "rm", "ls")} | {"sync": {"delete"}},
    "logs": {"tail": {"since", "follow", "filter-pattern"}},
}
"""Commands that the command line has beside those of the SDK, with their options."""
SERVICES = {"s3api": "s3"}
RENAMED = {"notification-endpoint": "endpoint"}
"""Options that the command line names otherwise than the service does."""
SECONDS = 300


@dataclass(frozen=True)
class Block:
    language: str
    kind: str
    text: str

    @property
    def commands(self) -> list[str]:
        return [line for line in self.text.replace("\\\n", " ").splitlines() if line.strip()]


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page.read_text(encoding="utf-8"))]


def needing_aws(tool: str) -> Iterator[str]:
    for page in PAGES:
        for block in blocks(page):
            if block.kind == "aws":
                yield from (line for line in block.commands if line.startswith(f"{tool} "))
        if tool == "aws":
            yield from IN_BACKTICKS.findall(page.read_text(encoding="utf-8"))


def options(words: list[str]) -> set[str]:
    return {word.removeprefix("--").partition("=")[0] for word in words if word.startswith("--")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_commands_says_whether_it_runs_here(page: Path) -> None:
    shells = [block for block in blocks(page) if block.language in {"sh", "bash", "shell", "console"}]
    assert [block.text for block in shells if block.kind not in {"here", "aws"}] == []


def wrong_options(command: str) -> list[str]:
    """What the SDK's model does not know of an `aws` command, or misses in it."""
    _, service, operation, *words = shlex.split(command)
    given = {RENAMED.get(name, name) for name in options(words)} - OPTIONS_OF_ALL
    own = NOT_OF_THE_SDK.get(service, {})
    if operation in own:
        return sorted(given - own[operation])
    if service == "s3":
        return [operation]
    model = botocore.session.get_session().get_service_model(SERVICES.get(service, service))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in operations:
        return [f"{service} has no {operation}"]
    shape: Any = model.operation_model(operations[operation]).input_shape
    members = {xform_name(name, "-"): member for name, member in shape.members.items()}
    flags = {f"no-{name}" for name, member in members.items() if member.type_name == "boolean"}
    required = {xform_name(name, "-") for name in shape.required_members}
    required -= {name.removeprefix("no-") for name in given}
    return sorted(given - members.keys() - flags) + [f"lacks {name}" for name in sorted(required)]


@pytest.mark.parametrize("command", sorted(set(needing_aws("aws"))))
def test_the_sdk_knows_the_operation_and_its_options(command: str) -> None:
    assert wrong_options(command) == []


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("aws kinesis put-recrd --stream-name a", ["kinesis has no put-recrd"]),
        ("aws sns create-topic --nam a", ["nam", "lacks name"]),
        ("aws s3 copy a b", ["copy"]),
        ("aws s3 cp --recursve a b", ["recursve"]),
        ("aws logs tail a --sinc 1h", ["sinc"]),
    ],
)
def test_a_wrong_command_is_noticed(command: str, wrong: list[str]) -> None:
    assert wrong_options(command) == wrong


@pytest.mark.parametrize("command", sorted(set(needing_aws("npx"))))
def test_the_pinned_command_line_knows_the_command_and_its_options(command: str) -> None:
    file = PROJECT / "node_modules" / "aws-cdk" / "lib" / "cli" / "cli-type-registry.json"
    known = json.loads(file.read_text(encoding="utf-8"))
    _, tool, command_name, *words = shlex.split(command)
    assert tool == "cdk"
    assert options(words) <= {
        *known["globalOptions"],
        *known["commands"][command_name].get("options", {}),
    }


@pytest.mark.parametrize("command", sorted(set(needing_aws("make"))))
def test_the_makefile_has_the_target_and_reads_its_variables(command: str) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    _, target, *variables = shlex.split(command)
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert all(f"$({variable.partition('=')[0]})" in makefile for variable in variables)


OPPOSITES = (
    ("put-role-policy", "delete-role-policy"),
    ("stop-application", "start-application"),
    ("--no-enabled", "--enabled"),
)


def test_no_block_takes_back_at_its_end_what_it_did_at_its_beginning() -> None:
    """A block is copied as a whole."""
    for block in (block for page in PAGES for block in blocks(page)):
        words = shlex.split(block.text) if block.kind == "aws" else []
        for one, other in OPPOSITES:
            assert not {one, other} <= set(words), block.text


@pytest.mark.parametrize("field", ["aws:TokenIssueTime", "clicked_at"])
def test_what_must_be_now_is_now_when_the_command_is_copied(field: str) -> None:
    commands = [command for command in needing_aws("aws") if field in command]
    assert commands
    assert [command for command in commands if "$(date -u " not in command] == []


def test_every_topic_of_the_guide_has_a_subscriber() -> None:
    regions: dict[str, set[str]] = {"create-topic": set(), "subscribe": set()}
    for command in needing_aws("aws"):
        _, service, operation, *words = shlex.split(command)
        if service == "sns":
            regions[operation].add(words[words.index("--region") + 1])
    assert regions["create-topic"] == regions["subscribe"] == {TOKYO, OREGON}


def test_no_block_that_restores_brings_a_click_of_its_own() -> None:
    """A block is copied as a whole, by someone who restores counts."""
    for block in blocks(GUIDE):
        if "analytics_sql/main.py" in block.text or "click-trends replay" in block.text:
            assert "click_id" not in block.text, block.text


def test_the_guide_has_blocks_of_both_kinds() -> None:
    kinds = [block.kind for block in blocks(GUIDE) if block.language == "sh"]
    assert kinds.count("here") > 3
    assert kinds.count("aws") > 10


def test_every_command_that_needs_aws_is_of_a_tool_that_is_checked() -> None:
    tools = {
        line.split()[0]
        for page in PAGES
        for block in blocks(page)
        if block.kind == "aws"
        for line in block.commands
    }
    assert tools <= {"aws", "npx", "make", "python", "curl", "click-trends"}


def test_curl_signs_as_the_runbook_has_it() -> None:
    [command] = needing_aws("curl")
    asked = []

    class Domain(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["x-amz-security-token"], self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
    with HTTPServer(("127.0.0.1", 0), Domain) as domain:
        here = command.replace("https://HOST", f"http://127.0.0.1:{domain.server_port}")
        client = subprocess.Popen(
            ["bash", "-euc", here],
            env={"PATH": os.environ["PATH"], "OREGON": OREGON, **keys},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        domain.timeout = 20
        domain.handle_request()
        assert client.wait(20) == 0
    [(path, token, authorization)] = asked
    assert (path, token) == ("/_cat/indices", "token")
    assert re.search(rf"Credential=AKID/\d{{8}}/{OREGON}/es/aws4_request", authorization)
    assert "x-amz-security-token" in authorization


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that shares everything with this one but its environments and what it writes."""
    own = {"environments", "clients"}
    for entry in PROJECT.iterdir():
        if entry.name not in {*own, "cdk.out", ".git", "restore", "Makefile"}:
            if entry.is_file():  # a script that is a link would import from where it leads to
                (tmp_path / entry.name).write_bytes(entry.read_bytes())
            else:
                (tmp_path / entry.name).symlink_to(entry)
    for folder in own:
        made = shutil.ignore_patterns("made", "__pycache__")
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=made)
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    without_setup = re.sub(r"^setup:.*$", "setup:", makefile, flags=re.MULTILINE)  # it is what runs this test
    (tmp_path / "Makefile").write_text(without_setup)
    for block in blocks(GUIDE):
        if block.language == "toml" and block.kind:
            (tmp_path / block.kind).write_text(block.text)
    return tmp_path


def run_here(project: Path, block: Block) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(project),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, f"{block.text}\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"


def of_flink(block: Block) -> bool:
    """The bounded run, and the click that it counts here."""
    return "restore/" in block.text


@pytest.mark.slow
def test_what_runs_here_runs_as_the_guide_has_it(project: Path) -> None:
    for block in blocks(GUIDE):
        if block.kind == "here" and not of_flink(block):
            run_here(project, block)


@pytest.mark.flink
def test_the_bounded_run_of_the_guide_counts(project: Path) -> None:
    for block in blocks(GUIDE):
        if block.kind == "here" and of_flink(block):
            run_here(project, block)
    [counts] = (project / "restore" / "out" / "click_counts").iterdir()
    assert json.loads(counts.read_text())["clicks"] == 1
