"""The servers in Tokyo, which stand outside these stacks: what they may do here, as instance profiles."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from names import Names
from stacks import search_access
from stacks.acknowledge import acknowledge_wildcards


class WebServerRole(Construct):
    """Web servers (web_servers/) put clicks into the source stream and can do nothing else."""

    def __init__(self, scope: Construct, construct_id: str, *, source: kinesis.IStream, names: Names) -> None:
        super().__init__(scope, construct_id)
        puts_clicks = iam.PolicyStatement(
            sid="PutsClicks",
            actions=["kinesis:PutRecords"],
            resources=[source.stream_arn],
        )
        _server_role(self, name=names.web_server_role, may=[puts_clicks])


class BatchServerRole(Construct):
    """The batch server asks OpenSearch for counts and can change nothing there."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names) -> None:
        super().__init__(scope, construct_id)
        role = _server_role(
            self,
            name=names.batch_server_role,
            may=[access.statement(names) for access in search_access.BATCH_SERVER],
        )
        acknowledge_wildcards(
            role,
            [path for access in search_access.BATCH_SERVER for path in access.resources(names)],
            reason="There is an index for each day. Only searching and counting is allowed in them; the "
            "wildcards of the Deny take away, they give nothing.",
        )


def _server_role(scope: Construct, *, name: str, may: Sequence[iam.PolicyStatement]) -> iam.Role:
    role = iam.Role(
        scope,
        "Role",
        role_name=name,
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        inline_policies={"Rights": iam.PolicyDocument(statements=list(may))},
    )
    iam.InstanceProfile(scope, "InstanceProfile", instance_profile_name=name, role=role)
    return role
