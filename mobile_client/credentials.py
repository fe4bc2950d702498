"""Credentials of a reader's app: an identity pool's enhanced flow, renewed before they expire.

The app proves its reader's login with an ID token; the pool answers with credentials for an hour that can
put into the mobile stream and nothing else.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.session import get_session

from mobile_client.delivery import CLIENT_CONFIG, Stream

if TYPE_CHECKING:
    from mypy_boto3_cognito_identity import CognitoIdentityClient

Logins = Callable[[], Mapping[str, str]]
"""The reader's current ID token by its provider's name, e.g. `login.example.jp`; empty for a guest."""


def mobile_stream(
    stream: str,
    *,
    identity_pool_id: str,
    logins: Logins,
    region: str,
    config: Config = CLIENT_CONFIG,
    endpoint_url: str | None = None,
) -> Stream:
    """The mobile stream as a reader may reach it. Nothing is called before the first record is put."""
    session = mobile_session(
        identity_pool_id=identity_pool_id, logins=logins, region=region, endpoint_url=endpoint_url
    )
    return Stream(session.client("kinesis", endpoint_url=endpoint_url, config=config), stream)


def mobile_session(
    *, identity_pool_id: str, logins: Logins, region: str, endpoint_url: str | None = None
) -> boto3.Session:
    """A session whose clients sign with what the pool vends for these logins."""
    cognito: CognitoIdentityClient = boto3.client(
        "cognito-identity",
        region_name=region,
        endpoint_url=endpoint_url,
        config=Config(signature_version=UNSIGNED, connect_timeout=5, read_timeout=10),
    )
    core = get_session()
    provider = _IdentityPool(cognito, identity_pool_id, logins)
    core.register_component("credential_provider", CredentialResolver([provider]))
    return boto3.Session(botocore_session=core, region_name=region)


class _IdentityPool(CredentialProvider):
    METHOD = "cognito-identity-pool"
    CANONICAL_NAME = METHOD

    def __init__(self, cognito: "CognitoIdentityClient", identity_pool_id: str, logins: Logins) -> None:
        super().__init__()
        self._cognito = cognito
        self._identity_pool_id = identity_pool_id
        self._logins = logins
        self._identity_id: str | None = None

    def load(self) -> DeferredRefreshableCredentials:
        """botocore renews them from 15 minutes before their end, and waits for it from 10 minutes before."""
        return DeferredRefreshableCredentials(refresh_using=self.vend, method=self.METHOD)

    def vend(self) -> dict[str, str]:
        logins = dict(self._logins())
        if logins or self._identity_id is None:  # a login has one identity; each call makes a new guest
            answer = self._cognito.get_id(IdentityPoolId=self._identity_pool_id, Logins=logins)
            self._identity_id = answer["IdentityId"]
        vended = self._cognito.get_credentials_for_identity(IdentityId=self._identity_id, Logins=logins)
        credentials = vended["Credentials"]
        return {
            "access_key": credentials["AccessKeyId"],
            "secret_key": credentials["SecretKey"],
            "token": credentials["SessionToken"],
            "expiry_time": credentials["Expiration"].isoformat(),
        }
