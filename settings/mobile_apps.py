"""Who may put clicks from a mobile app."""

from pydantic import Field

from settings.section import Section


class MobileAppsSettings(Section):
    issuer: str | None = Field(
        default=None,
        pattern=r"^https://[^?#\s]+$",
        description="URL of the OpenID Connect provider that has the readers' accounts, as in `iss` of its "
        "ID tokens. Without it there is a Cognito user pool, in which an administrator creates accounts.",
    )
    client_ids: list[str] = Field(
        default=[],
        description="Client ids of the apps at the issuer, as in `aud` of its ID tokens.",
    )
    issuer_provider_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws:iam::\d{12}:oidc-provider/\S+$",
        description="ARN of the issuer's provider in IAM, if the account already has one (it can have only "
        "one). It replaces issuer and client_ids, which that provider knows.",
    )
    guest_access: bool = Field(
        default=False,
        description="Let apps put clicks before their reader logs in. Then anyone can put clicks.",
    )

    @property
    def has_issuer(self) -> bool:
        """Whether readers have their accounts elsewhere."""
        return self.issuer is not None or self.issuer_provider_arn is not None
