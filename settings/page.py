"""Makes docs/reference/settings.md from the models: each setting with its type, default, limits and text.

python -m settings.page > docs/reference/settings.md
"""

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from settings.environment import Settings
from settings.section import Section

HEAD = """# Settings

This page lists every setting of an environment, for whoever writes a file `environments/<name>.toml`.

A setting left out has its default. An unknown setting, or settings that do not fit each other, end the
synthesis with a message that says what to write instead. `make docs` generates this page from `settings/`.
"""


def page() -> str:
    tables = [_table("The environment itself", Settings, [])]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            tables.append(_table(f"`[{name}]`", section, [_first_sentence(section)]))
    return "\n".join([HEAD, *tables])


def _first_sentence(section: type[Section]) -> str:
    module = __import__(section.__module__, fromlist=["__doc__"])
    return (module.__doc__ or "").strip().splitlines()[0]


def _table(title: str, model: type[Section], intro: list[str]) -> str:
    rows = [
        f"| `{name}` | {_type(field)} | {_default(field)} | {_cell(field.description or '')} |"
        for name, field in model.model_fields.items()
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Section))
    ]
    head = ["| setting | value | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {title}", "", *(line for text in intro for line in (text, "")), *head, *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(field: FieldInfo) -> str:
    limits = "".join(f", {text}" for text in [_limits(_constraints(field))] if text)
    return _words(field.annotation) + limits


def _constraints(field: FieldInfo) -> list[Any]:
    """Those of the field and, if it is optional, those of the annotation in it."""
    inner = [
        constraint for part in get_args(field.annotation) for constraint in getattr(part, "__metadata__", ())
    ]
    return [
        constraint
        for found in (*field.metadata, *inner)
        for constraint in (found.metadata if isinstance(found, FieldInfo) else [found])
    ]


def _words(annotation: Any) -> str:
    if hasattr(annotation, "__metadata__"):
        return _words(annotation.__origin__)
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if origin in (Union, types.UnionType):
        return " or ".join(_words(part) for part in get_args(annotation) if part is not type(None))
    if origin is list:
        return f"list of {_words(get_args(annotation)[0])}"
    if origin is dict:
        return f"table of {' to '.join(map(_words, get_args(annotation)))}"
    return {int: "whole number", float: "number", str: "text", bool: "`true` or `false`"}[annotation]


def _limits(constraints: list[Any]) -> str:
    def texts() -> Iterator[str]:
        for constraint in constraints:
            match constraint:
                case Ge(ge=value):
                    yield f"from {value:,}"
                case Gt(gt=value):
                    yield f"above {value:,}"
                case Le(le=value):
                    yield f"to {value:,}"
                case Lt(lt=value):
                    yield f"below {value:,}"
                case _ if pattern := getattr(constraint, "pattern", None):
                    yield f"matching `{_cell(pattern)}`"

    return " ".join(texts())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default()
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(page(), end="")
