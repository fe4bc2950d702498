"""Cognito's refusals that MiniStack lacks: guests, the classic flow, and roles without trust.

MiniStack verifies ID tokens, but ignores both of a pool's flags and vends credentials regardless of the
role's trust policy. Here the template's pool and role decide, as on AWS.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cognito, sts

NEEDED_OF_COGNITO = (
    "_get_id",
    "_get_credentials_for_identity",
    "_get_open_id_token",
    "_identity_pools",
)
NEEDED_OF_STS = ("_web_identity_trust_denied",)

Request = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[Request], Answer]


def refuse_as_cognito_does() -> None:
    """Put the checks before MiniStack's own."""
    get_id: Handler = cognito._get_id
    get_credentials: Handler = cognito._get_credentials_for_identity
    get_token: Handler = cognito._get_open_id_token

    def checked_get_id(request: Request) -> Answer:
        pool = cognito._identity_pools.get(request.get("IdentityPoolId"))
        return _guest_refused(pool, request) or get_id(request)

    def checked_get_credentials(request: Request) -> Answer:
        pool = _pool_of(request)
        if pool is None:
            return _refusal("ResourceNotFoundException", f"Identity '{request.get('IdentityId')}' not found.")
        return (
            _guest_refused(pool, request)
            or _role_refused(pool, request, get_token(request))
            or get_credentials(request)
        )

    def checked_get_token(request: Request) -> Answer:
        pool = _pool_of(request)
        if pool is not None and not pool["AllowClassicFlow"]:
            return _refusal(
                "InvalidParameterException",
                "Basic (classic) flow is not enabled, please use enhanced flow.",
            )
        return _guest_refused(pool, request) or get_token(request)

    cognito._get_id = checked_get_id
    cognito._get_credentials_for_identity = checked_get_credentials
    cognito._get_open_id_token = checked_get_token


def _pool_of(request: Request) -> dict[str, Any] | None:
    """The identity pool of the request's identity."""
    pools = cognito._identity_pools.values()
    return next((pool for pool in pools if request.get("IdentityId") in pool["_identities"]), None)


def _guest_refused(pool: dict[str, Any] | None, request: Request) -> Answer | None:
    if pool is None or pool["AllowUnauthenticatedIdentities"] or request.get("Logins"):
        return None
    return _refusal(
        "NotAuthorizedException", "Unauthenticated access is not supported for this identity pool."
    )


def _role_refused(pool: dict[str, Any], request: Request, token: Answer) -> Answer | None:
    """Cognito assumes the pool's role with its own token, so the role's trust policy decides."""
    status, _, body = token
    if status != 200:
        return token
    role = pool["_roles"].get("authenticated" if request.get("Logins") else "unauthenticated")
    web_identity = {"WebIdentityToken": json.loads(body)["Token"]}
    if role is None or sts._web_identity_trust_denied(role, web_identity, True):
        return _refusal(
            "InvalidIdentityPoolConfigurationException",
            "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
        )
    return None


def _refusal(code: str, message: str) -> Answer:
    answer: Answer = error_response_json(code, message, 400)
    return answer
