"""What a person may do with one command of `click-trends`: a role of its own for each."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from names import Names


class OperatorRole(Construct):
    """The role of `click-trends <command>`, with exactly these statements.

    It trusts the account: whoever has `sts:AssumeRole` on it there may assume it, and nobody else.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        command: str,
        statements: Sequence[iam.PolicyStatement],
        names: Names,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            role_name=names.operator_role(command),
            description=f"Permissions of click-trends {command}",
            assumed_by=iam.AccountPrincipal(names.account),
            inline_policies={"Rights": iam.PolicyDocument(statements=list(statements))},
        )
