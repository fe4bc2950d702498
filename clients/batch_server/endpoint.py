"""The address of an OpenSearch domain, as it is given to every command."""

import re
from urllib.parse import SplitResult, urlsplit

from clients.batch_server.errors import QuestionError

_HOST = re.compile(r"[\w.:-]+")
"""A name, or an address of IPv4 or IPv6."""


def endpoint_parts(endpoint: str) -> SplitResult:
    """Of https://host, or http://127.0.0.1:port in the twin. Raises QuestionError for anything else."""
    try:
        parts = urlsplit(endpoint)
        _ = parts.port
    except ValueError:  # a port that is no number, or brackets that do not match
        parts = urlsplit("")
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.hostname or "") or extra:
        raise QuestionError(
            f"{endpoint!r} is no endpoint: write https:// and the domain's host name, "
            "as in https://search-click-trends-....us-west-2.es.amazonaws.com"
        )
    return parts
