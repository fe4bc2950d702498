"""The mobile apps, which put clicks into the mobile stream with credentials that Cognito vends to readers.

Two parts, since installed apps carry the identity pool's id: the pool and the accounts stay with what holds
data, the roles come and go with what lets clicks in.
"""

from aws_cdk import Annotations, CfnOutput
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from constructs import Construct

from names import Names
from settings.mobile_apps import MobileAppsSettings
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.retention import Retention

COGNITO_IDENTITY = "cognito-identity.amazonaws.com"

GUEST_ACCESS = (
    "mobile_apps.guest_access is true: anyone who takes the identity pool's id out of the app can put any "
    "click, under any user_id, into the mobile stream, and nobody can be shut out. Keep it only as long as "
    "readers must be counted before they log in, watch the stream's incoming records and the rejected "
    "clicks, and set guest_access = false in the environment's file to end it."
)


class MobileIdentities(Construct):
    """Who is a reader: the identity pool, and the accounts it trusts."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: Names,
        settings: MobileAppsSettings,
        retention: Retention,
    ) -> None:
        super().__init__(scope, construct_id)
        self.pool = cognito.CfnIdentityPool(
            self,
            "Pool",
            identity_pool_name=names.identity_pool,
            allow_unauthenticated_identities=settings.guest_access,
            # Left out, it would let new identities use the classic flow (aws/aws-cli, issue 7652).
            allow_classic_flow=False,
            cognito_identity_providers=None
            if settings.has_issuer
            else [self._own_accounts(names, retention)],
            open_id_connect_provider_arns=[self._existing_accounts(settings)]
            if settings.has_issuer
            else None,
        )
        self.pool.apply_removal_policy(retention.removal_policy)
        CfnOutput(self, "IdentityPoolId", value=self.pool.ref).override_logical_id("IdentityPoolId")
        if settings.guest_access:
            Annotations.of(self).add_warning_v2("click-trends:guest-access", GUEST_ACCESS)
            acknowledge(
                self.pool,
                "COG7",
                reason="Guests are a setting of the environment, warned of at each synthesis; they can put "
                "into the mobile stream and nothing else.",
            )

    def _existing_accounts(self, settings: MobileAppsSettings) -> str:
        """ARN of the OpenID Connect provider at which readers have their accounts already."""
        if settings.issuer_provider_arn:
            return settings.issuer_provider_arn
        provider = iam.OidcProviderNative(
            self, "Issuer", url=settings.issuer or "", client_ids=settings.client_ids
        )
        return provider.oidc_provider_arn

    def _own_accounts(
        self, names: Names, retention: Retention
    ) -> cognito.CfnIdentityPool.CognitoIdentityProviderProperty:
        """A user pool in which an administrator makes each account."""
        users = cognito.UserPool(
            self,
            "Users",
            user_pool_name=names.user_pool,
            self_sign_up_enabled=False,
            account_recovery=cognito.AccountRecovery.NONE,
            password_policy=cognito.PasswordPolicy(
                min_length=16,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
            ),
            removal_policy=retention.removal_policy,
        )
        for finding in ("COG2", "COG8"):
            acknowledge(
                users,
                finding,
                reason="An account here may put clicks and nothing else, and an administrator makes each. A "
                "second factor or paid threat protection would guard nothing more; a service's own accounts "
                "are named by the issuer in the settings.",
            )
        app = users.add_client(
            "App",
            user_pool_client_name=names.user_pool,
            auth_flows=cognito.AuthFlow(user_srp=True, admin_user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
        )
        CfnOutput(self, "UserPoolId", value=users.user_pool_id).override_logical_id("UserPoolId")
        CfnOutput(self, "AppClientId", value=app.user_pool_client_id).override_logical_id("AppClientId")
        return cognito.CfnIdentityPool.CognitoIdentityProviderProperty(
            provider_name=users.user_pool_provider_name,
            client_id=app.user_pool_client_id,
            server_side_token_check=True,
        )


class MobileAppRoles(Construct):
    """What a reader's app may do: put into the mobile stream and nothing else.

    pool_id: of the identity pool, the only one that may vend credentials of these roles; stream_arn: of the
    mobile stream; guest_access: whether apps may put clicks before their reader logs in.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pool_id: str,
        stream_arn: str,
        guest_access: bool,
        names: Names,
    ) -> None:
        super().__init__(scope, construct_id)
        self._pool_id = pool_id
        self._stream_arn = stream_arn
        roles = {"authenticated": self._role("Reader", names.mobile_app_role, amr="authenticated")}
        if guest_access:
            roles["unauthenticated"] = self._role("Guest", names.mobile_guest_role, amr="unauthenticated")
        cognito.CfnIdentityPoolRoleAttachment(
            self,
            "Attachment",
            identity_pool_id=pool_id,
            roles={kind: role.role_arn for kind, role in roles.items()},
        )

    def _role(self, construct_id: str, name: str, *, amr: str) -> iam.Role:
        puts_clicks = iam.PolicyStatement(
            sid="PutsClicks",
            actions=["kinesis:PutRecord", "kinesis:PutRecords"],
            resources=[self._stream_arn],
        )
        return iam.Role(
            self,
            construct_id,
            role_name=name,
            assumed_by=iam.FederatedPrincipal(
                COGNITO_IDENTITY,
                {
                    "StringEquals": {f"{COGNITO_IDENTITY}:aud": self._pool_id},
                    "ForAnyValue:StringLike": {f"{COGNITO_IDENTITY}:amr": amr},
                },
                "sts:AssumeRoleWithWebIdentity",
            ),
            inline_policies={"Rights": iam.PolicyDocument(statements=[puts_clicks])},
        )
