"""Starts and stops the analytics application, which CloudFormation creates and updates but never starts."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from settings import Settings
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.parts.custom_resource import FunctionBackedResource
from stacks.parts.lambda_package import lambda_zip

TIMEOUT = Duration.minutes(14)


class ApplicationLifecycle(FunctionBackedResource):
    """deployed: changes with the application, so that each deployment looks whether it runs."""

    def __init__(self, scope: Construct, construct_id: str, *, deployed: str, settings: Settings) -> None:
        names = settings.names
        starts_and_stops = iam.PolicyStatement(
            sid="StartsAndStopsTheApplication",
            actions=[
                "kinesisanalytics:DescribeApplication",
                "kinesisanalytics:ListApplicationSnapshots",
                "kinesisanalytics:StartApplication",
                "kinesisanalytics:StopApplication",
            ],
            resources=[names.application_arn],
        )
        super().__init__(
            scope,
            construct_id,
            name=names.application_lifecycle,
            description="Starts the analytics application after a deployment and stops it before its "
            "deletion",
            package=lambda_zip("application_lifecycle", "custom_resource.py"),
            statements=[starts_and_stops],
            timeout=TIMEOUT,
            resource_type="Custom::ApplicationLifecycle",
            properties={"ApplicationName": names.application, "Deployed": deployed},
            settings=settings,
        )
        FunctionAlarms(self, "Alarms", function_name=names.application_lifecycle, once_is_enough=True)
