"""Who may give `click-trends reconcile`."""

from constructs import Construct

from names import Names
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.operator_role import OperatorRole
from stacks.constructs.read_progress import acknowledge_progress, reads_progress
from stacks.reconciliation import readable_objects, reads_clicks
from stacks.search import access as search_access


class ReconcilingOperator(Construct):
    """Reads what the function reads, and changes nothing."""

    def __init__(self, scope: Construct, construct_id: str, *, domain_arn: str, names: Names) -> None:
        super().__init__(scope, construct_id)
        made = OperatorRole(
            self,
            "Operator",
            command=search_access.RECONCILE,
            statements=[
                search_access.OPERATOR_RECONCILES.statement(domain_arn),
                *reads_clicks(names),
                reads_progress(names.oregon),
            ],
            names=names,
        )
        acknowledge_wildcards(
            made.role,
            readable_objects(names),
            reason="Firehose, Lambda and the functions name the objects themselves; the role only reads.",
        )
        acknowledge_progress(made.role)
