"""DescribeDomainHealth, which MiniStack lacks: as the server behind the domain says it is.

https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DescribeDomainHealth.html
"""

import json
import re
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from types import ModuleType
from typing import Any

NEEDED_OF_OPENSEARCH = ("_domains", "_error", "_json", "handle_request", "run_offloop")
TIMEOUT_SECONDS = 5.0
NOT_AVAILABLE = {"DomainState": "NotAvailable", "ClusterHealth": "NotAvailable"}
_HEALTH = re.compile(r"/2021-01-01/opensearch/domain/(?P<domain>[^/]+)/health")


def described(health: Mapping[str, Any]) -> dict[str, str]:
    """health: OpenSearch's own answer."""
    return {
        "DomainState": "Active",
        "ClusterHealth": str(health["status"]).capitalize(),
        "DataNodeCount": str(health["number_of_data_nodes"]),
        "TotalShards": str(health["active_shards"] + health["unassigned_shards"]),
        "TotalUnAssignedShards": str(health["unassigned_shards"]),
    }


def _described(endpoint: str) -> dict[str, str]:
    try:
        with urllib.request.urlopen(f"{endpoint}/_cluster/health", timeout=TIMEOUT_SECONDS) as answer:
            return described(json.load(answer))
    except (OSError, HTTPException, json.JSONDecodeError):
        return NOT_AVAILABLE


def answer_health(opensearch: ModuleType, endpoint: str) -> None:
    """opensearch: MiniStack's module of that name; endpoint: http://host:port of the server."""
    handle = opensearch.handle_request

    async def handled(method: str, path: str, *rest: Any) -> Any:
        asked = _HEALTH.fullmatch(path)
        if method != "GET" or asked is None:
            return await handle(method, path, *rest)
        if not opensearch._domains.get(asked["domain"]):
            reason = f"Domain not found: {asked['domain']}"
            return opensearch._error(404, "ResourceNotFoundException", reason)
        return opensearch._json(200, await opensearch.run_offloop(_described, endpoint))

    opensearch.handle_request = handled  # type: ignore[attr-defined]
