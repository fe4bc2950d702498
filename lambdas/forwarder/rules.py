"""The routing rules, and the check of them that synth and cold start share.

Standard library only, so that the function's zip carries no validation library.
"""

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CASTS = ("boolean", "id", "integer", "number", "string", "timestamp")
EVERY_OTHER_TAG = "*"

_STEPS = ("rename", "default", "required", "cast", "keep")
_RULE_KEYS = ("destination", "drop", *_STEPS)
_TOP_LEVEL_KEYS = ("tag_field", "default_tag", "tags")


class RulesError(ValueError):
    """The rules cannot be used; the message lists every problem with its place and remedy."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What happens to one tag's clicks. `destination` is None if they are dropped on purpose."""

    destination: str | None
    rename: Mapping[str, str] = field(default_factory=dict)
    default: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    cast: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Rules:
    tag_field: str
    default_tag: str
    tags: Mapping[str, Rule]

    @property
    def destinations(self) -> tuple[str, ...]:
        """Logical names of the destinations in use, unique and sorted."""
        return tuple(sorted({rule.destination for rule in self.tags.values() if rule.destination}))


def destination_variable(destination: str) -> str:
    """The environment variable with a destination's ARN: source-stream -> DESTINATION_SOURCE_STREAM."""
    return "DESTINATION_" + destination.upper().replace("-", "_")


def load_rules(path: Path) -> Rules:
    """Read and check a rules file. Raises RulesError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulesError(f"{path.name} is not TOML: {error}. Correct that line.") from error
    return read_rules(document, source=path.name)


def read_rules(document: Mapping[str, Any], *, source: str) -> Rules:
    """Check a parsed rules document. source: its name in messages. Raises RulesError with all problems."""
    check = _Check(source)
    check.known_keys(document, _TOP_LEVEL_KEYS, "at the top")
    tag_field = check.text(document.get("tag_field", "tag"), "tag_field")
    default_tag = check.text(document.get("default_tag", "click"), "default_tag")
    tags = document.get("tags")
    if not isinstance(tags, dict) or not tags:
        check.problem(
            "tags", "no tag has a rule, so every click would be rejected; add a table such as [tags.click]"
        )
        tags = {}
    rules = {tag: _read_rule(check, tag, table) for tag, table in tags.items()}
    if tags and default_tag not in rules and EVERY_OTHER_TAG not in rules:
        check.problem(
            "default_tag",
            f"'{default_tag}' has no rule; add [tags.{default_tag}] or name one of {_listed(rules)}",
        )
    check.raise_problems()
    return Rules(tag_field=tag_field, default_tag=default_tag, tags=rules)


def _read_rule(check: "_Check", tag: str, table: object) -> Rule:
    place = f"[tags.{tag}]"
    if not isinstance(table, dict):
        check.problem(place, f"is {table!r}; write a table with `destination` or `drop = true`")
        return Rule(destination=None)
    check.known_keys(table, _RULE_KEYS, f"in {place}")
    rule = Rule(
        destination=_read_destination(check, table, place),
        rename=check.mapping(table, "rename", place, check.text),
        default=check.mapping(table, "default", place, check.json_value),
        required=check.names(table, "required", place) or (),
        cast=check.mapping(table, "cast", place, check.cast),
        keep=check.names(table, "keep", place),
    )
    _check_steps_agree(check, rule, place)
    return rule


def _read_destination(check: "_Check", table: Mapping[str, Any], place: str) -> str | None:
    drop = table.get("drop", False)
    if not isinstance(drop, bool):
        check.problem(f"{place} drop", f"is {drop!r}; write `drop = true` or leave it out")
    elif drop and (idle := [key for key in table if key in _STEPS]):
        check.problem(place, f"drops the click before {_listed(idle)}; remove that, or `drop`")
    elif ("destination" in table) == drop:
        check.problem(place, 'needs exactly one of `destination = "name"` and `drop = true`')
    if "destination" not in table:
        return None
    return check.text(table["destination"], f"{place} destination")


def _check_steps_agree(check: "_Check", rule: Rule, place: str) -> None:
    for old, new in rule.rename.items():
        for step, fields in (("default", rule.default), ("required", rule.required), ("cast", rule.cast)):
            if old in fields and old not in rule.rename.values():
                check.problem(
                    f"{place} {step}", f"'{old}' was renamed to '{new}' before this step; write '{new}' here"
                )
    if rule.keep is not None:
        for step, fields in (("required", rule.required), ("cast", rule.cast), ("default", rule.default)):
            for name in fields:
                if name not in rule.keep:
                    check.problem(
                        f"{place} keep", f"leaves out '{name}', which `{step}` names; add it to keep"
                    )


class _Check:
    """Collects problems, so that one run shows them all."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def problem(self, place: str, text: str) -> None:
        self.problems.append(f"{self.source}: {place}: {text}.")

    def raise_problems(self) -> None:
        if self.problems:
            raise RulesError("\n".join(self.problems))

    def known_keys(self, table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in known:
                self.problem(key, f"is not a setting {where}; use one of {_listed(known)}")

    def text(self, value: object, place: str) -> str:
        if not isinstance(value, str) or not value:
            self.problem(place, f"is {value!r}; write non-empty text in quotes")
            return ""
        return value

    def cast(self, value: object, place: str) -> str:
        if value not in CASTS:
            self.problem(place, f"{value!r} is not a cast; use one of {_listed(CASTS)}")
        return str(value)

    def json_value(self, value: object, place: str) -> object:
        is_json = isinstance(value, str | int | bool) or (isinstance(value, float) and math.isfinite(value))
        if not is_json:
            self.problem(place, f"is {value!r}; a default is text, a number, true or false")
        return value

    def names(self, table: Mapping[str, Any], key: str, place: str) -> tuple[str, ...] | None:
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            self.problem(f"{place} {key}", f'is {value!r}; write a list such as ["click_id"]')
            return None
        return tuple(self.text(name, f"{place} {key}") for name in value)

    def mapping(
        self, table: Mapping[str, Any], key: str, place: str, read: Callable[[object, str], Any]
    ) -> dict[str, Any]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            self.problem(f"{place} {key}", f'is {value!r}; write {{ field = "..." }}')
            return {}
        return {name: read(entry, f"{place} {key}.{name}") for name, entry in value.items()}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
