"""The commands that drills give are the runbook's."""

import re
import shlex
from typing import Any
from unittest.mock import MagicMock

import pytest

from names import TWIN_ACCOUNT, Names
from tests.conftest import PROJECT
from twin.drills.fault import Fault
from twin.drills.faults import FAULTS

OPERATE = PROJECT / "docs" / "operate"
LINK = re.compile(r"\(([a-z]+\.md)?#([\w-]+)\)")
WITH_COMMANDS = [fault for fault in FAULTS.values() if fault.command is not None]
MORE_THAN_THE_PAGE = {"--yes"}
"""Nobody is there to be asked."""


def twin() -> Any:
    """Its services answer as far as the commands need values of them."""
    made = MagicMock()
    made.names = Names(environment="local", account=TWIN_ACCOUNT)
    made.delivery_streams = {"counts": None}
    client = made.emulator.client.return_value
    client.list_event_source_mappings.return_value = {"EventSourceMappings": [{"UUID": "uuid"}]}
    client.describe_domain.return_value = {"DomainStatus": {"EBSOptions": {"VolumeSize": 10}}}
    destination = {"ExtendedS3DestinationDescription": {"RoleARN": "arn:aws:iam::000000000000:role/a-role"}}
    client.describe_delivery_stream.return_value = {
        "DeliveryStreamDescription": {"Destinations": [destination]}
    }
    return made


def section(page: str, anchor: str) -> str:
    """The text of a heading, with that of the ones below it."""
    text = (OPERATE / page).read_text(encoding="utf-8")
    for found in re.finditer(r"^(#+) (.+)$", text, re.MULTILINE):
        level, heading = found.groups()
        if re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") == anchor:
            rest = text[found.end() :]
            end = re.search(rf"^#{{1,{len(level)}}} ", rest, re.MULTILINE)
            return rest[: end.start()] if end else rest
    raise AssertionError(f"{page} has no {anchor}")


def what_to_do(fault: Fault) -> str:
    """Its section of the runbook, and what that links to."""
    anchor = re.sub(r"[^\w -]", "", str(fault.runbook)).lower().replace(" ", "-")
    own = section("runbook.md", anchor)
    linked = {(page or "runbook.md", to) for page, to in LINK.findall(own)}
    return "\n".join([own, *(section(page, to) for page, to in sorted(linked))])


def form(command: str) -> tuple[str, ...]:
    """Program, operation and options, without their values."""
    words = shlex.split(command)
    program = words[: 3 if words[0] == "aws" else 2]
    options = {word for word in words if word.startswith("--")} - MORE_THAN_THE_PAGE
    return *program, *sorted(options)


@pytest.fixture(autouse=True)
def _deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.drills.search_faults._DELETED_DAY._index", "click-counts.2026.01.31")


@pytest.mark.parametrize("fault", WITH_COMMANDS, ids=lambda fault: fault.name)
def test_the_section_that_a_drill_names_has_its_command(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.drills.search_faults._DELETED_DAY._index", "click-counts.2026.01.31")
    assert fault.command is not None
    page = re.findall(r"(?:aws|click-trends) [^`\n]+", what_to_do(fault))
    known = {form(line) for line in page if "'" not in line or line.count("'") % 2 == 0}
    for command in fault.command(twin()).split(" && "):
        assert form(command) in known


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
def test_the_operation_on_the_page_is_that_of_the_command(fault: Fault) -> None:
    given = [] if fault.command is None else fault.command(twin()).split(" && ")
    assert {form(command)[: len(str(fault.operation).split())] for command in given} == (
        set() if fault.operation is None else {tuple(fault.operation.split())}
    )


def test_a_deleted_day_is_counted_again_from_its_begin_to_its_end() -> None:
    command = FAULTS["day-index-deleted"].command
    assert command is not None
    assert "--from 2026-01-31T00:00Z --to 2026-02-01T00:00Z --here" in command(twin())


@pytest.mark.parametrize(
    ("drill", "caused"),
    [
        ("opensearch-away", "OpenSearch away"),
        ("opensearch-read-only", "indices read-only"),
        ("flink-stopped", "Flink stopped"),
        ("forwarder-off", "forwarder's mapping off"),
        ("firehose-denied", "delivery streams without permissions"),
        ("clock-wrong", "clock of a web server wrong"),
        ("rankings-unreadable", "feedback without permissions"),
    ],
)
def test_a_drill_names_the_section_of_an_alarm_that_its_fault_caused(drill: str, caused: str) -> None:
    page = (PROJECT / "docs" / "reference" / "alarm_faults.md").read_text(encoding="utf-8")
    alarms = re.findall(rf"^\| `(?:[\w-]+-)?([\w.]+)` \| {re.escape(caused)} \|", page, re.MULTILINE)
    assert FAULTS[drill].runbook in alarms
