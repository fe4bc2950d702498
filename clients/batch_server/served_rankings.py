"""What the service sees now: a segment's ranking in DynamoDB, with its age (docs/operate/feedback.md)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clients.batch_server.credentials import own_credentials, own_session, role_session
from clients.batch_server.errors import QuestionError, TrendsError, is_unanswered, refuse_empty
from clients.batch_server.segment import ALL_READERS, Segment
from contract.ranking import KEY, RankingError, ServedRanking, segment_key
from names import TOKYO_INGEST, stack_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CONFIG = Config(connect_timeout=5, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})


@dataclass(frozen=True, kw_only=True)
class Served:
    """ranking: None where the table has none for the segment; at: when it was read."""

    segment: Segment
    ranking: ServedRanking | None
    at: datetime

    @property
    def age(self) -> timedelta | None:
        """Of the newest counts in the ranking."""
        return None if self.ranking is None else max(timedelta(0), self.at - self.ranking.counted_until)

    @property
    def is_fresh(self) -> bool:
        return self.ranking is not None and self.at.timestamp() <= self.ranking.fresh_until


class ServedTable:
    """The table of rankings, read as the service reads it; may be shared by threads."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def read(self, segment: Segment = ALL_READERS) -> Served:
        """One GetItem. Raises TrendsError."""
        try:
            answer = self._client.get_item(
                TableName=self._name, Key={KEY: {"S": segment_key(segment.as_dict())}}
            )
        except (BotoCoreError, ClientError) as error:
            check = (
                "that this machine reaches DynamoDB"
                if is_unanswered(error)
                else "--table, and that the batch server's role "
                f"({stack_name('<environment>', TOKYO_INGEST)}) is the one that reads it"
            )
            raise TrendsError(
                f"the table {self._name} in {self._client.meta.region_name} cannot be read: {error}. "
                f"Check {check}"
            ) from error
        deserialize = TypeDeserializer().deserialize
        item = {name: deserialize(value) for name, value in answer.get("Item", {}).items()}
        try:
            ranking = ServedRanking.from_item(item) if item else None
        except RankingError as error:
            raise TrendsError(
                f"{error}. The feedback function replaces it when the segment is clicked; else delete it"
            ) from error
        return Served(segment=segment, ranking=ranking, at=datetime.now(UTC))


def connect_table(
    name: str, *, region: str, role_arn: str | None = None, session: boto3.Session | None = None
) -> ServedTable:
    """Reads with the session's identity, or with `role_arn` assumed by it (and renewed). Raises
    TrendsError."""
    refuse_empty(name=name, region=region, role_arn=role_arn)
    session = session or own_session()
    try:
        own_credentials(session)
        reads_as = role_session(session, role_arn, region) if role_arn else session
        return ServedTable(reads_as.client("dynamodb", region_name=region, config=_CONFIG), name)
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is none
        raise QuestionError(f"no table can be read in {region}: {error}. Check --table-region") from error
