"""What of the environment is deployed already: its stacks, their resources and names."""

from functools import cached_property

from botocore.exceptions import ClientError

from cloudformation import Resource
from operations.doctor.aws import Aws
from operations.doctor.wanted import WantedResources

GONE = {"DELETE_COMPLETE", "DELETE_SKIPPED"}
"""Status of a resource that no longer belongs to its stack; a skipped one still exists."""


class Deployed:
    """Asks CloudFormation once; raises botocore's errors where it is asked."""

    def __init__(self, wanted: WantedResources, aws: Aws) -> None:
        self._aws = aws
        self._stacks = {resource.stack: resource.region for resource in wanted.resources}

    def states(self, region: str) -> dict[str, str]:
        """Status of the environment's stacks that exist there."""
        return {stack: state for stack, state in self._states.items() if self._stacks[stack] == region}

    def has(self, resource: Resource) -> bool:
        return (resource.stack, resource.logical_id) in self._resources

    def owns(self, name: str) -> bool:
        """Whether a resource of a stack has this physical name, or an id that ends in it."""
        return name in self._names

    @cached_property
    def _states(self) -> dict[str, str]:
        states = {}
        for stack, region in self._stacks.items():
            try:
                [found] = self._aws.client("cloudformation", region).describe_stacks(StackName=stack)[
                    "Stacks"
                ]
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationError":  # there is no such stack
                    raise
                continue
            states[stack] = found["StackStatus"]
        return states

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(name for physical_id in self._resources.values() for name in _names(physical_id))

    @cached_property
    def _resources(self) -> dict[tuple[str, str], str]:
        """(stack, logical id) -> physical id."""
        found = {}
        for stack in self._states:
            pages = (
                self._aws.client("cloudformation", self._stacks[stack])
                .get_paginator("list_stack_resources")
                .paginate(StackName=stack)
            )
            for page in pages:
                for resource in page["StackResourceSummaries"]:
                    if resource.get("PhysicalResourceId") and resource["ResourceStatus"] not in GONE:
                        found[stack, resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
        return found


def _names(physical_id: str) -> set[str]:
    """A queue's id is its URL, a rule's may begin with its bus."""
    return {physical_id, physical_id.rsplit("/", 1)[-1], physical_id.rsplit("|", 1)[-1]}
