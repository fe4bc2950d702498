"""Durations as they are written at the command line."""

from datetime import timedelta
from typing import Any

import pytest
import typer

from clients.batch_server.duration import duration_text, parse_duration
from clients.command_line.command import app
from contract.count import WINDOW


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400), (" 5m ", 300), ("366d", 366 * 86_400)],
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["10s", "90s", "1m", "5m", "90m", "1h", "1d", "366d"])
def test_a_duration_is_written_in_its_largest_unit(text: str) -> None:
    assert duration_text(parse_duration(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "10", "m", "0m", "-5m", "1.5h", "10 m", "5w", "9999999d", "1" * 5000 + "s"),
        "\N{ARABIC-INDIC DIGIT FIVE}m",
    ],
)
def test_a_bad_duration_is_answered_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write .*d"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("top", ["10m"]),
        ("trend", ["10m", duration_text(WINDOW)]),
        ("rising", ["10m", "1h"]),
        ("board", ["10m", "1h"]),
    ],
)
def test_the_help_shows_the_default_of_a_duration_as_it_is_written(name: str, shown: list[str]) -> None:
    commands: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
    defaults = [option.default for option in commands[name].params if option.metavar == "DURATION"]
    assert [default for default in defaults if default is not None] == shown
