"""Reads the settings of an environment and refuses those that cannot work."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from settings import capacity, consistency, latency
from settings.environment import Settings

ENVIRONMENTS = Path(__file__).parent.parent / "environments"


class SettingsError(Exception):
    """The settings of an environment cannot be used; the message names the file and says how to fix it."""


def load(environment: str, folder: Path = ENVIRONMENTS) -> Settings:
    """Settings of `environment` from its TOML file; raises SettingsError."""
    path = folder / f"{environment}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml"))) or "none"
        raise SettingsError(
            f"There is no environment '{environment}' (known: {known}). "
            f"Choose one with ENVIRONMENT=NAME (make) or -c environment=NAME (cdk), or write {_shown(path)}."
        )
    try:
        values = tomllib.loads(path.read_text())
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


def _explained(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{key}: there is no such setting. Correct its name or remove it: docs/settings.md lists all."
    if detail["type"] == "missing":
        return f"{key}: is required. {_described(key)}"
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
