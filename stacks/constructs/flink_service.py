"""Managed Service for Apache Flink as the one that may assume the role of an application."""

from aws_cdk import aws_iam as iam


def flink_service(account: str) -> iam.ServicePrincipal:
    """Only for applications of this account (developer guide, "Cross-service confused deputy prevention":
    "we recommend using the aws:SourceArn and aws:SourceAccount global condition context keys in your role
    trust policy").

    Not by aws:SourceArn: a replay's application is made anew, and its role stays.
    """
    return iam.ServicePrincipal(
        "kinesisanalytics.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
    )
