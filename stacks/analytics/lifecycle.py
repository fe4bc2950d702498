"""Starts and stops the analytics application, which CloudFormation creates and updates but never starts."""

from collections.abc import Mapping

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.application_lifecycle.configuration import LIFECYCLE_RESOURCE, PAUSE_RESOURCE
from settings import Settings
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.parts.acknowledge import acknowledge
from stacks.parts.custom_resource import FunctionBackedResource
from stacks.parts.lambda_package import lambda_zip

TIMEOUT = Duration.minutes(14)


class ApplicationLifecycle(FunctionBackedResource):
    """resource: after it the application runs; pause: before the application is changed, it stops it where
    its state is to be dropped.

    configuration: what must run, as `lambdas.application_lifecycle.configuration` names it; deployed: changes
    with the application, so that each deployment looks whether it runs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        configuration: Mapping[str, str],
        deployed: str,
        settings: Settings,
    ) -> None:
        names = settings.names
        state_generation = settings.analytics.state_generation
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
            package=lambda_zip("application_lifecycle", "custom_resource.py"),
            statements=[starts_and_stops, keeps_few_snapshots, sees_the_job],
            timeout=TIMEOUT,
            resource_type=LIFECYCLE_RESOURCE,
            properties={
                "ApplicationName": names.application,
                "Configuration": dict(configuration),
                "StateGeneration": state_generation,
                "Deployed": deployed,
            },
            settings=settings,
        )
        FunctionAlarms(self, "Alarms", function_name=names.application_lifecycle, once_is_enough=True)
        acknowledge(
            self.role,
            "IAM5[Resource::*]",
            reason="Reading a metric cannot be limited to one (service authorization reference, CloudWatch): "
            "the action has no resource types.",
        )
        self.pause: CustomResource = self.add_resource(
            "Pause",
            resource_type=PAUSE_RESOURCE,
            properties={
                "ApplicationName": names.application,
                "Configuration": dict(configuration),
                "StateGeneration": state_generation,
            },
        )
