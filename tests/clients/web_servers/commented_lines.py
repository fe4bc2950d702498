"""The lines of a rendered file in their order, each with its value and the comment above it."""

import re
from collections.abc import Iterator

_FLUENTD_SECTION = re.compile(r"<(?P<end>/?)(?P<name>[a-z_]+)(?: \S+)?>")
_PLACE = re.compile(r"\[(\w+)\]| {0,2}(\w+):")
_SETTING = {
    "fluentd.conf": re.compile(r" *([@\w]+) (.+)"),
    "fluentd.service.conf": re.compile(r"(\w+)=(.+)"),
    "fluent-bit.yaml": re.compile(r" {2,6}(?:- )?([\w.]+): (.+)"),  # deeper lines are the filter's Lua
}


def commented_lines(file: str, text: str) -> Iterator[tuple[str, str, str]]:
    """(`section parameter`, value, the comment above it) in the order of the file."""
    places: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            comment.append(line.strip(" #"))
            continue
        if section := _FLUENTD_SECTION.fullmatch(line.strip()):
            places = places[:-1] if section["end"] else [*places, section["name"]]
        elif place := _PLACE.fullmatch(line):
            places = [place[1] or place[2]]
        elif setting := _SETTING[file].fullmatch(line):
            yield " ".join([*places, setting[1]]), setting[2], " ".join(comment)
        comment = []
