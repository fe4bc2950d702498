"""The resources of a cloud assembly, stack by stack, with the region of each."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OWN_NAMES = {
    "AlarmName",
    "ApplicationName",
    "BucketName",
    "DashboardName",
    "DeliveryStreamName",
    "DomainName",
    "FunctionName",
    "LogGroupName",
    "TableName",
    "UserPoolName",
}


class AssemblyError(Exception):
    """A folder is no cloud assembly; the message says what to do."""


class UnpricedError(Exception):
    """Nothing tells what a resource costs; the message says why, and where to add it."""


@dataclass(frozen=True, kw_only=True)
class TemplateResource:
    stack: str
    region: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The physical name, empty where CloudFormation makes one up."""
        names = (value for key, value in self.properties.items() if key == "Name" or key in _OWN_NAMES)
        return next((value for value in names if isinstance(value, str)), "")

    def at(self, path: str) -> Any:
        """The property at `A.B`; None where there is none."""
        value: Any = self.properties
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def number(self, path: str, otherwise: float | None = None) -> float:
        """The number at `A.B`, or what AWS takes where it is left out. Raises UnpricedError."""
        value = self.at(path)
        if value is None and otherwise is not None:
            return otherwise
        if isinstance(value, bool) or not isinstance(value, int | float):
            said = "left out" if value is None else f"no number: {value}"
            raise UnpricedError(f"{self.type} {self.name or self.logical_id}: `{path}` is {said}")
        return value

    def is_meant_by(self, value: object) -> bool:
        """Whether `value`, in a template of the same stack, refers to this resource: Ref, GetAtt or name."""
        if isinstance(value, str):
            return any(value == name for key, name in self.properties.items() if key.endswith("Name"))
        if not isinstance(value, dict):
            return False
        return value.get("Ref") == self.logical_id or self.logical_id in value.get("Fn::GetAtt", [])


def read_resources(assembly: Path) -> tuple[TemplateResource, ...]:
    """Raises AssemblyError."""
    manifest = assembly / "manifest.json"
    if not manifest.is_file():
        raise AssemblyError(f"{assembly} is no cloud assembly, it has no manifest.json: synthesise first")
    artifacts = json.loads(manifest.read_text(encoding="utf-8"))["artifacts"]
    return tuple(
        TemplateResource(
            stack=stack,
            region=artifact["environment"].rsplit("/", 1)[-1],
            logical_id=logical_id,
            type=str(body.get("Type")),
            properties=_mapping(body.get("Properties")),
        )
        for stack, artifact in sorted(artifacts.items())
        if artifact["type"] == "aws:cloudformation:stack"
        for logical_id, given in _template(assembly / artifact["properties"]["templateFile"]).items()
        for body in [_mapping(given)]
    )


def of_type(resources: Iterable[TemplateResource], resource_type: str) -> Iterator[TemplateResource]:
    return (resource for resource in resources if resource.type == resource_type)


def _template(file: Path) -> Mapping[str, Any]:
    return _mapping(json.loads(file.read_text(encoding="utf-8")).get("Resources"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
