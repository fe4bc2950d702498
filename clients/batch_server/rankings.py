"""What the service sees now: a segment's ranking in DynamoDB, with its age (docs/operate/feedback.md)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from clients.batch_server.credentials import own_credentials, role_session
from clients.batch_server.errors import TrendsError
from clients.batch_server.segment import ALL_READERS, Segment
from clients.batch_server.text import age_text, printable
from contract.count import SEGMENT_COLUMNS
from contract.event_time import format_time
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
            raise TrendsError(
                f"the table {self._name} in {self._client.meta.region_name} cannot be read: {error}. Check "
                f"--table, and that the batch server's role ({stack_name('<environment>', TOKYO_INGEST)}) "
                "is the one that reads it"
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
    session = session or boto3.Session()
    try:
        own_credentials(session)
        reads_as = role_session(session, role_arn, region) if role_arn else session
        return ServedTable(reads_as.client("dynamodb", region_name=region, config=_CONFIG), name)
    except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is none
        raise TrendsError(f"no table can be read in {region}: {error}. Check --table-region") from error


def segment_of(parts: Sequence[str]) -> Segment:
    """From `gender=female`, `region=tokyo`; no parts: all readers. Raises ValueError."""
    values: dict[str, str] = {}
    for part in parts:
        column, equals, value = part.partition("=")
        if column not in SEGMENT_COLUMNS or not equals or not value or column in values:
            raise ValueError(
                f"{part!r} is no part of a segment: write column=value, each column once, of "
                f"{', '.join(SEGMENT_COLUMNS)}"
            )
        values[column] = value
    return Segment(**values)


def served_as_json(served: Served) -> str:
    ranking, age = served.ranking, served.age
    return json.dumps(
        {
            "segment": served.segment.as_dict(),
            "read_at": format_time(served.at),
            "served": ranking is not None,
            "fresh": served.is_fresh,
            "age_seconds": None if age is None else round(age.total_seconds(), 3),
            **({} if ranking is None else ranking.as_item() | {"segment": served.segment.as_dict()}),
        },
        ensure_ascii=False,
        indent=2,
    )


def _nothing_served(segment: Segment) -> str:
    few = (
        "no article has enough clicks in this segment or no reader is in it (the service then shows what all "
        "readers click), or "
        if segment.fields
        else ""
    )
    return (
        f"The table has no ranking of {segment.label}. In the first six minutes after the first clicks it "
        f"has none yet: ask again then. If it still has none, {few}nothing is counted "
        "(`click-trends freshness` tells), or the feedback function fails (its "
        "alarms notify, and its log says why)."
    )


COLUMNS: tuple[tuple[str, JustifyMethod], ...] = (
    ("place", "right"),
    ("article id", "left"),
    ("clicks", "right"),
)


def served_for_people(served: Served, zone: tzinfo) -> RenderableType:
    title = Text(f"Served to {served.segment.label}", style="bold")
    ranking = served.ranking
    if ranking is None or served.age is None:
        return Group(title, Text(_nothing_served(served.segment)))
    table = Table()
    for column, justify in COLUMNS:
        table.add_column(column, justify=justify)
    for place, (article_id, clicks) in enumerate(zip(ranking.articles, ranking.clicks, strict=True), start=1):
        table.add_row(str(place), Text(printable(article_id)), f"{clicks:,}")
    counted = ranking.counted_until.astimezone(zone)
    fresh_until = datetime.fromtimestamp(ranking.fresh_until, zone)
    complete = ranking.complete_until.astimezone(zone)
    fresh = "Fresh until" if served.is_fresh else "OUT OF DATE since"
    return Group(
        title,
        table,
        Text(
            f"Counted until {counted:%Y-%m-%d %H:%M:%S %Z} ({age_text(served.age)} ago); complete until "
            f"{complete:%Y-%m-%d %H:%M %Z} but for late clicks."
        ),
        Text(
            f"{fresh} {fresh_until:%Y-%m-%d %H:%M:%S %Z}: an unchanged ranking is written again before.",
            style="" if served.is_fresh else "bold",
        ),
    )
