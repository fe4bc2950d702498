"""Credentials of a reader's app: an identity pool's enhanced flow, renewed before they end or when refused.

The app proves its reader's login with an ID token; the pool answers with credentials for an hour that can
put into the mobile stream and nothing else.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from clients.mobile_app.delivery import CLIENT_CONFIG, CredentialsError, Stream, is_retryable

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
    credentials = session.get_credentials()
    assert isinstance(credentials, _VendedCredentials)
    client = session.client("kinesis", endpoint_url=endpoint_url, config=config)
    return Stream(client, stream, renew_credentials=credentials.renew)


def mobile_session(
    *, identity_pool_id: str, logins: Logins, region: str, endpoint_url: str | None = None
) -> boto3.Session:
    """A session whose clients sign with what the pool vends for these logins."""
    cognito: CognitoIdentityClient = boto3.client(
        "cognito-identity",
        region_name=region,
        endpoint_url=endpoint_url,
        config=CLIENT_CONFIG.merge(Config(signature_version=UNSIGNED)),
    )
    core = get_session()
    provider = _IdentityPool(cognito, identity_pool_id, logins)
    core.register_component("credential_provider", CredentialResolver([provider]))
    return boto3.Session(botocore_session=core, region_name=region)


class _VendedCredentials(DeferredRefreshableCredentials):
    """botocore renews them from 15 minutes before their end, and waits for it from 10 minutes before."""

    _refused = False

    def renew(self) -> None:
        """AWS says that they have ended, whatever this device's clock says."""
        self._refused = True

    def refresh_needed(self, refresh_in: int | None = None) -> bool:
        return self._refused or bool(super().refresh_needed(refresh_in))

    def renewed(self) -> None:
        self._refused = False


class _IdentityPool(CredentialProvider):
    METHOD = "cognito-identity-pool"
    CANONICAL_NAME = METHOD

    def __init__(self, cognito: "CognitoIdentityClient", identity_pool_id: str, logins: Logins) -> None:
        super().__init__()
        self._cognito = cognito
        self._identity_pool_id = identity_pool_id
        self._logins = logins
        self._identity_id: str | None = None
        self._credentials = _VendedCredentials(refresh_using=self.vend, method=self.METHOD)

    def load(self) -> DeferredRefreshableCredentials:
        return self._credentials

    def vend(self) -> dict[str, str]:
        """New credentials, for botocore. Raises CredentialsError."""
        try:
            logins = dict(self._logins())
        except Exception as error:  # whatever the app's own code raises
            raise CredentialsError(f"the app gave no login: {error}", retryable=False) from error
        try:
            vended = self._vended(logins)
            credentials = vended["Credentials"]
            answer = {
                "access_key": credentials["AccessKeyId"],
                "secret_key": credentials["SecretKey"],
                "token": credentials["SessionToken"],
                "expiry_time": _by_this_clock(credentials["Expiration"], vended).isoformat(),
            }
        except ClientError as error:
            raise CredentialsError(
                f"identity pool {self._identity_pool_id} gives no credentials: {error}. Renew the reader's "
                "login, or have the reader log in again, if Cognito does not take it",
                retryable=is_retryable(error),
            ) from error
        except BotoCoreError as error:
            raise CredentialsError(
                f"identity pool {self._identity_pool_id} cannot be asked: {error}", retryable=True
            ) from error
        except Exception as error:  # what the SDK's parser raises for an answer that is none of Cognito's
            raise CredentialsError(
                f"identity pool {self._identity_pool_id} gave an answer that cannot be read "
                f"({type(error).__name__}: {error}): check the network and the endpoint",
                retryable=True,
            ) from error
        self._credentials.renewed()
        return answer

    def _vended(self, logins: dict[str, str]) -> Any:
        if logins or self._identity_id is None:  # a login has one identity; each call makes a new guest
            answer = self._cognito.get_id(IdentityPoolId=self._identity_pool_id, Logins=logins)
            self._identity_id = answer["IdentityId"]
        return self._cognito.get_credentials_for_identity(IdentityId=self._identity_id, Logins=logins)


def _by_this_clock(expiration: datetime, answer: Any) -> datetime:
    """When credentials end by the device's clock, which may be wrong: what is left by Cognito's is right."""
    now = datetime.now(UTC)
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    left = expiration - (parsedate_to_datetime(date) if date else now)
    if left <= timedelta():
        raise ValueError(f"credentials that ended at {expiration}")
    return now + left
