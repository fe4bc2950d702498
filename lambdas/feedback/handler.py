"""Write each segment's most clicked articles, for web servers to read. Invoked every minute.

1. Read the served rankings.  2. Ask OpenSearch in Oregon for the top articles of every segment.
3. Keep the rankings if counts are empty, out of date or partial, or nobody knows what was read.
4. Write those that changed.  5. Publish how many, and the age of what is served.

Concurrent and repeated runs do no harm: docs/operate/feedback.md says why.
"""

import os
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from clients.batch_server import TrendsError, connect
from lambdas.feedback.configuration import FeedbackConfiguration
from lambdas.feedback.feedback import RankingFeedback
from lambdas.feedback.metrics import publish
from lambdas.feedback.table import CLIENT_CONFIG, RankingTable
from lambdas.shared.invocation import Invocation

SEARCH_ATTEMPTS = 3
"""Fewer than the library's: the next run asks again anyway."""


class FeedbackError(Exception):
    """Something was not written; the message says what and why. The next run retries."""


@cache
def _feedback() -> RankingFeedback:
    """Built by the first invocation and kept, with its connections."""
    configuration = FeedbackConfiguration.read(os.environ)
    session = boto3.Session()
    return RankingFeedback(
        configuration,
        connect(
            _endpoint(session, configuration),
            session,
            region=configuration.domain_region,
            max_attempts=SEARCH_ATTEMPTS,
            environment=configuration.environment,
        ),
        RankingTable(session.client("dynamodb", config=CLIENT_CONFIG), configuration.table),
    )


def _endpoint(session: boto3.Session, configuration: FeedbackConfiguration) -> str:
    """Asked for, because AWS chooses the host name and a stack cannot refer to another region's."""
    client = session.client("opensearch", region_name=configuration.domain_region, config=CLIENT_CONFIG)
    try:
        host = client.describe_domain(DomainName=configuration.domain)["DomainStatus"].get("Endpoint")
    except (BotoCoreError, ClientError) as error:
        raise FeedbackError(f"cannot find the host of the domain {configuration.domain}: {error}") from error
    if not host:
        raise FeedbackError(
            f"the domain {configuration.domain} has no host: it is still being created, or in a VPC"
        )
    return f"{configuration.domain_scheme}://{host}"


def handler(event: dict[str, Any], invocation: Invocation) -> None:  # noqa: ARG001 (Lambda passes both)
    """Raises FeedbackError, so that the invocation counts as an error and its alarm notifies."""
    try:
        outcome = _feedback().run(invocation.get_remaining_time_in_millis() / 1000)
    except TrendsError as error:
        raise FeedbackError(str(error)) from error
    publish(outcome)
    if outcome.problems:
        _feedback.cache_clear()  # a recreated domain has another host
        raise FeedbackError("; ".join(outcome.problems[:5]))
