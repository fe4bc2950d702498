"""The help of the commands: an option without a value has no type beside it."""

import pytest
import typer
from typer.testing import CliRunner

from clients.command_line.command import app as command_line
from clients.web_servers.command import app as web_servers
from operations.cost.command import app as cost
from operations.doctor.command import app as doctor
from twin.command import app as twin

APPS = {
    "click-trends": command_line,
    "operations.cost": cost,
    "operations.doctor": doctor,
    "twin": twin,
    "clients.web_servers": web_servers,
}


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_an_option_without_a_value_has_no_type_beside_it(app: typer.Typer) -> None:
    subcommands = [[name] for name in vars(typer.main.get_command(app)).get("commands", {})]
    for command in [[], *subcommands]:
        shown = CliRunner().invoke(app, [*command, "--help"], terminal_width=80)
        assert shown.exit_code == 0, shown.output
        assert "--help" in shown.output
        assert "bool" not in shown.output.lower(), command
