"""What the tests of the policy checks share: an environment on trial, and what becomes of its data."""

from collections.abc import Callable

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from settings import Settings
from stacks.constructs.retention import Retention

Build = Callable[[Stack], object]
Check = Callable[..., str]

SETTINGS = Settings(environment="trial", account="111111111111")
NAMES = SETTINGS.names
KEEP = Retention(allowed=False, asked=False)
DESTROY = Retention(allowed=True, asked=True)
EC2 = iam.ServicePrincipal("ec2.amazonaws.com")
