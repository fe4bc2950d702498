"""A table of rankings in the twin's emulated AWS, and answers as the batch server library gives them."""

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from clients.batch_server import (
    Freshness,
    Grouping,
    Minutes,
    ReadProgress,
    Segment,
    TopList,
    TopOfSegments,
    TrendingArticle,
    TrendingReader,
)
from contract.ranking import KEY, ServedRanking
from lambdas.feedback.configuration import FeedbackConfiguration
from lambdas.feedback.feedback import RankingFeedback
from lambdas.feedback.metrics import FeedbackOutcome
from lambdas.feedback.table import RankingTable
from names import TOKYO
from settings import Settings
from settings.feedback import FeedbackSettings
from stacks.serving.feedback import environment_of
from twin.emulator import Emulator

NOON = datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC)
ENOUGH_SECONDS = 50.0
FEMALE, MALE = Segment(gender="female"), Segment(gender="male")
SETTINGS = Settings(environment="trial", account="111111111111")
_NUMBERS = itertools.count(1)

Lists = Mapping[Segment, Mapping[str, int]]


def configuration_of(**settings: Any) -> FeedbackConfiguration:
    """The configuration that the infrastructure sets."""
    environment = environment_of(
        FeedbackSettings(**settings),
        names=SETTINGS.names,
        domain_arn=SETTINGS.names.search_domain_arn,
        domain_scheme=SETTINGS.search.scheme,
        table_arn=SETTINGS.names.trending_table_arn,
    )
    return FeedbackConfiguration.read(environment)


def counted(lists: Lists, at: datetime = NOON, **freshness: Any) -> TopOfSegments:
    """An answer at `at` over ten minutes. freshness: what differs from the normal case."""
    whole = at.replace(second=0, microsecond=0)
    told: dict[str, Any] = {
        "newest_minute": whole,
        "newest_published_at": at - timedelta(seconds=8),
        "delivered_until": at - timedelta(seconds=18),
        "progress": ReadProgress(read_until=at - timedelta(seconds=18), behind=timedelta(0)),
    }
    return TopOfSegments(
        minutes=Minutes(whole - timedelta(minutes=10), whole + timedelta(minutes=1)),
        freshness=Freshness(asked_at=at, since=whole - timedelta(minutes=15), **(told | freshness)),
        searches=1,
        lists={
            segment: TopList(
                articles=tuple(TrendingArticle(*each) for each in clicks.items()),
                clicks=sum(clicks.values()),
                cut=False,
            )
            for segment, clicks in lists.items()
        },
    )


@dataclass
class Counts:
    """Stands in for the library: the next answer, or the error it raises."""

    answer: TopOfSegments | Exception
    asked: list[tuple[timedelta, tuple[Grouping, ...], int, int]] = field(default_factory=list)
    within: timedelta | None = None

    def top_of_segments(
        self,
        last: timedelta,
        groupings: tuple[Grouping, ...],
        limit: int,
        *,
        min_clicks: int,
        within: timedelta,
    ) -> TopOfSegments:
        self.asked.append((last, groupings, limit, min_clicks))
        self.within = within
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class Service:
    """A test's own table, what is written to it, and what web servers see."""

    name: str
    client: Any

    def feedback(
        self,
        counts: Counts,
        *,
        now: datetime = NOON,
        configuration: FeedbackConfiguration | None = None,
        client: Any = None,
    ) -> RankingFeedback:
        return RankingFeedback(
            configuration or configuration_of(),
            cast(TrendingReader, counts),
            RankingTable(client or self.client, self.name),
            clock=lambda: now,
        )

    def run(
        self, answer: TopOfSegments | Exception, *, now: datetime | None = None, **rest: Any
    ) -> FeedbackOutcome:
        """One run of the function at the time of the answer, or at `now`."""
        if now is None:
            now = answer.freshness.asked_at if isinstance(answer, TopOfSegments) else NOON
        return self.feedback(Counts(answer), now=now, **rest).run(ENOUGH_SECONDS)

    def seen(self) -> dict[str, ServedRanking]:
        return RankingTable(self.client, self.name).stored()[0]

    def articles(self) -> dict[str, tuple[str, ...]]:
        return {key: ranking.articles for key, ranking in self.seen().items()}


@pytest.fixture
def service(emulator: Emulator) -> Iterator[Service]:
    name = f"feedback-{next(_NUMBERS)}"
    client = emulator.client("dynamodb", TOKYO)
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield Service(name, client)
    client.delete_table(TableName=name)


@pytest.fixture
def as_root(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients created with only a region reach the emulated AWS."""
    for name, value in emulator.client_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
