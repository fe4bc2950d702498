"""Starts and stops the analytics application, which CloudFormation creates and updates but never starts."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.application_lifecycle.configuration import (
    APPLICATION_NAME,
    CONFIGURATION,
    DEPLOYED,
    LIFECYCLE_RESOURCE,
    OPERATORS,
    PAUSE_RESOURCE,
    STATE_GENERATION,
)
from names import Names
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.custom_resource import FunctionBackedResource
from stacks.constructs.lambda_package import lambda_zip
from stacks.constructs.service_function import FunctionDefaults
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import DEPLOYMENT
from stacks.monitoring.silence import DEPLOYMENT_FAILS

TIMEOUT = Duration.minutes(14)


class ApplicationLifecycle(FunctionBackedResource):
    """resource: after it the application runs; pause: before the application is changed, it stops it where
    its new version cannot read all of the state.

    configuration: what must run, as `lambdas.application_lifecycle.running_configuration` names it;
    operators: the record of those with state, as in operators.json; deployed: changes with the application,
    so that each deployment looks whether it runs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Mapping[str, str],
        operators: Mapping[str, Any],
        deployed: str,
        state_generation: int,
        names: Names,
        defaults: FunctionDefaults,
    ) -> None:
        version = {
            APPLICATION_NAME: names.application,
            CONFIGURATION: dict(configuration),
            STATE_GENERATION: state_generation,
            OPERATORS: dict(operators),
        }
        starts_and_stops = iam.PolicyStatement(
            sid="StartsAndStopsTheApplication",
            actions=[
                "kinesisanalytics:DescribeApplication",
                "kinesisanalytics:DescribeApplicationOperation",
                "kinesisanalytics:ListApplicationOperations",
                "kinesisanalytics:ListApplicationSnapshots",
                "kinesisanalytics:StartApplication",
                "kinesisanalytics:StopApplication",
            ],
            resources=[names.application_arn],
        )
        keeps_few_snapshots = iam.PolicyStatement(
            sid="KeepsFewSnapshots",
            actions=["kinesisanalytics:DeleteApplicationSnapshot"],
            resources=[names.application_arn],
        )
        sees_the_job = iam.PolicyStatement(
            sid="SeesWhetherTheJobRuns", actions=["cloudwatch:GetMetricData"], resources=["*"]
        )
        super().__init__(
            scope,
            construct_id,
            name=names.application_lifecycle,
            description="Starts the analytics application after a deployment and stops it before its "
            "deletion",
            package=lambda_zip("application_lifecycle"),
            statements=[starts_and_stops, keeps_few_snapshots, sees_the_job],
            timeout=TIMEOUT,
            resource_type=LIFECYCLE_RESOURCE,
            properties={**version, DEPLOYED: deployed},
            defaults=defaults,
        )
        FunctionAlarms(
            self,
            "Alarms",
            function_name=names.application_lifecycle,
            hop=DEPLOYMENT,
            silence=DEPLOYMENT_FAILS,
            once_is_enough=True,
        )
        acknowledge(
            self.role,
            "IAM5[Resource::*]",
            reason="Reading a metric cannot be limited to one (service authorization reference, CloudWatch): "
            "the action has no resource types.",
        )
        self.pause: CustomResource = self.add_resource(
            "Pause", resource_type=PAUSE_RESOURCE, properties=version
        )
