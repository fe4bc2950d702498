"""The `aws` commands of the runbook against the emulated AWS, which holds nothing: those that it knows find
nothing, and those that it lacks are listed."""

import json
import re
import shlex
from pathlib import Path
from string import Template
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from names import OREGON, TOKYO, TWIN_ACCOUNT
from tests.conftest import PROJECT
from tests.docs.test_commands import IN_BACKTICKS, OPTIONS_OF_ALL, blocks
from twin.emulator import Emulator

RUNBOOK = PROJECT / "docs" / "operate" / "runbook.md"
A_UUID = "00000000-0000-0000-0000-000000000000"
VARIABLES = {"ENV": "local", "ACCOUNT": TWIN_ACCOUNT, "TOKYO": TOKYO, "OREGON": OREGON}
OF_THE_COMMAND_LINE = {
    ("s3", "ls"): ("s3", "list-objects-v2"),
    ("logs", "tail"): ("logs", "filter-log-events"),
}
"""What the command line's own commands ask of the service."""
LACKING: dict[tuple[str, str], str] = {}
"""Operations that the emulated AWS lacks, with what to do instead in a drill."""
NOT_THERE = re.compile("NotFound|NoSuch|NonExistent|DoesNotExist")
SHORTHAND = re.compile(r"(\w+)=([^,]*)")


def commands(page: Path) -> list[str]:
    in_blocks = [line for block in blocks(page) if block.kind == "aws" for line in block.commands]
    found = [line for line in in_blocks if line.startswith("aws ")]
    return sorted({*found, *IN_BACKTICKS.findall(page.read_text(encoding="utf-8"))})


def asked(command: str) -> tuple[str, str, str, dict[str, Any]]:
    """Service, operation as the command line has them, region, and the request's parameters."""
    here = re.sub(r"\bUUID\b", A_UUID, re.sub(r"\bGIB\b", "100", command))
    here = Template(here).safe_substitute(VARIABLES)
    _, service, operation, *words = shlex.split(here)
    options = given_options(words)
    [region] = options.get("region", [OREGON])
    if (service, operation) == ("s3", "ls"):
        bucket, _, prefix = words[-3].removeprefix("s3://").partition("/")
        return service, operation, region, {"Bucket": bucket, "Prefix": prefix}
    if (service, operation) == ("logs", "tail"):
        return service, operation, region, {"logGroupName": words[0]}
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape: Any = model.operation_model(names[operation]).input_shape
    shapes = {xform_name(name, "-"): (name, member) for name, member in shape.members.items()}
    parameters = {}
    for option, value in options.items():
        if option.removeprefix("no-") not in shapes and option in OPTIONS_OF_ALL:
            continue
        name, member = shapes[option.removeprefix("no-")]
        parameters[name] = converted(value, member, negated=option.startswith("no-"))
    return service, operation, region, parameters


def given_options(words: list[str]) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            options[word.removeprefix("--")] = values = []
        elif options:
            values.append(word)
    return options


def converted(values: list[str], shape: Any, *, negated: bool) -> Any:
    if shape.type_name == "boolean":
        return not negated
    if shape.type_name == "list":
        return values
    [value] = values
    if shape.type_name in {"integer", "long"}:
        return int(value)
    if shape.type_name == "structure" and not value.startswith("{"):
        pairs = dict(SHORTHAND.findall(value))
        return {name: converted([pairs[name]], shape.members[name], negated=False) for name in pairs}
    return json.loads(value) if shape.type_name == "structure" else value


def lacks(emulator: Emulator, command: str) -> str | None:
    """What the emulated AWS answers to an operation that it does not know; None if it knows it."""
    service, operation, region, parameters = asked(command)
    service, operation = OF_THE_COMMAND_LINE.get((service, operation), (service, operation))
    client = emulator.client(service, region)
    try:
        getattr(client, xform_name(operation.replace("-", "_")))(**parameters)
    except ClientError as error:
        if not NOT_THERE.search(error.response["Error"]["Code"]):
            return str(error)
    return None


@pytest.mark.parametrize("command", commands(RUNBOOK))
def test_the_twin_knows_a_command_of_the_runbook_or_it_is_listed(emulator: Emulator, command: str) -> None:
    service, operation, _, _ = asked(command)
    lacking = lacks(emulator, command)
    assert (lacking is not None) == ((service, operation) in LACKING), lacking


def test_an_operation_that_the_twin_lacks_is_noticed(emulator: Emulator) -> None:
    answer = lacks(emulator, "aws opensearch get-upgrade-status --domain-name any")
    assert answer is not None
    assert "GetUpgradeStatus" in answer
