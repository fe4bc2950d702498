"""The endpoint of the emulated search domain: checks signature and policies as the service does, then
forwards.

OpenSearch has no security plugin here, so this gateway refuses what IAM would. A request needs a valid SigV4
signature, and the caller's identity policy together with the domain's access policy must allow
`es:ESHttp<Method>` on `<domain ARN>/<path>`.
"""

import json
from typing import Any
from urllib.parse import parse_qs, quote

import aiohttp
from ministack.core import iam_evaluator, router
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.core.sigv4 import decode_header_value
from ministack.services import opensearch

from names import TWIN_ACCOUNT

REGION = "us-west-2"
_MAX_CONNECTIONS = 32
_NOT_FORWARDED = frozenset({"host", "authorization", "content-length", "connection", "transfer-encoding"})
_NOT_RETURNED = frozenset({"transfer-encoding", "content-length", "content-encoding", "connection"})


def _refusal(method: str, path: str, query: str, raw_headers: list[tuple[bytes, bytes]], body: bytes) -> str:
    """Why IAM refuses the request; empty if it is allowed."""
    set_request_account_id(TWIN_ACCOUNT)
    set_request_region(REGION)
    parameters = parse_qs(query, keep_blank_values=True)
    headers = {name.decode("latin-1").lower(): decode_header_value(value) for name, value in raw_headers}
    access_key = router.extract_access_key_id(headers, parameters)
    iam_evaluator.pin_signed_request(method, path, parameters, raw_headers)
    iam_evaluator.pin_signed_body(body)
    domains = list(opensearch._domains.values())
    if len(domains) != 1:
        return f"the twin serves one search domain, {len(domains)} exist"
    denied = iam_evaluator.enforce(
        access_key, f"es:ESHttp{method.capitalize()}", "es", REGION, resource_arn=domains[0]["ARN"] + path
    )
    if denied is None:
        return ""
    if isinstance(denied, iam_evaluator.AuthError):
        return f"{denied.code}: {denied.message}"
    return (
        f"User: {denied.principal_arn} is not authorized to perform: es:ESHttp{method.capitalize()} on {path}"
    )


class SearchGateway:
    """The ASGI application before the OpenSearch server at `endpoint`."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        refusal = _refusal(scope["method"], path, query, scope["headers"], body)
        if refusal:
            answer = json.dumps({"Message": refusal}).encode()
            await _send(send, 403, [(b"content-type", b"application/json")], answer)
            return
        await self._forward(
            scope["method"], path + (f"?{query}" if query else ""), scope["headers"], body, send
        )

    async def _forward(
        self, method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes, send: Any
    ) -> None:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_MAX_CONNECTIONS)
            self._session = aiohttp.ClientSession(self._endpoint, connector=connector, auto_decompress=True)
        forwarded = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in headers
            if name.decode("latin-1").lower() not in _NOT_FORWARDED
        }
        try:
            async with self._session.request(method, target, headers=forwarded, data=body) as answer:
                content = await answer.read()
                returned = [
                    (name.encode("latin-1"), value.encode("latin-1"))
                    for name, value in answer.headers.items()
                    if name.lower() not in _NOT_RETURNED
                ]
                await _send(send, answer.status, returned, content)
        except aiohttp.ClientError as error:
            message = json.dumps({"Message": f"the search domain does not answer: {error}"}).encode()
            await _send(send, 503, [(b"content-type", b"application/json")], message)


async def _send(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
