"""What each role may do in OpenSearch, written once for the domain's access policy and the role's own."""

from collections.abc import Callable
from dataclasses import dataclass

from aws_cdk import aws_iam as iam

from contract.sink import CLICK_COUNTS, SINKS, Sink
from names import Names, index_pattern, retention_policy


@dataclass(frozen=True, kw_only=True)
class SearchAccess:
    """One statement. paths: after the domain's ARN, as `/click-counts.*/_search`."""

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


_READING = ("_search", "_count", "_msearch")

BATCH_SERVER_READS = SearchAccess(
    sid="BatchServerReads",
    role=lambda names: names.batch_server_role,
    actions=("es:ESHttpGet", "es:ESHttpPost"),
    paths=tuple(f"/{index_pattern(sink.index_family)}/{asking}" for sink in SINKS for asking in _READING),
)

# In IAM a * spans slashes too, and POST /click-counts.2026.01.31/_doc/_search writes a document with the id
# "_search". So nothing may stand between the index and the last part of the path.
BATCH_SERVER_NEVER_WRITES = SearchAccess(
    sid="BatchServerNeverWrites",
    effect="Deny",
    role=lambda names: names.batch_server_role,
    actions=("es:ESHttpPost",),
    paths=tuple(f"/{index_pattern(sink.index_family)}/*/{asking}" for sink in SINKS for asking in _READING),
)

_READ_BY_FEEDBACK = f"/{index_pattern(CLICK_COUNTS.index_family)}"
FEEDBACK_READS = SearchAccess(
    sid="FeedbackReads",
    role=lambda names: names.feedback,
    actions=("es:ESHttpPost",),
    paths=(f"{_READ_BY_FEEDBACK}/_search",),
)
FEEDBACK_NEVER_WRITES = SearchAccess(
    sid="FeedbackNeverWrites",
    effect="Deny",
    role=lambda names: names.feedback,
    actions=("es:ESHttpPost",),
    paths=(f"{_READ_BY_FEEDBACK}/*/_search",),
)


def delivery(sink: Sink) -> tuple[SearchAccess, ...]:
    """What a delivery stream of counts may do: the actions and paths of the Firehose developer guide, "Grant
    Firehose access to a public OpenSearch Service destination".

    The empty path is the domain itself: the guide has it for writing, and in some accounts Firehose also asks
    for it with GET when it creates a delivery stream, though the guide does not say so.
    """
    indices = f"/{index_pattern(sink.index_family)}"
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
            f"{indices}/_mapping*",
            "/_nodes",
            "/_nodes/stats",
            "/_nodes/*/stats",
            "/_stats",
            f"{indices}/_stats",
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
            f"/_plugins/_ism/policies/{retention_policy(sink.index_family)}",
        )
    ),
)

SEARCH_BOOTSTRAP_ENDS_RETENTION = SearchAccess(
    sid="SearchBootstrapEndsRetention",
    role=lambda names: names.search_bootstrap,
    actions=("es:ESHttpDelete",),
    paths=tuple(f"/_plugins/_ism/policies/{retention_policy(sink.index_family)}" for sink in SINKS),
)

BATCH_SERVER = (BATCH_SERVER_READS, BATCH_SERVER_NEVER_WRITES)
FEEDBACK = (FEEDBACK_READS, FEEDBACK_NEVER_WRITES)
BOOTSTRAP = (SEARCH_BOOTSTRAP, SEARCH_BOOTSTRAP_ENDS_RETENTION)
ALL = (*BATCH_SERVER, *FEEDBACK, *(access for sink in SINKS for access in delivery(sink)), *BOOTSTRAP)
