"""Each line of the rendered files that has a default says above it what that default would do."""

import re

import pytest
import yaml

from clients.web_servers.rendering import CONFIGURATIONS
from tests.clients.web_servers.commented_lines import commented_lines
from tests.clients.web_servers.defaults import DEFAULTS, NONE
from tests.clients.web_servers.fluentd_syntax import read


def settings_in(file: str, text: str) -> set[str]:
    """`section parameter` for every parameter of a rendered file, as its program reads it."""
    if file == "fluentd.conf":
        return set(read(text).settings())
    if file == "fluentd.service.conf":
        [section] = re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)
        return {f"{section} {name}" for name in re.findall(r"^(\w+)=", text, re.MULTILINE)}
    whole = yaml.safe_load(text)
    [parser], pipeline = whole["parsers"], whole["pipeline"]
    places = {
        "service": whole["service"],
        "parsers": parser,
        **{kind: only for kind, [only] in pipeline.items()},
    }
    return {f"{place} {name}" for place, values in places.items() for name in values}


@pytest.mark.parametrize("file", CONFIGURATIONS)
def test_every_line_that_the_program_reads_is_found(file: str, production: dict[str, str]) -> None:
    found = [setting for setting, _, _ in commented_lines(file, production[file])]
    assert sorted(found) == sorted(settings_in(file, production[file]))


@pytest.mark.parametrize("file", CONFIGURATIONS)
def test_a_line_says_what_its_default_does_or_why_it_repeats_it(
    file: str, production: dict[str, str]
) -> None:
    unexplained = [
        setting
        for setting, value, comment in commented_lines(file, production[file])
        if (default := DEFAULTS[file][setting]) != NONE
        and ("Written out: " if value == default else f"Default {default}: ") not in comment
    ]
    assert unexplained == []
