"""Synthesised cloud assemblies: their stacks and resources, physical names, and what refers to what.

Reads the files that synthesis writes, and needs neither the CDK nor AWS.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

_STACK, _ASSETS = "aws:cloudformation:stack", "cdk:asset-manifest"

LABELLED = {"AWS::Cognito::IdentityPool", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"}
"""Types that Cognito identifies by an id of its own: their name is a label, which several may have."""

PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": "(nothing)",
    "AWS::StackName": "(this stack)",
}


class AssemblyError(Exception):
    """A folder is no cloud assembly; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """body: as it stands in its template."""

    stack: str
    region: str
    logical_id: str
    body: Mapping[str, Any]

    @property
    def type(self) -> str:
        return str(self.body.get("Type"))

    @property
    def properties(self) -> Mapping[str, Any]:
        return as_mapping(self.body.get("Properties"))

    @property
    def name(self) -> str | None:
        return physical_name(self.body)

    def at(self, path: str) -> Any:
        """The property at `A.B`; None where there is none."""
        return at(self.properties, path)

    def with_properties(self, **properties: Any) -> "Resource":
        """The same with these properties instead of its own, or besides."""
        return replace(self, body={**self.body, "Properties": {**self.properties, **properties}})

    def is_named_by(self, value: object) -> bool:
        """Whether `value` is this resource's physical name: as a text, or as its Ref."""
        return value == (self.name if isinstance(value, str) else {"Ref": self.logical_id})

    def is_meant_by(self, value: object) -> bool:
        """Whether `value`, in a template of the same stack, means this resource: Ref, Fn::GetAtt or name."""
        return self.is_named_by(value) or referred(value) == self.logical_id


@dataclass(frozen=True, kw_only=True)
class Stack:
    """needs: stacks that are deployed before it; paths: logical id -> path of its construct below the stack;
    metadata: of synthesis, by path below the stack; asset_manifests: their contents; artifact: its properties
    in the manifest of the assembly.
    """

    name: str
    account: str
    region: str
    needs: tuple[str, ...] = ()
    template: Mapping[str, Any] = field(repr=False)
    paths: Mapping[str, str] = field(default_factory=dict, repr=False)
    metadata: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)
    asset_manifests: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    artifact: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """Logical id -> body."""
        return as_mapping(self.template.get("Resources"))


def read_stacks(assembly: Path) -> tuple[Stack, ...]:
    """The stacks of a folder that synthesis wrote, each after those it needs. Raises AssemblyError."""
    manifest = assembly / "manifest.json"
    if not manifest.is_file():
        raise AssemblyError(f"{assembly} is no cloud assembly, it has no manifest.json: synthesise first")
    artifacts = json.loads(manifest.read_text(encoding="utf-8"))["artifacts"]
    done: dict[str, Stack] = {}

    def add(name: str) -> None:
        if name not in done and artifacts[name]["type"] == _STACK:
            for needed in artifacts[name].get("dependencies", ()):
                add(needed)
            done[name] = _stack(assembly, name, artifacts)

    for name in artifacts:
        add(name)
    return tuple(done.values())


def read_resources(assembly: Path) -> tuple[Resource, ...]:
    """The resources of an assembly, by the names of their stacks. Raises AssemblyError."""
    return tuple(
        resource
        for stack in sorted(read_stacks(assembly), key=lambda stack: stack.name)
        for resource in resources_of(stack.template, stack=stack.name, region=stack.region)
    )


def resources_of(template: Mapping[str, Any], *, stack: str, region: str) -> Iterator[Resource]:
    for logical_id, body in as_mapping(template.get("Resources")).items():
        yield Resource(stack=stack, region=region, logical_id=logical_id, body=as_mapping(body))


def of_type(resources: Iterable[Resource], resource_type: str) -> Iterator[Resource]:
    return (resource for resource in resources if resource.type == resource_type)


def physical_name(body: Mapping[str, Any]) -> str | None:
    """The name that a resource's template gives it; None where CloudFormation makes one up.

    It is the property `<Kind>Name` or an ending of that (`AlarmName` of a CompositeAlarm), else `Name`.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
    """
    kind = str(body.get("Type"))
    properties = as_mapping(body.get("Properties"))
    if kind in LABELLED:
        return None
    words = re.findall(r"[A-Z][a-z0-9]*", kind.rpartition("::")[2])
    for first in range(len(words) + 1):
        if isinstance(name := properties.get(f"{''.join(words[first:])}Name"), str):
            return name
    return None


