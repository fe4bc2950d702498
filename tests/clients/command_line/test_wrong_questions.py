"""What is wrong as it is asked ends with 2, what could not be answered with 1: each with a sentence and
without a traceback."""

import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
import typer
from typer.testing import CliRunner

from clients.command_line.command import app
from tests.conftest import PROJECT

NOWHERE = "http://127.0.0.1:1"
"""Where nothing listens."""
QUESTIONS = ("top", "trend", "heat-map", "compare", "rising")
ASK_OPENSEARCH = (*QUESTIONS, "freshness", "import-saved-objects")
OF_A_SEGMENT = (*QUESTIONS, "served", "board")
WITH_A_ROLE = (*ASK_OPENSEARCH, "served", "board")
OF_AN_OPERATOR = ("correct", "erase", "publish", "reconcile", "replay", "rollback")
_HOUR = ("--from", "2026-01-31T09:00Z", "--to", "2026-01-31T10:00Z")
NEEDED = {
    "compare": ("--gender", "female"),
    "served": ("--table", "t"),
    "board": ("--port", "0"),
    "correct": ("--environment", "local"),
    "erase": ("--environment", "local"),
    "publish": ("no-such-file.csv", "--environment", "local"),
    "reconcile": ("--environment", "local", "--endpoint", "http://127.0.0.1:1", *_HOUR),
    "replay": ("--environment", "local", *_HOUR),
    "rollback": ("--environment", "local"),
}
"""Options without which a command is wrong anyway."""


