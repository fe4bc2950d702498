"""A check and what it finds: each looks by itself, so that one that fails hides no other."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from subprocess import SubprocessError

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

CHECKS_AT_ONCE = 8

NOT_KNOWN = {"AuthFailure", "InvalidClientTokenId", "InvalidToken", "UnrecognizedClientException"}
"""Answered to credentials that are not valid, and in a region that the account has not enabled."""


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    """Could not be looked at."""
    LACKS = "lacks"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """text: what was found; remedy: what to do next, empty where nothing is to be done."""

    verdict: Verdict
    text: str
    remedy: str = ""


def ok(text: str) -> Diagnosis:
    return Diagnosis(verdict=Verdict.OK, text=text)


def warning(text: str, remedy: str) -> Diagnosis:
    return Diagnosis(verdict=Verdict.WARNING, text=text, remedy=remedy)


def unknown(text: str, remedy: str) -> Diagnosis:
    return Diagnosis(verdict=Verdict.UNKNOWN, text=text, remedy=remedy)


def lacks(text: str, remedy: str) -> Diagnosis:
    return Diagnosis(verdict=Verdict.LACKS, text=text, remedy=remedy)


@dataclass(frozen=True, kw_only=True)
class Check:
    """name: what is looked at; where: `machine`, `account` or a region."""

    name: str
    where: str
    look: Callable[[], Iterable[Diagnosis]]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    check: str
    where: str
    diagnosis: Diagnosis


def run(checks: Sequence[Check]) -> list[CheckResult]:
    """The findings of every check, in the order of the checks."""
    with ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
        return [
            CheckResult(check=check.name, where=check.where, diagnosis=diagnosis)
            for check, diagnoses in zip(checks, pool.map(_looked, checks), strict=True)
            for diagnosis in diagnoses
        ]


def _looked(check: Check) -> list[Diagnosis]:
    try:
        return list(check.look())
    except ClientError as error:
        return [_refused(error, check.where)]
    except (ConnectionError, HTTPClientError) as error:
        remedy = "Look whether this machine reaches AWS (a proxy, a firewall), then run the doctor again."
        return [unknown(f"No answer: {error}", remedy)]
    except BotoCoreError as error:
        return [unknown(str(error), "Mend that in the credentials or in ~/.aws/config.")]
    except (OSError, SubprocessError) as error:
        return [unknown(str(error), "Mend that on this machine, then run the doctor again.")]
    except Exception as error:  # whatever it is, the other checks go on
        text = f"The answer was not understood: {type(error).__name__}: {error}"
        return [unknown(text, "Look at it by hand; docs/operate/operations.md says what each check is for.")]


def _refused(error: ClientError, where: str) -> Diagnosis:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if "AccessDenied" in code or code in {"UnauthorizedOperation", "AuthorizationError"}:
        return unknown(
            f"These credentials may not call {error.operation_name}.",
            "Use credentials with ReadOnlyAccess and ServiceQuotasReadOnlyAccess, or look by hand.",
        )
    if code in NOT_KNOWN and where not in ("account", "machine"):
        return unknown(
            f"{where} does not know the credentials ({code}), though they are valid elsewhere.",
            "Enable the region, if its check `region` says so; else log in again, as with `aws sso login`.",
        )
    if code in NOT_KNOWN | {"ExpiredToken", "ExpiredTokenException"}:
        return lacks(f"The credentials are not valid: {code}.", "Log in again, as with `aws sso login`.")
    return unknown(
        f"{error.operation_name} answered {code}: {message}", "Run the doctor again, or look by hand."
    )
