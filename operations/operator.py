"""Who gives a command that changes data: an environment, and the command's own role there.

Every such command of `click-trends` takes these two options and ends as `speaking()` says.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import boto3
import typer
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clients.batch_server.credentials import own_session, role_session
from clients.batch_server.errors import QuestionError, TrendsError
from clients.command_line.options import not_empty
from clients.command_line.output import fail, tell
from names import Names
from settings import Settings, load
from settings.loading import SettingsError

Environment = Annotated[
    str,
    typer.Option(
        "--environment",
        parser=not_empty,
        envvar="CLICK_TRENDS_ENVIRONMENT",
        metavar="NAME",
        help="Such as production: the file in environments/ that it was deployed from.",
    ),
]
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


def _role_arn(text: str) -> str:
    if not _ROLE_ARN.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is no role's ARN: write it as arn:aws:iam::111111111111:role/NAME"
        )
    return text


CommandRole = Annotated[
    str | None,
    typer.Option(
        "--command-role-arn",
        parser=_role_arn,
        metavar="ARN",
        help="Role to assume in place of the command's own.",
    ),
]
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5})


class OperatorError(TrendsError):
    """The command could not do what it was asked; the message says what happened, where, and what to do."""


class RefusedError(QuestionError):
    """The command was given something that it refuses, and has changed nothing."""


@dataclass(frozen=True)
class Operator:
    """settings: of the environment; session: with the permissions of the command's role, which renew
    themselves."""

    settings: Settings
    session: boto3.Session

    @property
    def names(self) -> Names:
        return self.settings.names

    def client(self, service: str, region: str) -> Any:
        session: Any = self.session
        return session.client(service, region_name=region, config=_CONFIG)


def settings_of(environment: str) -> Settings:
    """Raises RefusedError."""
    try:
        return load(environment)
    except SettingsError as error:
        raise RefusedError(str(error)) from error


def operator(command: str, environment: str, role_arn: str | None) -> Operator:
    """command: as in `click-trends <command>`; role_arn: in place of its own role. Raises TrendsError."""
    settings = settings_of(environment)
    names = settings.names
    role = role_arn or names.role_arn(names.operator_role(command))
    return Operator(settings, role_session(own_session(), role, names.oregon))


@dataclass
class Standing:
    """says: what an interruption of the command leaves, as a sentence; the command sets it where that
    changes."""

    says: str | Callable[[], str] = "nothing was changed"

    def __str__(self) -> str:
        return self.says if isinstance(self.says, str) else self.says()


@contextmanager
def speaking() -> Iterator[Standing]:
    """Around a command: ends it with one sentence and 2 for what is wrong as it was asked, 1 for what failed.

    An error that nobody foresaw is said too, as what it is; what was changed before it is then not known.
    When the command is interrupted, what it leaves is said.
    """
    standing = Standing()
    try:
        yield standing
    except TrendsError as error:
        fail(error)
    except (ClientError, BotoCoreError, Boto3Error) as error:
        fail(OperatorError(f"AWS did not answer as hoped: {error}"))
    except (KeyboardInterrupt, SystemExit):  # Ctrl-C, or asked to end
        tell(f"click-trends: interrupted: {standing}")
        raise
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        fail(
            OperatorError(
                f"unforeseen: {type(error).__name__}: {error}. What was done before it is not known: "
                "look before you give the command again"
            )
        )
