"""Puts saved objects into the OpenSearch Dashboards of a domain, signed (SigV4, service `es`).

POST `_dashboards/api/saved_objects/_import` takes the objects as a file of a form; where some exist already
it writes none of them and says so. Then POST `_resolve_import_errors` takes the same file with the decision
to overwrite. `_import?overwrite=true` would be one request, but the service ignores the URL parameters of a
signed POST (OpenSearch Service developer guide, "Making and signing OpenSearch Service requests"). Both
routes: OpenSearch Dashboards, src/core/server/saved_objects/routes.
"""

import json
from collections.abc import Sequence
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session
from urllib3.filepost import encode_multipart_formdata

from clients.batch_server.endpoint import endpoint_parts
from clients.batch_server.errors import TrendsError
from clients.dashboards.saved_objects import SavedObject, as_ndjson

ROUTES = "_dashboards/api/saved_objects"
IMPORT, RESOLVE = "_import", "_resolve_import_errors"
FILE = "click-trends.ndjson"
"""The routes take no file whose name ends otherwise."""
TIMEOUT_SECONDS = 30


class Dashboards:
    """endpoint: https://host of the domain; region: the domain's."""

    def __init__(self, endpoint: str, credentials: Credentials, region: str) -> None:
        parts = endpoint_parts(endpoint)
        self._endpoint = f"{parts.scheme}://{parts.netloc}"
        self._credentials = credentials
        self._region = region
        self._session = URLLib3Session(timeout=TIMEOUT_SECONDS)

    def put(self, objects: Sequence[SavedObject]) -> int:
        """Creates the objects, or overwrites those of the same type and id; returns how many it put.

        Raises TrendsError where not every one of them is there afterwards.
        """
        file = (FILE, as_ndjson(objects), "application/ndjson")
        answer = self._post(IMPORT, {"file": file})
        if any(_reason(error).get("type") == "conflict" for error in _errors(answer)):
            retries = [
                {"type": each["type"], "id": each["id"], "overwrite": True, "replaceReferences": []}
                for each in objects
            ]
            answer = self._post(RESOLVE, {"file": file, "retries": json.dumps(retries)})
        if answer.get("success") is not True or answer.get("successCount") != len(objects):
            raise TrendsError(
                f"OpenSearch Dashboards at {self._endpoint} took {answer.get('successCount', 0)} of "
                f"{len(objects)} objects: "
                + (
                    "; ".join(
                        f"{error.get('type')} {error.get('id')}: {json.dumps(_reason(error))}"
                        for error in _errors(answer)
                    )
                    or "it says nothing more"
                )
            )
        return len(objects)

    def _post(self, route: str, form: dict[str, Any]) -> dict[str, Any]:
        body, content_type = encode_multipart_formdata(form)
        url = f"{self._endpoint}/{ROUTES}/{route}"
        headers = {"content-type": content_type, "osd-xsrf": "true"}
        request = AWSRequest(method="POST", url=url, data=body, headers=headers)
        try:
            SigV4Auth(self._credentials.get_frozen_credentials(), "es", self._region).add_auth(request)
            answer = self._session.send(request.prepare())
        except (BotoCoreError, ClientError) as error:
            raise TrendsError(f"could not send the objects to {url}: {error}") from error
        text = answer.content.decode("utf-8", errors="replace")
        if answer.status_code in (401, 403):
            raise TrendsError(
                f"{url} refused the request ({answer.status_code}: {text[:300]}). The role that "
                f"signs must be allowed es:ESHttpPost on <domain ARN>/{ROUTES}/{route}; the batch server's "
                "is not: see docs/start/opensearch_dashboards.md"
            )
        try:
            told = json.loads(text) if answer.status_code == 200 else None
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise TrendsError(
                f"{url} answered {answer.status_code} with {text[:300]!r}, which is no answer of "
                "OpenSearch Dashboards: check that the endpoint is the domain's own (--endpoint or "
                "CLICK_TRENDS_ENDPOINT), that it has Dashboards, and that no sign-in page answers"
            )
        return told


def _errors(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """One for each object that was not put; of an answer that comes from something else, perhaps none."""
    told = answer.get("errors")
    return [error for error in told if isinstance(error, dict)] if isinstance(told, list) else []


def _reason(error: dict[str, Any]) -> dict[str, Any]:
    reason = error.get("error")
    return reason if isinstance(reason, dict) else {}
