"""Signed requests to the search domain."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session

REQUEST_TIMEOUT_SECONDS = 20


class BootstrapError(Exception):
    """The domain refused a definition; the message says which, and the answer."""


Send = Callable[[str, str, dict[str, Any] | None], tuple[int, dict[str, Any]]]
"""(method, path, body) -> (HTTP status, answer); raises one of CONNECTION_ERRORS if nothing answers."""


def signed_sender(endpoint: str) -> Send:
    """Sends requests, signed (SigV4) with the function's role, to `endpoint`, e.g. https://host."""
    credentials = Session().get_credentials()
    if credentials is None:
        raise BootstrapError("no AWS credentials: the function has no role")
    signer = SigV4Auth(credentials, "es", os.environ["AWS_REGION"])

    def send(method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        data = json.dumps(body).encode() if body is not None else None
        request = AWSRequest(method, endpoint + path, {"Content-Type": "application/json"}, data)
        signer.add_auth(request)
        try:
            with urllib.request.urlopen(
                urllib.request.Request(endpoint + path, data, dict(request.headers), method=method),
                timeout=REQUEST_TIMEOUT_SECONDS,
            ) as answered:
                return answered.status, _as_json(answered.read())
        except urllib.error.HTTPError as error:
            return error.code, {"error": error.read().decode(errors="replace")[:500]}

    return send


def _as_json(content: bytes) -> dict[str, Any]:
    try:
        answered = json.loads(content)
    except ValueError:
        answered = None
    if not isinstance(answered, dict):
        shown = content.decode(errors="replace")[:500]
        raise BootstrapError(f"the search domain's endpoint did not answer with a JSON object: {shown}")
    return answered
