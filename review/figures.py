"""Figures of a revision that a reviewer compares.

Both are computed by this tree's code, so that a difference is one of the environment and not of the formula.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from review import headroom
from settings.environment import Settings


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Each table: what -> its value, as shown. An empty table: not known, or nothing to tell."""

    tables: Mapping[str, Mapping[str, str]]


NONE = Figures(tables={})


def figures(raw_settings: Mapping[str, Any]) -> Figures:
    """Of an environment; NONE where the settings of an older revision do not fit this tree's model any more.

    A further table is one more line here.
    """
    try:
        settings = Settings.model_validate(raw_settings)
    except ValidationError:
        return NONE
    return Figures(
        tables={
            "Head-room, times the declared peak": {
                hop: headroom.shown(times) for hop, times in headroom.headroom(settings).items()
            },
        }
    )


def differing(old: Figures, new: Figures) -> dict[str, list[tuple[str, str, str]]]:
    """Table -> (what, before, after) of the rows that differ."""
    return {
        title: rows
        for title, table in new.tables.items()
        if (rows := list(_rows(old.tables.get(title, {}), table)))
    }


def _rows(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for what in dict.fromkeys([*new, *old]):
        if old.get(what) != new.get(what):
            yield what, old.get(what, "—"), new.get(what, "—")
