"""Puts the ingest pipeline, the index template and the retention policy into the OpenSearch domain."""

import hashlib

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from stacks import search_access
from stacks.lambda_package import lambda_zip
from stacks.private_function import PrivateFunction
from stacks.settings import Settings

TIMEOUT = Duration.minutes(10)
ANSWER_TIMEOUT = Duration.minutes(12)
"""CloudFormation waits this long for the answer of a function that ends by itself sooner."""


class SearchBootstrap(Construct):
    """Runs again whenever its definitions or settings change."""

    def __init__(
        self, scope: Construct, construct_id: str, *, domain: opensearch.CfnDomain, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        names, search = settings.names, settings.search
        package = lambda_zip("search_bootstrap", "custom_resource.py")
        bootstrap = PrivateFunction(
            self,
            "Lambda",
            name=names.search_bootstrap,
            description="Puts ingest pipeline, index template and retention policy into the search domain",
            package=package,
            may=[search_access.SEARCH_BOOTSTRAP.statement(names)],
            environment={},
            memory_mib=256,
            timeout=TIMEOUT,
            settings=settings,
        )
        self.resource = CustomResource(
            self,
            "Resource",
            resource_type="Custom::SearchBootstrap",
            service_token=bootstrap.function.function_arn,
            service_timeout=ANSWER_TIMEOUT,
            properties={
                "Endpoint": f"{search.scheme}://{domain.attr_domain_endpoint}",
                "Replicas": search.replicas,
                "RetentionDays": search.retention_days or "forever",
                "Definitions": hashlib.sha256(package.read_bytes()).hexdigest()[:16],
            },
        )
