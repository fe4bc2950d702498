"""Reads the settings of an environment and refuses those that cannot work."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from settings import capacity, consistency, latency
from settings.environment import Settings

ENVIRONMENTS = Path(__file__).parent.parent / "environments"


class SettingsError(Exception):
    """The settings of an environment cannot be used. The message names the file and says how to fix it."""


def load(environment: str, folder: Path = ENVIRONMENTS) -> Settings:
    """Settings of `environment` from its TOML file; raises SettingsError."""
    path = folder / f"{environment}.toml"
    try:
        values = tomllib.loads(_text(path, environment))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{_shown(path)} is not valid TOML: {error}.") from error
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        lines = "\n".join(f"  {_explained(detail)}" for detail in error.errors())
        raise SettingsError(f"{_shown(path)} cannot be used:\n{lines}") from error
    checks = (consistency, capacity, latency)
    if problems := [problem for check in checks for problem in check.problems(settings)]:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise SettingsError(f"{_shown(path)} cannot be used:\n{lines}")
    if settings.environment != environment:
        raise SettingsError(
            f'{_shown(path)} says environment = "{settings.environment}": '
            f'write "{environment}" there, or rename the file to {settings.environment}.toml.'
        )
    return settings


def _text(path: Path, environment: str) -> str:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.toml"))) or "none"
        raise SettingsError(
            f"There is no environment '{environment}' (known: {known}). "
            f"Choose one with ENVIRONMENT=NAME (make) or -c environment=NAME (cdk), or write {_shown(path)}."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(
            f"{_shown(path)} cannot be read ({reason}): make it a readable file, or choose another "
            "environment with ENVIRONMENT=NAME."
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _not_utf8(path, line, "UTF-16" if b"\0" in content else "SHIFT_JIS") from error
    if "\0" in text:  # UTF-16 without a mark
        raise _not_utf8(path, text[: text.index("\0")].count("\n") + 1, "UTF-16")
    return text


def _not_utf8(path: Path, line: int, likely: str) -> SettingsError:
    """likely: the encoding to convert from, as iconv calls it."""
    return SettingsError(
        f"{_shown(path)} is not UTF-8 (line {line}), as TOML must be: save it as UTF-8, for example with "
        f"`iconv -f {likely} -t UTF-8`."
    )


def _explained(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return (
            f"{key}: there is no such setting. Correct its name or remove it; "
            "docs/reference/settings.md lists all."
        )
    if detail["type"] == "missing":
        return f"{key}: required. {_described(key)}"
    return f"{key}: {detail['msg']}. {_described(key)}".rstrip()


def _described(key: str) -> str:
    model: Any = Settings
    field = None
    for part in key.split("."):
        fields = getattr(model, "model_fields", {})
        field = fields.get(part)
        model = field.annotation if field else None
    return (field.description or "") if field else ""


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
