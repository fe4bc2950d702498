"""Starts and stops the analytics application, which CloudFormation creates and updates but never starts."""

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.lambda_package import lambda_zip
from stacks.private_function import PrivateFunction
from stacks.settings import Settings

TIMEOUT = Duration.minutes(14)
ANSWER_TIMEOUT = Duration.minutes(15)
"""CloudFormation waits this long for the answer of a function that ends by itself sooner."""


class ApplicationLifecycle(Construct):
    """deployed: changes with the application, so that each deployment looks whether it runs."""

    def __init__(self, scope: Construct, construct_id: str, *, deployed: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        names = settings.names
        lifecycle = PrivateFunction(
            self,
            "Lambda",
            name=names.application_lifecycle,
            description="Starts the analytics application after a deployment and stops it before its "
            "deletion",
            package=lambda_zip("application_lifecycle", "custom_resource.py"),
            may=[
                iam.PolicyStatement(
                    sid="StartsAndStopsTheApplication",
                    actions=[
                        "kinesisanalytics:DescribeApplication",
                        "kinesisanalytics:ListApplicationSnapshots",
                        "kinesisanalytics:StartApplication",
                        "kinesisanalytics:StopApplication",
                    ],
                    resources=[names.application_arn],
                )
            ],
            environment={},
            memory_mib=256,
            timeout=TIMEOUT,
            settings=settings,
        )
        self.resource = CustomResource(
            self,
            "Resource",
            resource_type="Custom::ApplicationLifecycle",
            service_token=lifecycle.function.function_arn,
            service_timeout=ANSWER_TIMEOUT,
            properties={"ApplicationName": names.application, "Deployed": deployed},
        )
