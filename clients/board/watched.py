"""What the board reads beside OpenSearch (alarms, refused segments), for all viewers together, and only while
there are any.

What was read before stays when a reading fails, with its own age and the reason.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from clients.batch_server.errors import TrendsError
from clients.board import background
from clients.board.ranking_freshness import SECONDS_BETWEEN, Viewers

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Seen(Generic[T]):
    """value: None until it was read, at `at`; problem: why the newest reading failed."""

    value: T | None = None
    at: datetime | None = None
    problem: str | None = None


class Watched(Generic[T]):
    """what: as the board calls it; read: raises TrendsError, or None where nobody told how (see `unread`)."""

    def __init__(
        self,
        what: str,
        read: Callable[[], T] | None,
        viewers: Viewers,
        clock: Callable[[], datetime],
        *,
        unread: str,
    ) -> None:
        self._what = what
        self._read = read
        self._viewers = viewers
        self._clock = clock
        self.seen: Seen[T] = Seen(problem=unread if read is None else None)

    async def run(self) -> None:
        while self._read is not None:
            if not self._viewers.is_watched:
                await self._viewers.change(timeout=60)
                continue
            await self._look(self._read)
            await asyncio.sleep(SECONDS_BETWEEN)

    async def _look(self, read: Callable[[], T]) -> None:
        at = self._clock()
        try:
            self.seen = Seen(value=await background.run(read), at=at)
        except TrendsError as error:
            self.seen = replace(self.seen, problem=str(error))
        except Exception as error:  # a fault of the board must not end it for everyone
            _log.exception("the board could not read %s", self._what)
            problem = f"the board failed ({type(error).__name__}): look at its log"
            self.seen = replace(self.seen, problem=problem)
