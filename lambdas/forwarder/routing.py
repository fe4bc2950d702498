"""Compile the rules into one function, from a record's bytes to its destination and line."""

import json
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from lambdas.forwarder.rules import EVERY_OTHER_TAG, Rule, Rules
from lambdas.forwarder.timestamps import to_contract_time

# The Kinesis Producer Library opens each aggregated record with these bytes.
KPL_MAGIC = b"\xf3\x89\x9a\xc2"

# Reasons besides missing_<field> and invalid_<field>
KPL_AGGREGATED = "kpl_aggregated"
NOT_JSON = "not_json"
NOT_AN_OBJECT = "not_an_object"
INVALID_TAG = "invalid_tag"
UNKNOWN_TAG = "unknown_tag"
TOO_BIG = "too_big"
ID_NOT_UNICODE = "id_not_unicode"
UNEXPECTED = "unexpected"
"""Routing the record raised an unforeseen exception."""

_Fields = dict[str, Any]
# Stricter than int() and float(), which also take 1_000, digits of other scripts and "nan"
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_IMPOSSIBLE = "no such value"  # without the value, as a deeply nested one has no text
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?", re.ASCII)


class InvalidRecordError(Exception):
    """A record that is not retryable. `tag` is None if it could not be read."""

    def __init__(self, reason: str, tag: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.tag = tag


class NotUnicodeError(ValueError):
    """Text with half a surrogate pair, which JSON can write and UTF-8 cannot."""


class Routed(NamedTuple):
    """A valid record: one line of JSON with its newline. Without a destination it is dropped on purpose."""

    tag: str
    destination: str | None
    line: bytes


def compile_routing(rules: Rules) -> Callable[[bytes], Routed]:
    """A function that routes one record and raises InvalidRecordError."""
    reformats = {tag: _compile_reformat(rule) for tag, rule in rules.tags.items()}
    destinations = {tag: rule.destination for tag, rule in rules.tags.items()}
    has_catch_all = EVERY_OTHER_TAG in rules.tags

    def route(data: bytes) -> Routed:
        record = _parse(data)
        tag = record.get(rules.tag_field)
        if tag is None:
            tag = rules.default_tag
        elif not isinstance(tag, str):
            raise InvalidRecordError(INVALID_TAG)
        rule = tag
        if tag not in reformats:
            if not has_catch_all:
                raise InvalidRecordError(UNKNOWN_TAG, tag)
            rule = EVERY_OTHER_TAG
        destination = destinations[rule]
        if destination is None:
            return Routed(tag, None, b"")
        try:
            reformatted = reformats[rule](record)
        except InvalidRecordError as error:
            raise InvalidRecordError(error.reason, tag) from None
        return Routed(tag, destination, _line(data, None if reformatted is record else reformatted, tag))

    return route


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def _parse(data: bytes) -> _Fields:
    if data.startswith(KPL_MAGIC):
        raise InvalidRecordError(KPL_AGGREGATED)
    try:
        record = _decode(data.decode())
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a number of 5,000 digits, 100,000 brackets
        raise InvalidRecordError(NOT_JSON) from None
    if not isinstance(record, dict):
        raise InvalidRecordError(NOT_AN_OBJECT)
    return record


def _line(original: bytes, reformatted: _Fields | None, tag: str) -> bytes:
    """One line of JSON. An unchanged record keeps its bytes, down to the digits of its numbers."""
    if reformatted is None:
        line = original.strip()
        if b"\n" not in line:
            return line + b"\n"
        reformatted = _parse(original)
    try:
        return (_encode(reformatted) + "\n").encode()
    except (ValueError, RecursionError):  # half a surrogate pair, a number beyond all doubles, deep nesting
        raise InvalidRecordError(NOT_JSON, tag) from None


def _compile_reformat(rule: Rule) -> Callable[[_Fields], _Fields]:
    """A function that returns the same object if nothing changes, else a changed copy."""
    rename = tuple(rule.rename.items())
    default = tuple(rule.default.items())
    required = tuple((name, f"missing_{name}") for name in rule.required)
    casts = tuple((name, _CASTS[cast], f"invalid_{name}") for name, cast in rule.cast.items())
    keep = None if rule.keep is None else frozenset(rule.keep)

    def reformat(record: _Fields) -> _Fields:
        changed = record
        for old, new in rename:
            if old in changed and new not in changed:
                changed = {new if name == old else name: value for name, value in changed.items()}
        for name, value in default:
            if changed.get(name) is None:
                changed = {**changed, name: value}
        for name, reason in required:
            value = changed.get(name)
            if value is None or value == "":
                raise InvalidRecordError(reason)
        for name, cast, reason in casts:
            value = changed.get(name)
            if value is None:
                continue
            try:
                converted = cast(value)
            except NotUnicodeError:
                raise InvalidRecordError(ID_NOT_UNICODE) from None
            except ValueError:
                raise InvalidRecordError(reason) from None
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
