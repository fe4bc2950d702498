"""A reader's app in the twin: its reader has an account in the templates' user pool and is logged in."""

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any

import boto3
from botocore.config import Config

from clients.mobile_app.credentials import mobile_session, mobile_stream
from clients.mobile_app.delivery import Stream
from names import TOKYO, TOKYO_STORAGE, Names
from twin.emulator import Emulator

READER = "reader"


class MobileApp:
    """Knows the outputs of Tokyo's storage stack for app developers, and its reader's password."""

    def __init__(self, emulator: Emulator, names: Names) -> None:
        self._emulator = emulator
        self._names = names
        stacks = emulator.client("cloudformation", TOKYO).describe_stacks(
            StackName=names.stack(TOKYO_STORAGE)
        )
        told = {output["OutputKey"]: output["OutputValue"] for output in stacks["Stacks"][0]["Outputs"]}
        self.identity_pool_id = told["IdentityPoolId"]
        self.user_pool_id = told["UserPoolId"]
        self._client_id = told["AppClientId"]
        self._password = f"{token_urlsafe(16)}aA1!"
        self._accounts: Any = emulator.client("cognito-idp", TOKYO)
        self._accounts.admin_create_user(
            UserPoolId=self.user_pool_id, Username=READER, TemporaryPassword=self._password
        )
        self._accounts.admin_set_user_password(
            UserPoolId=self.user_pool_id, Username=READER, Password=self._password, Permanent=True
        )

    @property
    def provider(self) -> str:
        """The name under which the identity pool knows the accounts."""
        return f"cognito-idp.{TOKYO}.amazonaws.com/{self.user_pool_id}"

    def logins(self) -> Mapping[str, str]:
        """A new login, as the twin's administrator; an app would prove the password by SRP."""
        answer = self._accounts.admin_initiate_auth(
            UserPoolId=self.user_pool_id,
            ClientId=self._client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": READER, "PASSWORD": self._password},
        )
        return {self.provider: answer["AuthenticationResult"]["IdToken"]}

    def session(self) -> boto3.Session:
        """A session with the credentials that Cognito vends to the app."""
        return mobile_session(
            identity_pool_id=self.identity_pool_id,
            logins=self.logins,
            region=TOKYO,
            endpoint_url=self._emulator.endpoint,
        )

    def stream(self, config: Config) -> Stream:
        return mobile_stream(
            self._names.mobile_stream,
            identity_pool_id=self.identity_pool_id,
            logins=self.logins,
            region=TOKYO,
            config=config,
            endpoint_url=self._emulator.endpoint,
        )
