"""The configurations of fluentd and Fluent Bit, from their templates and an environment's settings."""

from pathlib import Path
from string import Template

from names import OREGON
from settings import Settings

TEMPLATES = Path(__file__).parent
FILES = ("fluentd.conf", "fluent-bit.yaml")

IDS = ("click_id", "user_id", "article_id")
"""Text in the click contract, docs/contracts.md, whatever the log has."""


class _Template(Template):
    delimiter = "@@"  # free in both languages, in Lua and in time formats


def rendered(settings: Settings) -> dict[str, str]:
    """File name -> text."""
    names, servers = settings.names, settings.web_servers
    values = {
        "environment": settings.environment,
        "region": OREGON,
        "stream": names.source_stream,
        "instance_profile": names.web_server_role,
        "click_log": servers.click_log,
        "state_directory": servers.state_directory,
        "buffer_gib": servers.buffer_gib,
        "id_types": ",".join(f"{field}:string" for field in IDS),
        "lua_ids": ", ".join(f'"{field}"' for field in IDS),
    }
    return {file: _template(file).substitute(values) for file in FILES}


def _template(file: str) -> _Template:
    return _Template((TEMPLATES / f"{file}.template").read_text(encoding="utf-8"))
