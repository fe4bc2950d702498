"""A ranking as the service reads it: an item of the table `trending` a segment (docs/operate/feedback.md).

Written by the feedback function, read by web servers with one GetItem.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from contract.count import SEGMENT_COLUMNS
from contract.event_time import format_time, parse_time

KEY = "segment"
ARTICLES = "articles"
CLICKS = "clicks"
COUNTED_UNTIL = "counted_until"
COMPUTED_AT = "computed_at"
COMPLETE_UNTIL = "complete_until"
FRESH_UNTIL = "fresh_until"
EXPIRES_AT = "expires_at"
"""The table's TTL attribute: whole seconds since 1970, as DynamoDB requires."""

ALL_READERS_KEY = "all"
"""Unlike any other segment's key: each of those contains a `=`."""

MAX_ARTICLES = 500
"""Ids of at most 512 bytes each, with their clicks, stay below DynamoDB's limit of 400 KB an item."""
_ESCAPED = str.maketrans({"%": "%25", "&": "%26", "=": "%3D"})


class RankingError(Exception):
    """An item of the table is not a ranking; the message says which and why."""


def segment_key(values: Mapping[str, str]) -> str:
    """The key of the segment with these values by column, as `gender=female&age_band=20s`.

    Columns are in the contract's order. In a value %, & and = are written %25, %26 and %3D. Raises ValueError
    for a column that the contract does not have.
    """
    if unknown := sorted(values.keys() - set(SEGMENT_COLUMNS)):
        raise ValueError(f"a segment has no {', '.join(unknown)}: its columns are {SEGMENT_COLUMNS}")
    parts = [
        f"{column}={values[column].translate(_ESCAPED)}" for column in SEGMENT_COLUMNS if column in values
    ]
    return "&".join(parts) or ALL_READERS_KEY


@dataclass(frozen=True, kw_only=True)
class ServedRanking:
    """segment: its key; articles: ids, the most clicked first; clicks: of each article.

    counted_until: the newest publication of counts in it, by the application's clock; computed_at: when the
    counts were queried, by the function's clock; complete_until: minutes that ended by then contain every
    punctual click. fresh_until: from then on the ranking is out of date; expires_at: DynamoDB deletes the
    item some time later. Both are in seconds since 1970.
    """

    segment: str
    articles: tuple[str, ...]
    clicks: tuple[int, ...]
    counted_until: datetime
    computed_at: datetime
    complete_until: datetime
    fresh_until: int
    expires_at: int

    @property
    def ranked(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """What two rankings have in common that differ only in age."""
        return self.articles, self.clicks

    def as_item(self) -> dict[str, Any]:
        """In the form that boto3's TypeSerializer takes."""
        return {
            KEY: self.segment,
            ARTICLES: list(self.articles),
            CLICKS: list(self.clicks),
            COUNTED_UNTIL: format_time(self.counted_until),
            COMPUTED_AT: format_time(self.computed_at),
            COMPLETE_UNTIL: format_time(self.complete_until),
            FRESH_UNTIL: self.fresh_until,
            EXPIRES_AT: self.expires_at,
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "ServedRanking":
        """From the output of boto3's TypeDeserializer. Raises RankingError."""
        segment = item.get(KEY)
        try:
            ranking = cls(
                segment=_typed(item, KEY, str),
                articles=tuple(str(article_id) for article_id in _typed(item, ARTICLES, list)),
                clicks=tuple(int(clicks) for clicks in _typed(item, CLICKS, list)),
                counted_until=_time(item, COUNTED_UNTIL),
                computed_at=_time(item, COMPUTED_AT),
                complete_until=_time(item, COMPLETE_UNTIL),
                fresh_until=int(_typed(item, FRESH_UNTIL, Decimal)),
                expires_at=int(_typed(item, EXPIRES_AT, Decimal)),
            )
        except (TypeError, ValueError, ArithmeticError) as error:
            raise RankingError(f"the item {segment!r} is no ranking: {error}") from error
        if len(ranking.articles) != len(ranking.clicks):
            raise RankingError(
                f"the item {segment!r} is no ranking: it has {len(ranking.articles)} articles and "
                f"{len(ranking.clicks)} numbers of clicks"
            )
        return ranking


def _typed(item: Mapping[str, Any], name: str, kind: type) -> Any:
    if not isinstance(value := item.get(name), kind):
        raise TypeError(f"its {name} is {value!r}")
    return value


def _time(item: Mapping[str, Any], name: str) -> datetime:
    time = parse_time(_typed(item, name, str))
    if time is None:
        raise ValueError(f"its {name} is {item[name]!r}")
    return time