def asked(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code, and what is said on standard error."""
    surroundings = {
        "CLICK_TRENDS_ENDPOINT": NOWHERE,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": NOWHERE,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        **environment,
    }
    with mock.patch("clients.board.server.serve"):  # a board that starts would serve until Ctrl-C
        result = CliRunner().invoke(app, arguments, env=surroundings)
    assert isinstance(result.exception, SystemExit), result.exception  # anything else is shown as a traceback
    assert result.stdout == ""
    return result.exit_code, " ".join(result.stderr.split())


def each(commands: tuple[str, ...], *wrong: str, told: str) -> list[tuple[tuple[str, ...], str]]:
    return [((command, *NEEDED.get(command, ()), *wrong), told) for command in commands]


WRONG: list[tuple[tuple[str, ...], str]] = [
    *each((*QUESTIONS, "board"), "--last", "ten minutes", told="10m"),
    *each(("correct",), told="one of them"),
    *each(("correct",), "--from", "2026-01-31", told="one of them"),
    *each(("correct",), "--from", "2026-01-31", "--to", "2026-01-31", "--undo", "2", told="one of them"),
    *each(("correct",), "--from", "31.1.2026", "--to", "2026-01-31", told="2026-01-31"),
    *each((*QUESTIONS, "board"), "--last", "0m", told="10m"),
    *each((*QUESTIONS, "board"), "--last", "367d", told="366d"),
    *each(QUESTIONS, "--until", "yesterday", told="2026-01-31T09:15+09:00"),
    *each(QUESTIONS, "--until", "2026-01-31T18:15", told="+09:00"),
    *each(QUESTIONS, "--until", "0099-01-01T00:00Z", told="no counts of the year"),
    *each(QUESTIONS, "--json", "--csv", told="choose one"),
    *each(("served", "freshness"), "--json", "--csv", told="choose one"),
    *each((*OF_A_SEGMENT, "freshness"), "--time-zone", "Tokyo", told="Asia/Tokyo"),
    *each((*OF_A_SEGMENT, "freshness"), "--time-zone", "../../etc/passwd", told="Asia/Tokyo"),
    *each(OF_A_SEGMENT, "--age-band", "", told="'--age-band': is empty"),
    *each(OF_A_SEGMENT, "--segment", "20s", told="column=value"),
    *each(OF_A_SEGMENT, "--segment", "shoe_size=9", told="age_band"),
    *each(OF_A_SEGMENT, "--segment", "region=", told="column=value"),
    *each(OF_A_SEGMENT, "--region", "a", "--segment", "region=b", told="region is given twice"),
    *each(OF_A_SEGMENT, "--segment", "region=a", "--segment", "region=b", told="region is given twice"),
    *each(OF_A_SEGMENT, "--shoe-size", "9", told="--shoe-size"),
    *each(OF_A_SEGMENT, "--titles", "/no/such/file", told="cannot be read"),
    *each(("top", "heat-map", "compare", "rising", "served"), "--limit", "0", told="--limit"),
    *each(("top", "heat-map", "compare", "rising", "served"), "--limit", "1001", told="--limit"),
    *each(("top", "compare", "rising"), "--min-clicks", "0", told="--min-clicks"),
    *each(("top", "trend", "heat-map"), "--by", "shoe_size", told="age_band"),
    *each(("top", "trend", "heat-map"), "--by", "", told="age_band"),
    *each(("trend", "heat-map"), "--by", "gender", "--by", "region", told="'--by': is given twice"),
    *each(OF_A_SEGMENT, "--region", "a", "--region", "b", told="'--region': is given twice"),
    *each(ASK_OPENSEARCH, "--endpoint", "no-address", told="no-address"),
    *each(ASK_OPENSEARCH, "--endpoint", "ftp://host", told="ftp://host"),
    *each(ASK_OPENSEARCH, "--endpoint", "https://a host", told="https://a host"),
    *each(ASK_OPENSEARCH, "--endpoint", "https://host:port", told="https://host:port"),
    *each((*ASK_OPENSEARCH, "board"), "--domain-region", "no region", told="--domain-region"),
    *each(("served", "board"), "--table-region", "no region", told="--table-region"),
    *each(("rising", "board"), "--before", "soon", told="10m"),
    *each(("board",), "--port", "70000", told="--port"),
    *each(("erase",), "--user-id", "", told="--user-id"),
    *each(("correct",), "--from", "2026-01-31", "--to", "2026-01-30", told="give the first day, then"),
    *each(("correct",), "--from", "2026-01-31", "--to", "9999-12-31", told="in the future"),
    *each(("correct",), "--from", "2026-01-01", "--to", "2026-01-02", told="may be expired"),
    *each(("publish",), told="no-such-file.csv"),
    *each(("publish",), "--name", "a/b.csv", told="a/b.csv"),
    *each(("publish",), "--corrects", "yesterday", told="20260131T120000Z"),
    *each(("reconcile",), "--to", "2026-01-31T08:00Z", told="later"),
    *each(("reconcile",), told="too early"),
    *each(("reconcile",), "--from", "9999-01-31T08:00Z", "--to", "9999-01-31T09:00Z", told="the future"),
    *each(("reconcile",), "--from", "0001-01-01T00:00+14:00", told="no time with a zone"),
    *each(("replay",), told="either --here or --on-aws"),
    *each(("replay",), "--here", "--to", "2026-01-31T08:00Z", told="give a later end"),
    *each(("replay",), "--here", "--to", "2026-01-31T10:00:01Z", told="within a count"),
    *each(("replay",), "--here", "--to", "2026-01-31T10:00", told="no zone"),
    *each(("replay",), "--here", told="counts would be too small"),
    *each(("replay",), "--here", "--from", "0001-01-01T00:00+14:00", told="no time of a click"),
    *each(("replay",), "--here", "--arrived-until", "9999-12-31T23:59-12:00", told="no time of a click"),
    *each(OF_AN_OPERATOR, "--command-role-arn", "me", told="no role's ARN"),
    *each(("rollback",), "--wait", "soon", told="--wait"),
    *each(("rollback",), "yesterday", told="20260131T120000Z"),
    *each(("rollback",), "20260131T250000Z", told="20260131T120000Z"),
    (("versions", "--environment", "nowhere"), "no environment 'nowhere'"),
    (("compare",), "name a segment"),
    (("trend", "--article", ""), "'--article': is empty"),
    (("trend", "--step", "7m"), "divides a day"),
    (("trend", "--step", "90s"), "divides a day"),
    (("trend", "--last", "366d", "--step", "1m"), "longer step"),
    (("served",), "--table"),
    (("tops",), "tops"),
]
"""Arguments, and what is said."""


@pytest.mark.parametrize(("arguments", "told"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_what_is_wrong_as_it_is_asked_ends_with_2(arguments: tuple[str, ...], told: str) -> None:
    """On a machine without credentials: nothing is asked of AWS before."""
    code, said = asked(*arguments, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert (code, told in said) == (2, True), said


COMMANDS = vars(typer.main.get_command(app))["commands"]
WITH_VALUES = [
    (name, option.opts[0])
    for name, command in COMMANDS.items()
    for option in command.params
    if not vars(option).get("is_flag", True) and option.name != "help"  # an argument has no such key
]


@pytest.mark.parametrize(("command", "option"), WITH_VALUES)
def test_an_empty_value_ends_with_2_and_names_its_option(command: str, option: str) -> None:
    needed = NEEDED.get(command, ())
    code, said = asked(command, *(() if option in needed else needed), option, "")
    assert (code, option in said) == (2, True), said


NOT_ANSWERED: list[tuple[tuple[str, ...], str, dict[str, str]]] = [
    *((arguments, "cannot be reached", {}) for arguments, _ in each((*QUESTIONS, "freshness"), told="")),
    (("import-saved-objects",), "Could not connect", {}),
    *(
        (arguments, "AWS configuration of this machine", {"AWS_PROFILE": "gone"})
        for arguments, _ in each(WITH_A_ROLE, told="")
    ),
    *(
        (arguments, "no AWS credentials found", {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
        for arguments, _ in each(WITH_A_ROLE, told="")
    ),
    *(
        (arguments, "AWS credentials of this machine", {"AWS_SECRET_ACCESS_KEY": ""})
        for arguments, _ in each(WITH_A_ROLE, told="")
    ),
    *((arguments, "RoleArn", {}) for arguments, _ in each(ASK_OPENSEARCH, "--role-arn", "arn:a", told="")),
    *(
        (arguments, "Could not connect", {})
        for arguments, _ in each(
            ASK_OPENSEARCH, "--role-arn", "arn:aws:iam::111111111111:role/batch", told=""
        )
    ),
    (("served", "--table", "t"), "cannot be read", {}),
    (("served", "--table", "a table"), "cannot be read", {}),
]


@pytest.mark.parametrize(("arguments", "told", "environment"), NOT_ANSWERED)
def test_what_cannot_be_answered_ends_with_1(
    arguments: tuple[str, ...], told: str, environment: dict[str, str]
) -> None:
    code, said = asked(*arguments, **environment)
    assert (code, said.startswith("click-trends: "), told in said) == (1, True, True), said


def test_a_wrong_value_in_a_variable_names_the_option() -> None:
    assert asked("top", CLICK_TRENDS_TIME_ZONE="Mars")[0] == 2
    code, said = asked("top", CLICK_TRENDS_ENDPOINT="")
    assert (code, "CLICK_TRENDS_ENDPOINT" in said) == (2, True)


def test_each_command_is_asked_something_wrong() -> None:
    wrong = {arguments[0] for arguments, _ in WRONG}
    assert COMMANDS.keys() - wrong == {"saved-objects"}  # which takes nothing


def test_the_command_completes_its_commands_and_shows_how_to_install_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # typer looks for the shell among the parents of the process: tests may have none there.
    monkeypatch.setattr("shellingham.detect_shell", lambda: ("bash", "/bin/bash"))
    shown = CliRunner().invoke(app, ["--show-completion"], prog_name="click-trends")
    assert shown.exit_code == 0, shown.output
    assert "_CLICK_TRENDS_COMPLETE=complete_bash" in shown.stdout
    completed = subprocess.run(
        [sys.executable, "-m", "clients.command_line"],
        cwd=PROJECT,
        env={
            "_CLICK_TRENDS_COMPLETE": "complete_bash",
            "COMP_WORDS": "click-trends he",
            "COMP_CWORD": "1",
            "PATH": str(Path(sys.executable).parent),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.stdout.split() == ["heat-map"], completed.stderr
