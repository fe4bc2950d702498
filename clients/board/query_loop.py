"""Asks what the viewers look at: each question once for all of them, within a budget of one search a second.

The budget has two halves, each of one search in two seconds on average, so that no slow question keeps the
heat map from being live: one for the heat maps, one for everything else. What is not used is saved, up to
MAX_SAVED searches, so that a page that was just opened fills at once. Without a viewer nothing is asked.

Over 00:00 UTC a heat map takes two searches. Then the other half lends it MAX_LENT of them, so that it is
asked every 2.5 seconds, and keeps one search in five seconds for itself.

Long questions are asked in parts, one after the other beside the budget, with a pause as long as each part
took: OpenSearch works on them half the time at most. They end when nobody looks at them any more.
"""

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from clients.batch_server.answers import Answer
from clients.batch_server.divided_top import Told
from clients.batch_server.errors import TrendsError
from clients.board import background
from clients.board.messages import Titles, message
from clients.board.questions import BoardQuestion, Lane

SECONDS_A_SEARCH = 2.0
"""Of each half of the budget."""
MAX_SAVED = 10.0
"""Searches that a half may save up."""
MAX_LENT = 0.75
"""Searches of one heat map that are paid by the half of everything else."""
ATTEMPTS = 2
"""Of a search that fails: the loop asks again anyway."""
SECONDS_AFTER_FAILURE = 2.0
"""A question that failed is asked again after these, as the budget allows: its next answer may be at hand."""
SECONDS_AFTER_LONG_FAILURE = 60.0
"""A long question that failed begins with its first part again: sooner, one that never ends would take half
of OpenSearch's time for good."""
MAX_KEPT = 100
"""Answers kept of questions that nobody looks at any more."""

_log = logging.getLogger(__name__)

Ask = Callable[..., Answer]
"""ask(question); ask(question, told) of the long lane, see divided_top.Told. Raises TrendsError."""


@dataclass(frozen=True)
class Answered:
    """number: grows with every answer; event: its JSON in UTF-8."""

    number: int
    event: bytes


@dataclass(frozen=True)
class PartsAnswered:
    """Of a long question that is being asked: how many are answered, and of how many."""

    done: int
    of: int


class _NobodyLooksError(Exception):
    """The viewers of a long question have gone."""


