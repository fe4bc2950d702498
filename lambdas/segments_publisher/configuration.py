"""The function's environment variables, under the names that the infrastructure uses too."""

from collections.abc import Mapping
from dataclasses import dataclass

BUCKET = "BUCKET"
TOPIC_ARN = "TOPIC_ARN"
LEAD_SECONDS = "LEAD_SECONDS"
KEEP_SECONDS = "KEEP_SECONDS"
LEASE_SECONDS = "LEASE_SECONDS"
MAX_USERS = "MAX_USERS"
MAX_PLAIN_BYTES = "MAX_PLAIN_BYTES"
MAX_SHRINK_PERCENT = "MAX_SHRINK_PERCENT"


@dataclass(frozen=True, kw_only=True)
class PublisherConfiguration:
    """topic_arn: whom refusals notify, if anyone; lead_seconds: from a version's publication until every task
    has read it; keep_seconds: for which a version is kept after the next one began to hold; lease_seconds:
    longer than an invocation; the others: as in contract.segments.Rules."""

    bucket: str
    topic_arn: str | None
    lead_seconds: int
    keep_seconds: int
    lease_seconds: int
    max_users: int
    max_plain_bytes: int
    max_shrink_percent: int
    region: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "PublisherConfiguration":
        return cls(
            bucket=environment[BUCKET],
            topic_arn=environment.get(TOPIC_ARN),
            lead_seconds=int(environment[LEAD_SECONDS]),
            keep_seconds=int(environment[KEEP_SECONDS]),
            lease_seconds=int(environment[LEASE_SECONDS]),
            max_users=int(environment[MAX_USERS]),
            max_plain_bytes=int(environment[MAX_PLAIN_BYTES]),
            max_shrink_percent=int(environment[MAX_SHRINK_PERCENT]),
            region=environment["AWS_REGION"],
        )