def at(value: Any, path: str) -> Any:
    """The value at `A.B`; None where there is none."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def as_mapping(value: Any) -> Mapping[str, Any]:
    """What should be an object; empty where it is something else."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """What may be one value, several, or none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def is_intrinsic(value: Any) -> bool:
    """Whether it is a call of an intrinsic function: `Ref`, `Fn::Join`."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))


def referred(value: Any) -> str | None:
    """The logical id in `Ref` or `Fn::GetAtt`."""
    match value:
        case {"Ref": str(logical_id)} | {"Fn::GetAtt": [str(logical_id), *_]}:
            return logical_id
    return None


def references(value: Any) -> set[str]:
    """Logical ids in `Ref`, `Fn::GetAtt` and `DependsOn`, at any depth."""
    found: set[str] = set()
    if isinstance(value, Mapping):
        named = [referred(value), *as_list(value.get("DependsOn"))]
        found.update(one for one in named if isinstance(one, str))
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        found |= references(item)
    return found


def resolver(stacks: Iterable[Stack], stack: Stack) -> Callable[[Any], Any]:
    """A function that puts names in place of what a template of `stack` computes with Ref, Fn::GetAtt,
    Fn::Join, Fn::Sub and Fn::ImportValue.

    A resource without a name is named by its construct's path. What is not known stays as it is.
    """
    exports = {
        output["Export"]["Name"]: (owner, output["Value"])
        for owner in stacks
        for output in owner.template.get("Outputs", {}).values()
        if isinstance(output.get("Export", {}).get("Name"), str)
    }

    def reference(owner: Stack, logical_id: str, attribute: str | None) -> str | None:
        if logical_id == "AWS::Region":
            return owner.region
        if logical_id in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[logical_id]
        resource = owner.resources.get(logical_id)
        if resource is None:
            return None
        name = physical_name(resource) or owner.paths.get(logical_id, logical_id)
        if attribute in {None, "Arn"} and resource["Type"] == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{name}" if attribute else name
        return name if attribute in {None, "Arn"} else f"{name}.{attribute}"

    def resolve(value: Any, owner: Stack) -> Any:
        if isinstance(value, list):
            return [resolve(item, owner) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            found = intrinsic(function, argument, owner)
            if found is not None:
                return found
        return {key: resolve(item, owner) for key, item in value.items()}

    def intrinsic(function: str, argument: Any, owner: Stack) -> Any:
        if function == "Ref" and isinstance(argument, str):
            return reference(owner, argument, None)
        if function == "Fn::GetAtt" and isinstance(argument, list) and len(argument) == 2:
            return reference(owner, str(argument[0]), str(argument[1]))
        if function == "Fn::ImportValue" and argument in exports:
            exporter, exported = exports[argument]
            return resolve(exported, exporter)
        if function == "Fn::Sub" and isinstance(argument, str):
            return re.sub(
                r"\$\{([^}!]+)\}", lambda match: reference(owner, match[1], None) or match[0], argument
            )
        if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
            parts = resolve(argument[1], owner)
            if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
                return str(argument[0]).join(parts)
        return None

    return lambda value: resolve(value, stack)


def _stack(assembly: Path, name: str, artifacts: Mapping[str, Any]) -> Stack:
    artifact = artifacts[name]
    properties = artifact["properties"]
    needed = [(other, artifacts[other]) for other in artifact.get("dependencies", ())]
    metadata: dict[str, list[dict[str, Any]]] = {}
    for path, entries in _metadata(assembly, artifact).items():  # of a construct and of its resource
        metadata.setdefault(path.removeprefix(f"/{name}/").removesuffix("/Resource"), []).extend(entries)
    return Stack(
        name=properties.get("stackName", name),
        account=artifact["environment"].split("/")[-2],
        region=artifact["environment"].rsplit("/", 1)[-1],
        needs=tuple(
            other["properties"].get("stackName", other_name)
            for other_name, other in needed
            if other["type"] == _STACK
        ),
        template=_json(assembly / properties["templateFile"]),
        paths={
            entry["data"]: path
            for path, entries in metadata.items()
            for entry in entries
            if entry["type"] == "aws:cdk:logicalId"
        },
        metadata=metadata,
        asset_manifests=tuple(
            _json(assembly / other["properties"]["file"]) for _, other in needed if other["type"] == _ASSETS
        ),
        artifact=properties,
    )


def _metadata(assembly: Path, artifact: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    outside = artifact.get("additionalMetadataFile")
    return {**(_json(assembly / outside) if outside else {}), **(artifact.get("metadata") or {})}


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
