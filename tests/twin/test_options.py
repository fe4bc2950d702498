"""The options of `make run`, up to the run itself."""

import signal
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from typer.testing import CliRunner

from twin import command


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """A run has its own handlers."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--speed", "5"), "SPEED needs a file"),
        (("--input", "clicks.json", "--rate", "5"), "for a file give SPEED"),
        (("--input", "clicks.json", "--seconds", "5"), "for a file give SPEED"),
        (("--rate", "inf"), "value for RATE"),
    ],
)
def test_an_option_without_effect_is_refused(arguments: tuple[str, ...], told: str) -> None:
    with mock.patch.object(command, "demonstrate", autospec=True) as demonstrate:
        result = CliRunner().invoke(command.app, arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    demonstrate.assert_not_called()


def test_by_default_clicks_are_simulated_and_a_file_is_sent_at_once() -> None:
    with mock.patch.object(command, "demonstrate", autospec=True, return_value=True) as demonstrate:
        for arguments in ([], ["--input", "clicks.json"]):
            assert CliRunner().invoke(command.app, arguments).exit_code == 0
    simulated, replayed = (call.kwargs for call in demonstrate.call_args_list)
    assert simulated == {"input_file": None, "speed": 0.0, "rate": 200.0, "seconds": None}
    assert replayed == {"input_file": Path("clicks.json"), "speed": 0.0, "rate": 200.0, "seconds": None}
