"""The web servers of Tokyo, which stand outside these stacks: what they may do here."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from constructs import Construct

from names import Names
from stacks.constructs.server_role import reads_rankings, server_role


class WebServerRole(Construct):
    """Web servers (clients/web_servers/) put clicks into the source stream and read rankings, nothing else.

    table_arn: of the rankings.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, source: kinesis.IStream, table_arn: str, names: Names
    ) -> None:
        super().__init__(scope, construct_id)
        puts_clicks = iam.PolicyStatement(
            sid="PutsClicks",
            actions=["kinesis:PutRecords"],
            resources=[source.stream_arn],
        )
        server_role(self, name=names.web_server_role, statements=[puts_clicks, reads_rankings(table_arn)])
