"""Whose signature a request carries: the machine's own identity, or a role taken on through STS."""

from collections.abc import Callable

import boto3
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import BotoCoreError
from botocore.session import Session as BotocoreSession

from clients.batch_server.errors import QuestionError, TrendsError

ROLE_SESSION_NAME = "click-trends-batch-server"


def own_session() -> boto3.Session:
    """As the machine is configured. Raises TrendsError."""
    try:
        return boto3.Session()
    except BotoCoreError as error:  # such as a profile that there is not
        raise TrendsError(f"the AWS configuration of this machine cannot be used: {error}") from error


def signing_credentials(session: boto3.Session, role_arn: str | None, region: str) -> Credentials:
    """Of `role_arn`, or the machine's own without one."""
    return role_credentials(session, role_arn, region) if role_arn else own_credentials(session)


def own_credentials(session: boto3.Session) -> Credentials:
    """What boto3's ordinary chain finds (environment, profile, instance role); it renews itself."""
    try:
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise TrendsError(f"the AWS credentials of this machine cannot be used: {error}") from error
    if credentials is None:
        raise TrendsError(
            "no AWS credentials found on this machine: run as an instance with the batch server's role, "
            "or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return credentials


def role_credentials(session: boto3.Session, role_arn: str, region: str) -> Credentials:
    """Credentials of `role_arn`, assumed at the first signature and again shortly before they expire."""
    own_credentials(session)
    return DeferredRefreshableCredentials(
        method="sts-assume-role", refresh_using=_assume_role(session, role_arn, region)
    )


def role_session(session: boto3.Session, role_arn: str, region: str) -> boto3.Session:
    """A session of `role_arn`, whose clients renew their credentials as those of role_credentials."""
    core = BotocoreSession()
    only = _Assumed(role_credentials(session, role_arn, region))
    core.register_component("credential_provider", CredentialResolver([only]))
    return boto3.Session(botocore_session=core, region_name=region)


class _Assumed(CredentialProvider):
    METHOD = "sts-assume-role"

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Credentials:
        return self._credentials


def _assume_role(session: boto3.Session, role_arn: str, region: str) -> Callable[[], dict[str, str]]:
    try:
        sts = session.client("sts", region_name=session.region_name or region)
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is none
        raise QuestionError(f"no role can be assumed in {region}: {error}. Check --domain-region") from error

    def assume() -> dict[str, str]:
        taken = sts.assume_role(RoleArn=role_arn, RoleSessionName=ROLE_SESSION_NAME)["Credentials"]
        return {
            "access_key": taken["AccessKeyId"],
            "secret_key": taken["SecretAccessKey"],
            "token": taken["SessionToken"],
            "expiry_time": taken["Expiration"].isoformat(),
        }

    return assume
