"""The last stage of freshness: how old the ranking is that the service has now, as the table tells it.

Read for all viewers together, and only while there are any: one GetItem in SECONDS_BETWEEN. The feedback
function writes once a minute at most.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from clients.batch_server.errors import TrendsError
from clients.batch_server.served_rankings import Served
from clients.board import background

SECONDS_BETWEEN = 10.0

_log = logging.getLogger(__name__)

ReadServed = Callable[[], Served]
"""Reads the ranking of all readers. Raises TrendsError."""


@dataclass(frozen=True, kw_only=True)
class ServedStage:
    """counted_until: the newest counts in the ranking, None where the table has none; fresh_until: when it
    is out of date; problem: why the table could not be read, beside what was read before."""

    counted_until: datetime | None = None
    fresh_until: datetime | None = None
    problem: str | None = None


class Viewers(Protocol):
    """Who knows whether anybody looks."""

    @property
    def is_watched(self) -> bool: ...

    async def change(self, timeout: float) -> None:
        """Returns when that may have changed, or after that many seconds."""


class RankingFreshness:
    def __init__(self, read: ReadServed, viewers: Viewers) -> None:
        self._read = read
        self._viewers = viewers
        self.stage = ServedStage()

    async def run(self) -> None:
        while True:
            if not self._viewers.is_watched:
                await self._viewers.change(timeout=60)
                continue
            await self._look()
            await asyncio.sleep(SECONDS_BETWEEN)

    async def _look(self) -> None:
        try:
            served = await background.run(self._read)
        except TrendsError as error:
            self.stage = self._failed(str(error))
        except Exception as error:  # a fault of the board must not end it for everyone
            _log.exception("the board could not read the served ranking")
            self.stage = self._failed(f"the board failed ({type(error).__name__}): look at its log")
        else:
            self.stage = _stage(served)

    def _failed(self, problem: str) -> ServedStage:
        return ServedStage(
            counted_until=self.stage.counted_until, fresh_until=self.stage.fresh_until, problem=problem
        )


def _stage(served: Served) -> ServedStage:
    ranking = served.ranking
    if ranking is None:
        return ServedStage()
    fresh_until = datetime.fromtimestamp(ranking.fresh_until, UTC)
    return ServedStage(counted_until=ranking.counted_until, fresh_until=fresh_until)
