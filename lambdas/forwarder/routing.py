"""Compile the rules into one function, from a click to its destination and line."""

import json
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from contract.click import Click
from lambdas.forwarder.rules import EVERY_OTHER_TAG, Rule, Rules
from lambdas.forwarder.timestamps import to_contract_time

# Reasons besides missing_<field> and invalid_<field>
INVALID_TAG = "invalid_tag"
UNKNOWN_TAG = "unknown_tag"
TOO_BIG = "too_big"
ID_NOT_UNICODE = "id_not_unicode"
NOT_REWRITABLE = "not_rewritable"
"""The click must be written anew and cannot: half a surrogate pair, a number beyond all doubles."""
UNEXPECTED = "unexpected"
"""Routing the click raised an unforeseen exception."""

_Fields = dict[str, Any]
# Stricter than int() and float(), which also take 1_000, digits of other scripts and "nan"
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_IMPOSSIBLE = "no such value"  # without the value, as a deeply nested one has no text
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?", re.ASCII)


class InvalidClickError(Exception):
    """A click that is not retryable. `tag` is None if it could not be read."""

    def __init__(self, reason: str, tag: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.tag = tag


class NotUnicodeError(ValueError):
    """Text with half a surrogate pair, which JSON can write and UTF-8 cannot."""


class Routed(NamedTuple):
    """A valid click: one line of JSON with its newline. Without a destination it is dropped on purpose."""

    tag: str
    destination: str | None
    line: bytes


def compile_routing(rules: Rules) -> Callable[[Click], Routed]:
    """A function that routes one click and raises InvalidClickError."""
    reformats = {tag: _compile_reformat(rule) for tag, rule in rules.tags.items()}
    destinations = {tag: rule.destination for tag, rule in rules.tags.items()}
    has_catch_all = EVERY_OTHER_TAG in rules.tags
    tag_field, default_tag = rules.tag_field, rules.default_tag

    def route(click: Click) -> Routed:
        fields, written = click
        tag = fields.get(tag_field)
        if tag is None:
            tag = default_tag
        elif not isinstance(tag, str):
            raise InvalidClickError(INVALID_TAG)
        rule = tag
        if tag not in reformats:
            if not has_catch_all:
                raise InvalidClickError(UNKNOWN_TAG, tag)
            rule = EVERY_OTHER_TAG
        destination = destinations[rule]
        if destination is None:
            return Routed(tag, None, b"")
        try:
            reformatted = reformats[rule](fields)
        except InvalidClickError as error:
            raise InvalidClickError(error.reason, tag) from None
        if reformatted is fields:  # as it is written, down to the digits of its numbers
            return Routed(tag, destination, written + b"\n")
        return Routed(tag, destination, _line(reformatted, tag))

    return route


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _line(fields: _Fields, tag: str) -> bytes:
    try:
        return (_encode(fields) + "\n").encode()
    except (ValueError, RecursionError):  # half a surrogate pair, a number beyond all doubles, deep nesting
        raise InvalidClickError(NOT_REWRITABLE, tag) from None


def _compile_reformat(rule: Rule) -> Callable[[_Fields], _Fields]:
    """A function that returns the same object if nothing changes, else a changed copy."""
    rename = tuple(rule.rename.items())
    default = tuple(rule.default.items())
    required = tuple((name, f"missing_{name}") for name in rule.required)
    casts = tuple((name, _CASTS[cast], f"invalid_{name}") for name, cast in rule.cast.items())
    keep = None if rule.keep is None else frozenset(rule.keep)

    def reformat(fields: _Fields) -> _Fields:
        changed = fields
        for old, new in rename:
            if old in changed and new not in changed:
                changed = {new if name == old else name: value for name, value in changed.items()}
        for name, value in default:
            if changed.get(name) is None:
                changed = {**changed, name: value}
        for name, reason in required:
            value = changed.get(name)
            if value is None or value == "":
                raise InvalidClickError(reason)
        for name, cast, reason in casts:
            value = changed.get(name)
            if value is None:
                continue
            try:
                converted = cast(value)
            except NotUnicodeError:
                raise InvalidClickError(ID_NOT_UNICODE) from None
            except ValueError:
                raise InvalidClickError(reason) from None
            if converted is not value:
                changed = {**changed, name: converted}
        if keep is not None and not keep.issuperset(changed):
            changed = {name: value for name, value in changed.items() if name in keep}
        return changed

    return reformat


def _to_string(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_IMPOSSIBLE)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(_IMPOSSIBLE)
    return str(value)


def _to_id(value: object) -> str:
    if isinstance(value, str) and value.isascii():
        return value
    text = _to_string(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotUnicodeError(str(error)) from error
    return text


def _to_integer(value: object) -> int:
    if isinstance(value, bool):
        raise ValueError(_IMPOSSIBLE)
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise ValueError(_IMPOSSIBLE)


def _to_number(value: object) -> int | float:
    if isinstance(value, bool):
        raise ValueError(_IMPOSSIBLE)
    number = float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    if isinstance(number, int) or (isinstance(number, float) and math.isfinite(number)):
        return number
    raise ValueError(_IMPOSSIBLE)


def _to_boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    known = _BOOLEANS.get(str(value).lower()) if isinstance(value, str | int | float) else None
    if known is None:
        raise ValueError(_IMPOSSIBLE)
    return known


_CASTS: dict[str, Callable[[object], object]] = {
    "boolean": _to_boolean,
    "id": _to_id,
    "integer": _to_integer,
    "number": _to_number,
    "string": _to_string,
    "timestamp": to_contract_time,
}
