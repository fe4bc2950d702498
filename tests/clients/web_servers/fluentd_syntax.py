"""A strict reader of fluentd's configuration: only plugins and parameters that its source has, each once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.clients.web_servers.defaults import DEFAULTS

PLUGINS = {
    "system": "",
    "source": "tail",
    "source parse": "json",
    "match": "kinesis_lines",
    "match instance_profile_credentials": "",
    "match inject": "",
    "match format": "json",
    "match buffer": "file",
}
"""The sections, each with its plugin."""

_OPEN = re.compile(r"<(?P<name>[a-z_]+)(?: (?P<argument>\S+))?>")


@dataclass
class FluentdSection:
    name: str
    argument: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    sections: dict[str, "FluentdSection"] = field(default_factory=dict)

    def __getitem__(self, parameter: str) -> str:
        return self.parameters[parameter]

    def settings(self) -> dict[str, str]:
        """`match buffer path` and so on -> value, for all parameters below this section."""
        return dict(self._settings(()))

    def _settings(self, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for parameter, value in self.parameters.items():
            yield " ".join((*place, parameter)), value
        for section in self.sections.values():
            yield from section._settings((*place, section.name))


def read(text: str) -> FluentdSection:
    """The file as a section without a name; raises ValueError with the line that is wrong."""
    root = FluentdSection("")
    open_sections = [root]
    for number, raw in enumerate(text.splitlines(), 1):
        line, section = raw.strip(), open_sections[-1]
        if not line or line.startswith("#"):
            continue
        if line == f"</{section.name}>":
            _check(" ".join(each.name for each in open_sections[1:]), section, number)
            open_sections.pop()
        elif opening := _OPEN.fullmatch(line):
            new = FluentdSection(opening["name"], opening["argument"] or "")
            if new.name in section.sections:
                raise ValueError(f"line {number}: a second <{new.name}>")
            section.sections[new.name] = new
            open_sections.append(new)
        elif section is root or line.startswith("<"):
            raise ValueError(f"line {number}: {line} has no place here")
        else:
            name, _, value = line.partition(" ")
            if name in section.parameters or not value:
                raise ValueError(f"line {number}: {name} is there twice, or has no value")
            section.parameters[name] = value
    if len(open_sections) > 1:
        raise ValueError(f"<{open_sections[-1].name}> is not closed")
    return root


def in_bytes(size: str) -> int:
    """fluentd's type `size`: 70k and so on."""
    return int(size[:-1]) * {"k": 2**10, "m": 2**20, "g": 2**30}[size[-1]]


def _check(place: str, section: FluentdSection, number: int) -> None:
    plugin = section.parameters.get("@type", "")
    if PLUGINS.get(place) != plugin:
        raise ValueError(f"line {number}: {place}/{plugin} is no plugin that is used here")
    known = DEFAULTS["fluentd.conf"]
    if unknown := [name for name in section.parameters if f"{place} {name}" not in known]:
        raise ValueError(f"line {number}: {place}/{plugin} has no {', '.join(unknown)}")
