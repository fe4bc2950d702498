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
_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")
"""Of `Fn::Sub`: `Name`, `Name.Attribute`, or `!Literal`."""

LABELLED = {"AWS::Cognito::IdentityPool", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"}
"""Types that Cognito identifies by an id of its own: their name is a label, which several may have."""

PSEUDO_PARAMETERS = {
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": "(nothing)",
    "AWS::StackName": "(this stack)",
}


class AssemblyError(Exception):
    """A folder is no cloud assembly, or a damaged one; the message says what to do."""


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
        return {name: as_mapping(body) for name, body in as_mapping(self.template.get("Resources")).items()}


def read_stacks(assembly: Path) -> tuple[Stack, ...]:
    """The stacks of a folder that synthesis wrote, each after those it needs. Raises AssemblyError."""
    manifest = assembly / "manifest.json"
    if not manifest.is_file():
        raise AssemblyError(f"{assembly} is no cloud assembly, it has no manifest.json: synthesise first")
    try:
        return _in_order(assembly, _json(manifest)["artifacts"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise AssemblyError(
            f"{manifest}, or a file that it names, is not as synthesis writes it "
            f"({type(error).__name__}: {error}): synthesise again"
        ) from error


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
        case {"Fn::GetAtt": str(text)}:
            return text.partition(".")[0]
    return None


def references(value: Any) -> set[str]:
    """Logical ids in `Ref`, `Fn::GetAtt`, `Fn::Sub` and `DependsOn`, at any depth."""
    found: set[str] = set()
    if isinstance(value, Mapping):
        text, variables = _substitution(value.get("Fn::Sub"))
        found.update(
            name.partition(".")[0]
            for name in _PLACEHOLDER.findall(text)
            if name not in variables and not name.startswith("!")
        )
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
        name: (owner, at(output, "Value"))
        for owner in stacks
        for output in as_mapping(owner.template.get("Outputs")).values()
        if isinstance(name := at(output, "Export.Name"), str)
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
        if attribute in {None, "Arn"} and resource.get("Type") == "AWS::S3::Bucket":
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
        if function == "Fn::GetAtt":
            match argument.split(".", 1) if isinstance(argument, str) else argument:
                case [str(logical_id), str(attribute)]:
                    return reference(owner, logical_id, attribute)
        if function == "Fn::ImportValue":
            export = resolve(argument, owner)
            if isinstance(export, str) and export in exports:
                exporter, exported = exports[export]
                return resolve(exported, exporter)
        if function == "Fn::Sub":
            return substituted(*_substitution(argument), owner)
        if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
            parts = resolve(argument[1], owner)
            if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
                return str(argument[0]).join(parts)
        return None

    def substituted(text: str, variables: Mapping[str, Any], owner: Stack) -> str | None:
        given = {name: resolve(value, owner) for name, value in variables.items()}
        if not text or not all(isinstance(value, str) for value in given.values()):
            return None

        def put(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):  # a literal ${...}
                return f"${{{name[1:]}}}"
            if name in given:
                return str(given[name])
            logical_id, _, attribute = name.partition(".")
            return reference(owner, logical_id, attribute or None) or match[0]

        return _PLACEHOLDER.sub(put, text)

    return lambda value: resolve(value, stack)


def _substitution(argument: Any) -> tuple[str, Mapping[str, Any]]:
    """Text and variables of what `Fn::Sub` is given; an empty text where it is neither of its forms."""
    match argument:
        case str():
            return argument, {}
        case [str(text), dict(variables)]:
            return text, variables
    return "", {}


def _in_order(assembly: Path, artifacts: Mapping[str, Any]) -> tuple[Stack, ...]:
    done: dict[str, Stack] = {}

    def add(name: str, needed_by: tuple[str, ...]) -> None:
        if name not in artifacts:
            raise AssemblyError(f"{assembly} lacks {name}, which {needed_by[-1]} needs: synthesise again")
        if name in needed_by:
            circle = " -> ".join((*needed_by[needed_by.index(name) :], name))
            raise AssemblyError(f"stacks of {assembly} need each other, {circle}: remove a dependency")
        if name not in done and artifacts[name]["type"] == _STACK:
            for needed in artifacts[name].get("dependencies", ()):
                add(needed, (*needed_by, name))
            done[name] = _stack(assembly, name, artifacts)

    for name in artifacts:
        add(name, ())
    return tuple(done.values())


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


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssemblyError(f"{file} cannot be read ({error}): synthesise again") from error
    if not isinstance(content, dict):
        raise AssemblyError(f"{file} holds no object: synthesise again")
    return content