class Budget:
    """Searches that may be made now: one more every SECONDS_A_SEARCH, MAX_SAVED at most, below zero after a
    question that took more searches than there were."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._saved = MAX_SAVED
        self._at = clock()

    def seconds_until_next(self) -> float:
        """0 when a question may be asked now."""
        now = self._clock()
        self._saved = min(self._saved + (now - self._at) / SECONDS_A_SEARCH, MAX_SAVED)
        self._at = now
        return max(1.0 - self._saved, 0.0) * SECONDS_A_SEARCH

    def spend(self, searches: float) -> None:
        self._saved -= searches


class QueryLoop:
    """Run `run()` in an event loop; its other methods are called in the same loop."""

    def __init__(
        self,
        ask: Ask,
        titles: Titles,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """ask is called in threads; pause: of a thread, seconds."""
        self._ask = ask
        self._titles = titles
        self._clock = clock
        self._pause = pause
        self._viewers: Counter[BoardQuestion] = Counter()
        self._asked_at: dict[BoardQuestion, float] = {}
        self._answered: dict[BoardQuestion, Answered] = {}
        self._parts: dict[BoardQuestion, PartsAnswered] = {}
        self._problems: dict[Lane, str] = {}
        self._numbers = 0
        self._changed = asyncio.Event()
        self._budgets = {lane: Budget(clock) for lane in (Lane.LIVE, Lane.OTHER)}

    @contextmanager
    def watching(self, questions: Sequence[BoardQuestion]) -> Iterator[None]:
        """A viewer looks at these questions for the time of the block."""
        self._viewers.update(questions)
        self._notify()
        try:
            yield
        finally:
            self._viewers.subtract(questions)
            self._viewers += Counter()  # drops those at zero
            self._forget()

    @property
    def is_watched(self) -> bool:
        return bool(self._viewers)

    @property
    def problem(self) -> str | None:
        """Why the newest question failed; None when it was answered."""
        return next(iter(self._problems.values()), None)

    def answered(self, question: BoardQuestion) -> Answered | None:
        """The last answer, however old."""
        return self._answered.get(question)

    def parts(self, question: BoardQuestion) -> PartsAnswered | None:
        """None while it is not being asked in parts."""
        return self._parts.get(question)

    async def change(self, timeout: float) -> None:
        """Returns at the next answer or new viewer, or after that many seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return

    async def run(self) -> None:
        await asyncio.gather(self._half(Lane.LIVE), self._half(Lane.OTHER), self._long())

    async def _half(self, lane: Lane) -> None:
        budget, other = self._budgets[lane], Lane.OTHER if lane == Lane.LIVE else Lane.LIVE
        while True:
            question, due_in = self._next(lane)
            pause = max(due_in, budget.seconds_until_next())
            if question is None or pause > 0:
                await self.change(timeout=pause)
                continue
            searches = await self._answer(question)
            answered = lane not in self._problems
            lent = min(max(searches - 1, 0), MAX_LENT) if lane == Lane.LIVE and answered else 0
            budget.spend(searches - lent)
            self._budgets[other].spend(lent)

    async def _long(self) -> None:
        while True:
            question, due_in = self._next(Lane.LONG)
            if question is None or due_in > 0:
                await self.change(timeout=due_in)
                continue
            await self._answer(question, self._told_of(question))
            self._parts.pop(question, None)
            self._notify()

    def _told_of(self, question: BoardQuestion) -> Told:
        """Is called in the thread that asks."""
        loop, began = asyncio.get_running_loop(), self._clock()

        def set_parts(parts: PartsAnswered) -> None:
            self._parts[question] = parts
            self._notify()

        def told(done: int, of: int) -> None:
            nonlocal began
            loop.call_soon_threadsafe(set_parts, PartsAnswered(done, of))
            if question not in self._viewers:
                raise _NobodyLooksError
            if done < of:
                self._pause(self._clock() - began)
            began = self._clock()

        return told

    def _next(self, lane: Lane) -> tuple[BoardQuestion | None, float]:
        """The question that is longest overdue by its own measure, and in how many seconds it is due."""
        now = self._clock()
        wanted = [question for question in self._viewers if question.lane == lane]
        if not wanted:
            return None, 60.0

        def waited(question: BoardQuestion) -> float:
            """In times of its seconds_between; endless when it was never asked."""
            if question not in self._asked_at:
                return float("inf")
            return (now - self._asked_at[question]) / question.seconds_between

        question = max(wanted, key=waited)
        if question not in self._asked_at:
            return question, 0.0
        return question, max(self._asked_at[question] + question.seconds_between - now, 0.0)

    async def _answer(self, question: BoardQuestion, *more: Told) -> int:
        """Searches that it took."""
        self._asked_at[question] = self._clock()
        lane = question.lane
        try:
            answer = await background.run(self._ask, question, *more)
            told = {**message(answer, self._titles), "seconds_between": question.seconds_between}
            event = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
        except _NobodyLooksError:
            self._asked_at.pop(question, None)
            return 0
        except TrendsError as error:
            self._problems[lane] = str(error)
            searches = ATTEMPTS
        except Exception as error:  # a fault of the board must not end it for everyone
            _log.exception("the board could not answer %s", question)
            self._problems[lane] = f"the board failed ({type(error).__name__}): look at its log"
            searches = ATTEMPTS
        else:
            self._numbers += 1
            self._answered[question] = Answered(self._numbers, event)
            self._problems.pop(lane, None)
            searches = answer.searches
        if lane in self._problems:
            after = SECONDS_AFTER_LONG_FAILURE if lane == Lane.LONG else SECONDS_AFTER_FAILURE
            wait = min(after, question.seconds_between)
            self._asked_at[question] = self._clock() + wait - question.seconds_between
        self._notify()
        return searches

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _forget(self) -> None:
        """Drop the oldest answers that nobody looks at, and why a long question failed that nobody asks."""
        if not any(question.lane == Lane.LONG for question in self._viewers):
            self._problems.pop(Lane.LONG, None)
        unwatched = [question for question in self._answered if question not in self._viewers]
        unwatched.sort(key=lambda question: self._answered[question].number)
        for question in unwatched[: max(len(unwatched) - MAX_KEPT, 0)]:
            del self._answered[question]
        for question in [*self._asked_at]:
            if question not in self._viewers and question not in self._answered:
                del self._asked_at[question]
