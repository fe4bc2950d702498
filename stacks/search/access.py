"""What each role may do in OpenSearch, written once for the domain's access policy and the role's own."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from aws_cdk import aws_iam as iam

from contract.sink import CLICK_COUNTS, SINKS, Sink
from names import (
    Names,
    counts_alias,
    generation_patterns,
    index_pattern,
    retention_policy,
    undated_template,
    unserved_template,
)


@dataclass(frozen=True, kw_only=True)
class SearchAccess:
    """One statement. paths: after the domain's ARN, as `/click-counts/_search`."""

    sid: str
    role: Callable[[Names], str]
    actions: tuple[str, ...]
    paths: tuple[str, ...]
    effect: str = "Allow"

    def resources(self, domain_arn: str) -> list[str]:
        return [f"{domain_arn}{path}" for path in self.paths]

    def statement(self, domain_arn: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=self.sid,
            effect=iam.Effect.ALLOW if self.effect == "Allow" else iam.Effect.DENY,
            actions=list(self.actions),
            resources=self.resources(domain_arn),
        )


BATCH_SERVER_READS = SearchAccess(
    sid="BatchServerReads",
    role=lambda names: names.batch_server_role,
    actions=("es:ESHttpPost",),
    paths=tuple(
        f"/{searched}/_search"
        for sink in SINKS
        for searched in (counts_alias(sink.index_family), index_pattern(sink.index_family))
    ),
)
"""The alias; and, until every batch server searches it, the pattern that the release before searched."""

# In IAM a * spans slashes too, and POST /click-counts.2026.01.31/_doc/_search writes a document with the id
# "_search". So nothing may stand between the index and the last part of the path.
BATCH_SERVER_NEVER_WRITES = SearchAccess(
    sid="BatchServerNeverWrites",
    effect="Deny",
    role=lambda names: names.batch_server_role,
    actions=("es:ESHttpPost",),
    paths=tuple(f"/{index_pattern(sink.index_family)}/*/_search" for sink in SINKS),
)

_FEEDBACK_READ = f"/{index_pattern(CLICK_COUNTS.index_family)}"
"""Searched by the release before, until its function is replaced: the domain's policy changes first."""
FEEDBACK_READS = SearchAccess(
    sid="FeedbackReads",
    role=lambda names: names.feedback,
    actions=("es:ESHttpPost",),
    paths=(f"/{counts_alias(CLICK_COUNTS.index_family)}/_search", f"{_FEEDBACK_READ}/_search"),
)
FEEDBACK_NEVER_WRITES = SearchAccess(
    sid="FeedbackNeverWrites",
    effect="Deny",
    role=lambda names: names.feedback,
    actions=("es:ESHttpPost",),
    paths=(f"{_FEEDBACK_READ}/*/_search",),
)

RECONCILIATION_READS = SearchAccess(
    sid="ReconciliationReads",
    role=lambda names: names.reconciliation,
    actions=("es:ESHttpPost",),
    paths=(f"/{counts_alias(CLICK_COUNTS.index_family)}/_search",),
)

RECONCILE = "reconcile"
"""The operators' command with this permission."""
OPERATOR_RECONCILES = replace(
    RECONCILIATION_READS, sid="OperatorReconciles", role=lambda names: names.operator_role(RECONCILE)
)


def delivery(sink: Sink) -> tuple[SearchAccess, ...]:
    """What a delivery stream of counts may do: the actions and paths of the Firehose developer guide, "Grant
    Firehose access to a public OpenSearch Service destination".

    The empty path is the domain itself: the guide has it for writing, and in some accounts Firehose also asks
    for it with GET when it creates a delivery stream, though the guide does not say so.
    """
    generations = [f"/{pattern}" for pattern in generation_patterns(sink.index_family)]
    writes = SearchAccess(
        sid=f"{sink.construct_id}DeliveryWrites",
        role=lambda names: names.delivery_role(sink.name),
        actions=("es:ESHttpPost", "es:ESHttpPut"),
        paths=("", "/*"),
    )
    reads = SearchAccess(
        sid=f"{sink.construct_id}DeliveryReads",
        role=lambda names: names.delivery_role(sink.name),
        actions=("es:ESHttpGet",),
        paths=(
            "",
            "/",
            "/_all/_settings",
            "/_cluster/stats",
            *(f"{indices}/_mapping*" for indices in generations),
            "/_nodes",
            "/_nodes/stats",
            "/_nodes/*/stats",
            "/_stats",
            *(f"{indices}/_stats" for indices in generations),
        ),
    )
    return writes, reads


