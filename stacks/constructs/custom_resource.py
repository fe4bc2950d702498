"""A custom resource: a function that answers CloudFormation by itself, and the resource it works on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.service_function import FunctionDefaults, ServiceFunction

MEMORY_MIB = 256
ANSWER_MARGIN = Duration.minutes(1)
"""CloudFormation waits this much longer than the function may take; it always ends by itself sooner."""


class FunctionBackedResource(Construct):
    """resource: what other resources wait for. It is updated whenever `properties` change.

    role: the function's; name: of the function and its role; timeout: of the function, at most 15 minutes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        package: Path,
        statements: Sequence[iam.PolicyStatement],
        timeout: Duration,
        resource_type: str,
        properties: Mapping[str, Any],
        defaults: FunctionDefaults,
    ) -> None:
        super().__init__(scope, construct_id)
        backing = ServiceFunction(
            self,
            "Lambda",
            name=name,
            description=description,
            package=package,
            statements=statements,
            environment={},
            memory_mib=MEMORY_MIB,
            timeout=timeout,
            defaults=defaults,
        )
        self.role = backing.role
        self._service_token = backing.function.function_arn
        self._service_timeout = timeout.plus(ANSWER_MARGIN)
        self.resource = self.add_resource("Resource", resource_type=resource_type, properties=properties)

    def add_resource(
        self, construct_id: str, *, resource_type: str, properties: Mapping[str, Any]
    ) -> CustomResource:
        """A resource that the same function works on."""
        return CustomResource(
            self,
            construct_id,
            resource_type=resource_type,
            service_token=self._service_token,
            service_timeout=self._service_timeout,
            properties=dict(properties),
        )
