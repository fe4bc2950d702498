"""Puts ingest pipeline, index templates, readers' alias and retention policy into the OpenSearch domain."""

import hashlib
from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from constructs import Construct

from contract.sink import SINKS, Sink
from lambdas.search_bootstrap import configuration
from names import Names, generation_family, index_pattern
from settings.search import SearchSettings
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.constructs.custom_resource import FunctionBackedResource
from stacks.constructs.lambda_package import lambda_zip
from stacks.constructs.service_function import FunctionDefaults
from stacks.monitoring.function_alarms import FunctionAlarms
from stacks.monitoring.hops import DEPLOYMENT
from stacks.monitoring.silence import DEPLOYMENT_FAILS
from stacks.search import access as search_access

TIMEOUT = Duration.minutes(10)
RESOURCE_TYPE = "Custom::SearchBootstrap"


class SearchBootstrap(FunctionBackedResource):
    """Runs again whenever its definitions or settings change. endpoint: of the domain, with its scheme."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: str,
        domain_arn: str,
        names: Names,
        settings: SearchSettings,
        counts_generation: int,
        defaults: FunctionDefaults,
    ) -> None:
        package = lambda_zip("search_bootstrap")
        super().__init__(
            scope,
            construct_id,
            name=names.search_bootstrap,
            description="Puts ingest pipeline, index templates, alias and retention policy into the domain",
            package=package,
            statements=[access.statement(domain_arn) for access in search_access.BOOTSTRAP],
            timeout=TIMEOUT,
            resource_type=RESOURCE_TYPE,
            properties={
                configuration.ENDPOINT: endpoint,
                **definition_properties(settings, generation=counts_generation),
                "Definitions": hashlib.sha256(package.read_bytes()).hexdigest()[:16],
            },
            defaults=defaults,
        )
        acknowledge_wildcards(
            self.role,
            [
                path
                for allowed in search_access.BOOTSTRAP
                for path in allowed.resources(domain_arn)
                if "*" in path
            ],
            reason="An index family has an index for each day, and the alias belongs to each of them.",
        )
        FunctionAlarms(
            self,
            "Alarms",
            function_name=names.search_bootstrap,
            hop=DEPLOYMENT,
            silence=DEPLOYMENT_FAILS,
            once_is_enough=True,
        )


def definition_properties(
    search: SearchSettings, sinks: Sequence[Sink] = SINKS, *, generation: int = 1
) -> dict[str, Any]:
    """What lambdas/search_bootstrap/definitions.py makes the domain's definitions from. generation: of the
    counts (analytics.counts_generation)."""
    return {
        configuration.INDEX_FAMILIES: [
            {
                configuration.NAME: sink.index_family,
                configuration.INDEX_PATTERN: index_pattern(generation_family(sink.index_family, generation)),
                configuration.KEY: list(sink.key),
            }
            for sink in sinks
        ],
        configuration.REPLICAS: search.replicas,
        configuration.RETENTION_DAYS: search.retention_days or configuration.KEPT_FOR_EVER,
    }
