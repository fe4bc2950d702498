"""The whole app: four stacks in two regions, those that hold data apart from those that work on it."""

from pathlib import Path

from aws_cdk import Annotations, App, Environment, Validations
from cdk_nag import AwsSolutionsChecks

from analytics_sql.local_flink import AWS_JAR
from names import OREGON_ANALYTICS, OREGON_STORAGE, TOKYO_INGEST, TOKYO_STORAGE
from settings import Settings, load
from settings.capacity import warnings
from stacks.constructs.permissions_boundary import bound_roles
from stacks.constructs.retention import Retention
from stacks.monitoring.alarm import built_alarms
from stacks.monitoring.alarm_actions import complete_alarms, runbook
from stacks.monitoring.dashboard import PathDashboard
from stacks.monitoring.hops import oregon_path, tokyo_path
from stacks.oregon_analytics import OregonAnalytics
from stacks.oregon_storage import OregonStorage
from stacks.policy_checks.plugin import PolicyChecks
from stacks.policy_checks.tags import stack_tags
from stacks.tokyo_ingest import TokyoIngest
from stacks.tokyo_storage import TokyoStorage

DEFAULT_ENVIRONMENT = "local"

FEATURE_FLAGS = {
    # The domain cannot be replaced while the analytics stack uses its endpoint.
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
}
"""Here and not in cdk.json, so that tests and the twin synthesise what the command line does."""


def build_app(
    environment: str | None = None,
    *,
    settings: Settings | None = None,
    destroy: bool | None = None,
    outdir: Path | None = None,
    jar: Path = AWS_JAR,
) -> App:
    """The app of an environment, not yet synthesised.

    What is left out comes from the command line: `-c environment=NAME`, `-c destroy=yes`.
    settings: instead of those of the environment.
    Raises SettingsError. A finding of cdk-nag or of the policy checks makes `synth()` raise.
    """
    app = App(
        outdir=str(outdir) if outdir else None,
        analytics_reporting=False,
        builtin_cloud_formation_validation=False,  # cfn-lint checks the same; this takes half of a synthesis
        context=FEATURE_FLAGS,
    )
    settings = settings or load(environment or app.node.try_get_context("environment") or DEFAULT_ENVIRONMENT)
    asked = app.node.try_get_context("destroy") == "yes" if destroy is None else destroy
    retention = Retention(allowed=settings.allow_destroy, asked=asked)
    tokyo = Environment(account=settings.account, region=settings.regions.tokyo)
    oregon = Environment(account=settings.account, region=settings.regions.oregon)
    names, tags = settings.names, stack_tags(settings)

    tokyo_storage = TokyoStorage(
        app, names.stack(TOKYO_STORAGE), settings=settings, retention=retention, env=tokyo, tags=tags
    )
    oregon_storage = OregonStorage(
        app, names.stack(OREGON_STORAGE), settings=settings, retention=retention, env=oregon, tags=tags
    )
    oregon_analytics = OregonAnalytics(
        app,
        names.stack(OREGON_ANALYTICS),
        domain=oregon_storage.search.domain,
        jar=jar,
        settings=settings,
        env=oregon,
        tags=tags,
    )
    tokyo_ingest = TokyoIngest(
        app,
        names.stack(TOKYO_INGEST),
        identity_pool_id=tokyo_storage.mobile_identities.pool.ref,
        settings=settings,
        env=tokyo,
        tags=tags,
    )

    oregon_analytics.add_stack_dependency(
        oregon_storage, "reads and writes its streams, buckets and domain by name"
    )
    tokyo_ingest.add_stack_dependency(tokyo_storage, "reads the mobile stream, writes the dead-letter bucket")
    tokyo_ingest.add_stack_dependency(oregon_analytics, "clicks are let in when everything behind is there")
    for warning in warnings(settings):
        Annotations.of(oregon_storage).add_warning_v2(f"click-trends:{warning.id}", warning.text)
    in_tokyo, in_oregon = (tokyo_storage, tokyo_ingest), (oregon_storage, oregon_analytics)
    bound_roles(*in_tokyo, *in_oregon, boundary_arn=settings.deployment.boundary_arn(settings.account))
    complete_alarms(*in_tokyo, place="tokyo", settings=settings.alarms, warn=not settings.is_twin)
    complete_alarms(*in_oregon, place="oregon", settings=settings.alarms, warn=not settings.is_twin)
    PathDashboard(
        tokyo_ingest,
        "Dashboard",
        name=names.tokyo_dashboard,
        other=names.oregon_dashboard,
        path=tokyo_path(names),
        alarms=built_alarms(*in_tokyo),
        runbook=runbook(settings.alarms),
        names=names,
    )
    PathDashboard(
        oregon_analytics,
        "Dashboard",
        name=names.oregon_dashboard,
        other=names.tokyo_dashboard,
        path=oregon_path(names),
        alarms=built_alarms(*in_oregon),
        runbook=runbook(settings.alarms),
        names=names,
    )
    Validations.of(app).add_plugins(
        AwsSolutionsChecks(app), PolicyChecks(settings=settings, retention=retention)
    )
    return app


def synthesise(environment: str, outdir: Path) -> Path:
    """Write the cloud assembly of an environment to `outdir`, and return that."""
    build_app(environment, outdir=outdir).synth()
    return outdir
