"""The configurations of fluentd and Fluent Bit, from their templates and an environment's settings, and the
output that fluentd needs for its own."""

from pathlib import Path
from string import Template

from contract.click import ID_FIELDS
from settings import Settings

TEMPLATES = Path(__file__).parent
CONFIGURATIONS = ("fluentd.conf", "fluentd.service.conf", "fluent-bit.yaml")
PLUGIN = "out_kinesis_lines.rb"
FILES = (*CONFIGURATIONS, PLUGIN)


class _Template(Template):
    delimiter = "@@"  # free in all three languages, in Lua and in time formats


def rendered(settings: Settings) -> dict[str, str]:
    """File name -> text."""
    names, servers = settings.names, settings.web_servers
    values = {
        "environment": settings.environment,
        "region": settings.regions.oregon,
        "stream": names.source_stream,
        "instance_profile": names.web_server_role,
        "click_log": servers.click_log,
        "state_directory": servers.state_directory,
        "buffer_gib": servers.buffer_gib,
        "id_types": ",".join(f"{field}:string" for field in ID_FIELDS),
        "lua_ids": ", ".join(f'"{field}"' for field in ID_FIELDS),
    }
    configurations = {file: _template(file).substitute(values) for file in CONFIGURATIONS}
    return {**configurations, PLUGIN: (TEMPLATES / PLUGIN).read_text(encoding="utf-8")}


def _template(file: str) -> _Template:
    return _Template((TEMPLATES / f"{file}.template").read_text(encoding="utf-8"))
