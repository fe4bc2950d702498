"""One question to the counts: its searches, and how fresh the counts were at the first of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clients.batch_server import aggregations
from clients.batch_server.aggregations import Aggregation
from clients.batch_server.answers import DELIVERY, Freshness
from clients.batch_server.errors import TrendsError
from clients.batch_server.minutes import Minutes
from clients.batch_server.progress import NOT_ASKED, RECENT, ReadProgress
from clients.batch_server.segment import ALL_READERS, Segment

Search = Callable[[Mapping[str, Any]], dict[str, Any]]
"""A request body to the answer's aggregations; {} while nothing was ever counted."""


class Question:
    """Asks about the counts of `minutes` and `segment`; may take several searches."""

    def __init__(
        self,
        search: Search,
        minutes: Minutes,
        segment: Segment = ALL_READERS,
        *,
        asked_at: datetime,
        progress: ReadProgress = NOT_ASKED,
        filters: Sequence[Aggregation] = (),
    ) -> None:
        """filters: what else a count must have to be asked about."""
        self.minutes = minutes
        self.segment = segment
        self.searches = 0
        self._search = search
        self._filters = tuple(filters)
        self._told = False  # whether a search told the freshness; one may have failed
        self._counted = False  # whether there is any index
        self._recent = Minutes(minutes.until - RECENT, minutes.until)
        self._asked_at = asked_at
        self._progress = progress
        self._freshness = self._freshness_in({})

    @property
    def answer(self) -> dict[str, Any]:
        """The fields of every Answer."""
        return {"minutes": self.minutes, "freshness": self._freshness, "searches": self.searches}

    def ask(self, asked: Mapping[str, Aggregation], *filters: Aggregation) -> dict[str, Any]:
        """The aggregations over the counts asked about that the filters let through too; {} when there is no
        index. Raises TrendsError."""
        chosen = [*aggregations.of(self.minutes, self.segment), *self._filters, *filters]
        self.searches += 1
        if self._told:
            answer = self._search(aggregations.body(asked, *chosen))
            if self._counted and not answer:
                raise TrendsError("the indices of the counts were deleted while they were read: ask again")
            return answer
        # All readers' recent counts tell the freshness, whatever part of the counts is asked about.
        recent = aggregations.during(self._recent)
        newest = aggregations.newest(self._asked_at - DELIVERY)
        both = Minutes(min(self.minutes.since, self._recent.since), self.minutes.until)
        about_recent = {"recent": aggregations.part(newest, recent)}
        if chosen == [aggregations.during(both)]:  # a second filter would let through all that the first does
            answer = self._search(aggregations.body({**about_recent, **asked}, *chosen))
            found = answer
        else:
            answer = self._search(
                aggregations.body(
                    {**about_recent, "asked": aggregations.part(asked, *chosen)},
                    aggregations.during(both),
                    *([aggregations.any_of([[recent], chosen])] if len(chosen) > 1 else []),
                )
            )
            found = answer.get("asked", {})
        self._told = True
        if not answer:
            return {}
        self._counted = True
        self._freshness = self._freshness_in(answer["recent"])
        return found

    def _freshness_in(self, newest: Mapping[str, Any]) -> Freshness:
        return freshness_in(
            newest, asked_at=self._asked_at, since=self._recent.since, progress=self._progress
        )


def freshness_in(
    newest: Mapping[str, Any], *, asked_at: datetime, since: datetime, progress: ReadProgress
) -> Freshness:
    """From the answer to `aggregations.newest`, {} while there is no index."""
    delivered = newest.get("delivered", {}).get("newest_published_at")
    return Freshness(
        asked_at=asked_at,
        since=since,
        newest_minute=time_in(newest.get("newest_minute")),
        newest_published_at=time_in(newest.get("newest_published_at")),
        delivered_until=time_in(delivered),
        progress=progress,
    )


def time_in(newest: Mapping[str, Any] | None) -> datetime | None:
    """From the answer to a `max` of times; None when there was nothing."""
    milliseconds = newest["value"] if newest else None
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
