"""What the rules look at: every resource as it stands in its template, and what was acknowledged on it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import CfnResource, IPolicyValidationContext, Stack
from constructs import IConstruct

from cloudformation import Resource, resources_of

ACKNOWLEDGED = "aws:cdk:acknowledged-rules"
"""Type of the metadata that `Validations.of(construct).acknowledge` leaves."""


@dataclass(frozen=True, kw_only=True)
class SynthesisedStack:
    """tags: of the stack, which CloudFormation gives to every resource that takes tags."""

    path: str
    region: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CheckedResource(Resource):
    """stack, path: of constructs; acknowledged: reason by finding, of the construct and those around it."""

    path: str
    acknowledged: Mapping[str, str]


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
    acknowledgments = _Acknowledgments()
    resources = [
        _checked(resource, by_logical_id.get((resource.stack, resource.logical_id)), acknowledgments)
        for template in context.stack_templates
        for resource in resources_of(
            json.loads(Path(template.template_path).read_text(encoding="utf-8")),
            stack=template.stack_construct_path,
            region=stacks[template.stack_construct_path].region,
        )
    ]
    return CheckedAssembly(stacks=tuple(stacks.values()), resources=tuple(resources))


class _Acknowledgments:
    """Reason by finding, of each construct itself: read once, as resources share what is around them and each
    reading asks another process."""

    def __init__(self) -> None:
        self._read: dict[IConstruct, dict[str, str]] = {}

    def on(self, construct: IConstruct) -> dict[str, str]:
        if construct not in self._read:
            self._read[construct] = {
                finding.removeprefix("Annotation::"): str(reason)
                for entry in construct.node.metadata
                if entry.type == ACKNOWLEDGED
                for finding, reason in (entry.data or {}).items()
            }
        return self._read[construct]


def _checked(
    resource: Resource, construct: IConstruct | None, acknowledgments: _Acknowledgments
) -> CheckedResource:
    around = construct.node.scopes if construct else []
    acknowledged: dict[str, str] = {}
    for scope in around:
        acknowledged |= acknowledgments.on(scope)
    return CheckedResource(
        stack=resource.stack,
        region=resource.region,
        logical_id=resource.logical_id,
        body=resource.body,
        path=construct.node.path if construct else f"{resource.stack}/{resource.logical_id}",
        acknowledged=acknowledged,
    )