SEARCH_BOOTSTRAP = SearchAccess(
    sid="SearchBootstrap",
    role=lambda names: names.search_bootstrap,
    actions=("es:ESHttpGet", "es:ESHttpPut"),
    paths=tuple(
        path
        for sink in SINKS
        for path in (
            f"/_ingest/pipeline/{sink.index_family}",
            f"/_index_template/{sink.index_family}",
            f"/_index_template/{unserved_template(sink.index_family)}",
            f"/_index_template/{undated_template(sink.index_family)}",
            f"/_plugins/_ism/policies/{retention_policy(sink.index_family)}",
        )
    ),
)

SEARCH_BOOTSTRAP_READS_ALIAS = SearchAccess(
    sid="SearchBootstrapReadsAlias",
    role=lambda names: names.search_bootstrap,
    actions=("es:ESHttpGet",),
    paths=tuple(
        path
        for sink in SINKS
        for path in (
            f"/_alias/{counts_alias(sink.index_family)}",
            *(f"/{pattern}/_alias" for pattern in generation_patterns(sink.index_family)),
        )
    ),
)

# A * spans slashes, but no request with a path that ends so writes a document: of those, `_doc` has one part
# behind it, and this has two.
SEARCH_BOOTSTRAP_GIVES_ALIAS = SearchAccess(
    sid="SearchBootstrapGivesAlias",
    role=lambda names: names.search_bootstrap,
    actions=("es:ESHttpPut",),
    paths=tuple(
        f"/{pattern}/_alias/{counts_alias(sink.index_family)}"
        for sink in SINKS
        for pattern in generation_patterns(sink.index_family)
    ),
)

SEARCH_BOOTSTRAP_ENDS_RETENTION = SearchAccess(
    sid="SearchBootstrapEndsRetention",
    role=lambda names: names.search_bootstrap,
    actions=("es:ESHttpDelete",),
    paths=tuple(f"/_plugins/_ism/policies/{retention_policy(sink.index_family)}" for sink in SINKS),
)

REPLAY = "replay"
OPERATOR_FINDS_SERVED_DAYS = SearchAccess(
    sid="OperatorFindsServedDays",
    role=lambda names: names.operator_role(REPLAY),
    actions=("es:ESHttpGet",),
    paths=tuple(f"/{counts_alias(sink.index_family)}/_settings/index.creation_date" for sink in SINKS),
)

CORRECTION = "correct"
"""The command of `click-trends`."""


def _of_each_sink(*paths: Callable[[Sink], tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(path for sink in SINKS for make in paths for path in make(sink))


def _correction(
    sid: str, actions: tuple[str, ...], *paths: Callable[[Sink], tuple[str, ...]]
) -> SearchAccess:
    return SearchAccess(
        sid=sid,
        role=lambda names: names.operator_role(CORRECTION),
        actions=actions,
        paths=_of_each_sink(*paths),
    )


def _below(*lasts: str) -> Callable[[Sink], tuple[str, ...]]:
    return lambda sink: tuple(
        f"/{pattern}{last}" for pattern in generation_patterns(sink.index_family) for last in lasts
    )


CORRECTION_ACCESS = (
    _correction(
        "CorrectionReads",
        ("es:ESHttpGet",),
        lambda sink: (f"/_alias/{counts_alias(sink.index_family)}", f"/_index_template/{sink.index_family}"),
        _below("/_alias"),
    ),
    # A bulk request may name any index in its lines, and a change of aliases any alias: who corrects counts
    # may change all of them.
    _correction(
        "CorrectionLoadsAndSwitches",
        ("es:ESHttpPost",),
        lambda _: ("/_aliases",),
        _below("/_search", "/_refresh", "/_bulk"),
    ),
    _correction(
        "CorrectionMakesIndices",
        ("es:ESHttpPut",),
        lambda sink: (f"/_index_template/{sink.index_family}", f"/{sink.index_family}_*"),
    ),
    _correction("CorrectionDeletesFormerCounts", ("es:ESHttpDelete",), _below("")),
)
BATCH_SERVER = (BATCH_SERVER_READS, BATCH_SERVER_NEVER_WRITES)
FEEDBACK = (FEEDBACK_READS, FEEDBACK_NEVER_WRITES)
RECONCILIATION = (RECONCILIATION_READS,)
RECONCILING_OPERATOR = (OPERATOR_RECONCILES,)
REPLAYING_OPERATOR = (OPERATOR_FINDS_SERVED_DAYS,)
BOOTSTRAP = (
    SEARCH_BOOTSTRAP,
    SEARCH_BOOTSTRAP_READS_ALIAS,
    SEARCH_BOOTSTRAP_GIVES_ALIAS,
    SEARCH_BOOTSTRAP_ENDS_RETENTION,
)
ALL = (
    *BATCH_SERVER,
    *FEEDBACK,
    *RECONCILIATION,
    *RECONCILING_OPERATOR,
    *REPLAYING_OPERATOR,
    *(access for sink in SINKS for access in delivery(sink)),
    *BOOTSTRAP,
    *CORRECTION_ACCESS,
)
