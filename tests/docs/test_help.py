"""The help of the commands: an option without a value has no type beside it."""

import pytest
import typer
from typer.testing import CliRunner

from batch_server.command import app as batch_server
from cost.command import app as cost
from doctor.command import app as doctor
from traffic.put_counts import app as put_counts
from twin.command import app as twin
from web_servers.command import app as web_servers

APPS = {
    "batch_server": batch_server,
    "cost": cost,
    "doctor": doctor,
    "traffic.put_counts": put_counts,
    "twin": twin,
    "web_servers": web_servers,
}


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_an_option_without_a_value_has_no_type_beside_it(app: typer.Typer) -> None:
    subcommands = [[name] for name in vars(typer.main.get_command(app)).get("commands", {})]
    for command in [[], *subcommands]:
        shown = CliRunner().invoke(app, [*command, "--help"], terminal_width=80)
        assert shown.exit_code == 0, shown.output
        assert "--help" in shown.output
        assert "bool" not in shown.output.lower(), command
