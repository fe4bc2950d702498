"""What the rules look at: every resource as it stands in its template, and what was acknowledged on it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import CfnResource, IPolicyValidationContext, Stack
from constructs import IConstruct

ACKNOWLEDGED = "aws:cdk:acknowledged-rules"
"""Type of the metadata that `Validations.of(construct).acknowledge` leaves."""


@dataclass(frozen=True, kw_only=True)
class SynthesisedStack:
    """tags: of the stack, which CloudFormation gives to every resource that takes tags."""

    path: str
    region: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CheckedResource:
    """path: of its construct; acknowledged: reason by finding, of the construct and those around it."""

    stack: SynthesisedStack
    logical_id: str
    path: str
    body: Mapping[str, Any]
    acknowledged: Mapping[str, str]

    @property
    def type(self) -> str:
        return str(self.body["Type"])

    @property
    def properties(self) -> Mapping[str, Any]:
        return self.body.get("Properties") or {}

    def is_named_by(self, value: object) -> bool:
        """Whether `value`, in a template of the same region, is this resource's name: literal or Ref."""
        if isinstance(value, str):
            return any(value == name for key, name in self.properties.items() if key.endswith("Name"))
        return value == {"Ref": self.logical_id}


@dataclass(frozen=True, kw_only=True)
class CheckedAssembly:
    stacks: tuple[SynthesisedStack, ...]
    resources: tuple[CheckedResource, ...]

    def of_type(self, *types: str) -> Iterator[CheckedResource]:
        return (resource for resource in self.resources if resource.type in types)


def read_assembly(context: IPolicyValidationContext) -> CheckedAssembly:
    """Templates from their files, tags and acknowledgments from the construct tree."""
    constructs = context.app_construct.node.find_all()
    stacks = {
        construct.node.path: SynthesisedStack(
            path=construct.node.path,
            region=construct.region,
            tags=dict(construct.tags.tag_values()),
        )
        for construct in constructs
        if isinstance(construct, Stack)
    }
    by_logical_id = {
        (stack.node.path, stack.get_logical_id(construct)): construct
        for construct in constructs
        if isinstance(construct, CfnResource)
        for stack in [construct.stack]
    }
    resources = [
        _resource(stacks[path], logical_id, body, by_logical_id.get((path, logical_id)))
        for template in context.stack_templates
        for path in [template.stack_construct_path]
        for logical_id, body in json.loads(Path(template.template_path).read_text())
        .get("Resources", {})
        .items()
    ]
    return CheckedAssembly(stacks=tuple(stacks.values()), resources=tuple(resources))


def _resource(
    stack: SynthesisedStack, logical_id: str, body: Mapping[str, Any], construct: IConstruct | None
) -> CheckedResource:
    around = construct.node.scopes if construct else []
    acknowledged = {
        finding.removeprefix("Annotation::"): str(reason)
        for scope in around
        for entry in scope.node.metadata
        if entry.type == ACKNOWLEDGED
        for finding, reason in (entry.data or {}).items()
    }
    return CheckedResource(
        stack=stack,
        logical_id=logical_id,
        path=construct.node.path if construct else f"{stack.path}/{logical_id}",
        body=body,
        acknowledged=acknowledged,
    )
