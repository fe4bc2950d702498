"""The batch server of Tokyo, which stands outside these stacks: what it may do here."""

from constructs import Construct

from names import Names
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.read_progress import acknowledge_progress, reads_progress
from stacks.constructs.server_role import reads_rankings, server_role
from stacks.search import access as search_access


class BatchServerRole(Construct):
    """The batch server asks OpenSearch for counts, reads rankings and metrics, and can change nothing.

    table_arn: of the rankings.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, domain_arn: str, table_arn: str, names: Names
    ) -> None:
        super().__init__(scope, construct_id)
        role = server_role(
            self,
            name=names.batch_server_role,
            statements=[
                *(access.statement(domain_arn) for access in search_access.BATCH_SERVER),
                reads_rankings(table_arn),
                reads_progress(names.oregon),
            ],
        )
        acknowledge_wildcards(
            role,
            [path for access in search_access.BATCH_SERVER for path in access.resources(domain_arn)],
            reason="There is an index for each day. Only searching and counting is allowed in them; the "
            "wildcards of the Deny take away, they give nothing.",
        )
        acknowledge_progress(role)
