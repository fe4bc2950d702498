"""Settings of who may put clicks from a mobile app."""

from pydantic import Field

from settings.section import Section


class MobileAppsSettings(Section):
    issuer: str | None = Field(
        default=None,
        pattern=r"^https://[^?#\s]+$",
        description="URL of the OpenID Connect provider with the accounts of the readers, as in `iss` of its "
        "ID tokens; left out, a Cognito user pool is made, in which an administrator makes accounts.",
    )
    client_ids: list[str] = Field(
        default=[],
        description="Client ids under which the apps are known to the issuer, as in the `aud` of its ID "
        "tokens.",
    )
    issuer_provider_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws:iam::\d{12}:oidc-provider/\S+$",
        description="ARN of the provider in IAM, where the account has one for the issuer already (it can "
        "have only one); in place of issuer and client_ids, which that provider knows.",
    )
    guest_access: bool = Field(
        default=False,
        description="Whether apps may put clicks before their reader has logged in; then anyone can.",
    )

    @property
    def has_issuer(self) -> bool:
        """Do readers have their accounts elsewhere?"""
        return self.issuer is not None or self.issuer_provider_arn is not None
