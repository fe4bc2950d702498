"""How far the application has read, in CloudWatch: from it a client knows which minutes are complete."""

from aws_cdk import aws_iam as iam
from constructs import IConstruct

from stacks.constructs.acknowledge import acknowledge_wildcards


def reads_progress(region: str) -> iam.PolicyStatement:
    """The metrics of `region`, the application's. IAM limits the action to no resource and no namespace:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html."""
    return iam.PolicyStatement(
        sid="ReadsHowFarWasRead",
        actions=["cloudwatch:GetMetricData"],
        resources=["*"],
        conditions={"StringEquals": {"aws:RequestedRegion": region}},
    )


def acknowledge_progress(role: IConstruct) -> None:
    acknowledge_wildcards(
        role, ["*"], reason="GetMetricData takes no resource. It reads numbers only, and of one region."
    )
