"""What an account demands of each deployment."""

from typing import Annotated

from pydantic import Field

from settings.section import Section

Boundary = Annotated[
    str,
    Field(
        pattern=r"^(arn:aws:iam::(aws|\d{12}):policy/([\w+=,.@-]+/)*)?[A-Za-z0-9_+=,.@-]{1,128}$",
        max_length=700,
    ),
]
"""Name or ARN of a managed policy (IAM user guide, "IAM and AWS STS quotas", names and paths)."""


class DeploymentSettings(Section):
    permissions_boundary: Boundary | None = Field(
        default=None,
        description="Name or ARN of the managed policy that is the permissions boundary of every role of the "
        "stacks. The bootstrap has its own: `npx cdk bootstrap --custom-permissions-boundary NAME`.",
    )

    def boundary_arn(self, account: str) -> str | None:
        """account: whose policy a mere name is."""
        boundary = self.permissions_boundary
        if boundary is None or boundary.startswith("arn:"):
            return boundary
        return f"arn:aws:iam::{account}:policy/{boundary}"
