"""The search domain of an environment, as the command's role reaches it."""

from clients.batch_server.credentials import own_credentials
from operations.operator import Operator, OperatorError
from operations.replay.domain import CountsDomain


def connected(given: Operator) -> CountsDomain:
    """Raises OperatorError for a domain without an endpoint."""
    names = given.names
    status = given.client("opensearch", names.oregon).describe_domain(DomainName=names.search_domain)
    host = status["DomainStatus"].get("Endpoint")
    if not host:
        raise OperatorError(f"the domain {names.search_domain} has no endpoint yet: deploy, then try again")
    endpoint = f"{given.settings.search.scheme}://{host}"
    return CountsDomain(endpoint, own_credentials(given.session), names.oregon)
