"""The command: writes the configurations of an environment into a directory."""

from pathlib import Path
from typing import Annotated

import typer

from clients.web_servers.rendering import rendered
from settings import SettingsError, load

MADE = Path("clients/web_servers/made")
"""Beside the committed files, which are those of production, and ignored by git."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def write(
    environment: Annotated[str, typer.Option(help="As in environments/<name>.toml.")] = "production",
    into: Annotated[
        Path | None,
        typer.Option(help="Directory for the files; left out: clients/web_servers/made/<environment>."),
    ] = None,
) -> None:
    """Write fluentd's and Fluent Bit's files for the web servers of an environment."""
    try:
        settings = load(environment)
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    files, servers = rendered(settings), settings.web_servers
    into = into or MADE / environment
    into.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (into / name).write_text(text, encoding="utf-8")
        typer.echo(f"{into / name}")
    typer.echo(
        f"Each web server with fluentd needs {servers.disk_gib} GiB free for {servers.state_directory}: "
        "on a smaller disk clicks are lost in an outage (docs/reference/log_collectors.md, Disk)."
    )
