"""The commands about OpenSearch Dashboards."""

import typer

from clients.batch_server.credentials import own_session, signing_credentials
from clients.batch_server.errors import TrendsError
from clients.command_line.options import DomainRegion, Endpoint, RoleArn
from clients.command_line.output import fail, tell, write
from clients.dashboards.dashboards import Dashboards
from clients.dashboards.saved_objects import DASHBOARD_TITLE, as_ndjson, saved_objects
from names import OREGON


def add_to(app: typer.Typer) -> None:
    app.command("saved-objects")(print_saved_objects)
    app.command("import-saved-objects")(import_saved_objects)


def print_saved_objects() -> None:
    """The board's pictures for OpenSearch Dashboards, as NDJSON."""
    write(as_ndjson(saved_objects()))


def import_saved_objects(
    *, endpoint: Endpoint, role_arn: RoleArn = None, domain_region: DomainRegion = OREGON
) -> None:
    """Put the same into the OpenSearch Dashboards of the domain, over those of an earlier import."""
    try:
        credentials = signing_credentials(own_session(), role_arn, domain_region)
        put = Dashboards(endpoint, credentials, domain_region).put(saved_objects())
    except TrendsError as error:
        fail(error)
    tell(f"{put} saved objects are in OpenSearch Dashboards: open the dashboard {DASHBOARD_TITLE!r}")
