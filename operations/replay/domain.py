"""Requests to the search domain, signed with the role of a command."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from botocore.credentials import Credentials
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from opensearchpy.exceptions import TransportError

from operations.operator import OperatorError

TIMEOUT_SECONDS = 60
RETRIES = 5
DOCUMENTS_A_REQUEST = 4_000
"""A count has about 200 bytes, so a bulk request is below 1 MiB, as those of the delivery."""
TAKEN = frozenset({200, 201, 409})
"""Statuses of a count in a bulk request; 409: OpenSearch has a larger one of the key."""
ABSENT = 404


class CountsDomain:
    """Raises OperatorError for every answer that is not the hoped one."""

    def __init__(self, endpoint: str, credentials: Credentials, region: str) -> None:
        """endpoint: with its scheme."""
        self._endpoint = endpoint
        self._client = OpenSearch(
            hosts=[endpoint],
            http_auth=Urllib3AWSV4SignerAuth(credentials, region, "es"),
            timeout=TIMEOUT_SECONDS,
            max_retries=RETRIES,
            retry_on_timeout=True,
        )

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """{} for what is not there. Each request may be repeated: none changes more the second time."""
        try:
            answer = self._client.transport.perform_request(method, path, body=body)
        except TransportError as error:
            if error.status_code == ABSENT:
                return {}
            raise OperatorError(
                f"OpenSearch at {self._endpoint} did not take {method} {path} "
                f"({error.status_code}: {error.error}). Look at the domain's health, then try again"
            ) from error
        if not isinstance(answer, dict):
            raise OperatorError(
                f"OpenSearch at {self._endpoint} answered {method} {path} with no JSON object: "
                "check the endpoint"
            )
        return answer

    def put_counts(self, index: str, counts: Iterable[bytes]) -> int:
        """Each a JSON object; all through the ingest pipeline of `index`. Returns how many were put."""
        put, left = 0, iter(counts)
        while some := list(islice(left, DOCUMENTS_A_REQUEST)):
            body = b"".join(chain.from_iterable((b'{"index":{}}\n', count, b"\n") for count in some))
            items = self.ask("POST", f"/{index}/_bulk", body.decode())["items"]
            for item in items:
                if item["index"]["status"] not in TAKEN:
                    raise OperatorError(
                        f"OpenSearch refused a count for {index}: {json.dumps(item['index'])[:500]}. "
                        "Readers see nothing of this correction; mend the cause and give the command again"
                    )
            put += len(some)
        return put

    def clicks(self, indices: str) -> int:
        """The sum of all counts in the indices."""
        self.ask("POST", f"/{indices}/_refresh")
        body = {"size": 0, "aggs": {"clicks": {"sum": {"field": "clicks"}}}}
        answer: Mapping[str, Any] = self.ask("POST", f"/{indices}/_search", body)
        found = answer.get("aggregations", {"clicks": {"value": 0}})
        clicks: float = found["clicks"]["value"]
        return round(clicks)


def indices(domain: CountsDomain, pattern: str) -> Iterator[str]:
    """Those that a pattern matches."""
    yield from domain.ask("GET", f"/{pattern}/_alias")
