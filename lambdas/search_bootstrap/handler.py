"""Put the ingest pipeline, index template and retention policy into the search domain.

They stay when the stack is deleted: the domain keeps its data.
"""

from typing import Any

from lambdas.search_bootstrap.bootstrap import Bootstrap
from lambdas.search_bootstrap.configuration import ENDPOINT
from lambdas.search_bootstrap.definitions import definitions
from lambdas.search_bootstrap.domain import signed_sender
from lambdas.shared.custom_resource import InvocationContext, answer


def handler(event: dict[str, Any], context: InvocationContext) -> None:
    properties = event["ResourceProperties"]

    def work(deadline: float) -> dict[str, str]:
        if event["RequestType"] != "Delete":
            Bootstrap(signed_sender(properties[ENDPOINT])).put(definitions(properties), deadline)
        return {}

    answer(event, context, physical_id="search-definitions", work=work)
