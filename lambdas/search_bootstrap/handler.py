"""Put the ingest pipeline, index templates, alias and retention policy into the search domain.

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
            bootstrap = Bootstrap(signed_sender(properties[ENDPOINT]))
            wanted = definitions(properties)
            bootstrap.put(wanted, deadline)
            for definition in wanted:
                if definition.serves:
                    bootstrap.serve(definition.serves, deadline)
        return {}

    answer(event, context, physical_id="search-definitions", work=work)
