"""Sort a batch: where each click goes, which are invalid, and which are dropped by a rule."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from aws_lambda_powertools import Logger

from contract.click import Click, Unread
from lambdas.forwarder.dead_letters import DeadLetter
from lambdas.forwarder.kinesis_event import ReceivedRecord
from lambdas.forwarder.metrics import SERVICE
from lambdas.forwarder.packing import OutgoingLine
from lambdas.forwarder.reading import UNPARSEABLE, RefusedRecordError, units_of
from lambdas.forwarder.routing import TOO_BIG, UNEXPECTED, InvalidClickError, Routed
from lambdas.shared.destinations import Destination

_logger = Logger(service=SERVICE)


class Rejected(NamedTuple):
    """`position`: of the letter's record in the batch."""

    position: int
    letter: DeadLetter


@dataclass(kw_only=True)
class SortedBatch:
    """A batch after routing. Every unit of a record is in exactly one of the three fields.

    dropped: numbers of clicks by their record's position.
    """

    outgoing: dict[Destination, list[OutgoingLine]] = field(default_factory=lambda: defaultdict(list))
    rejected: list[Rejected] = field(default_factory=list)
    dropped: Counter[int] = field(default_factory=Counter)

    def before(self, position: int) -> "SortedBatch":
        """The part of the records before `position`."""
        return SortedBatch(
            outgoing={
                to: [line for line in lines if line.position < position]
                for to, lines in self.outgoing.items()
            },
            rejected=[each for each in self.rejected if each.position < position],
            dropped=Counter({at: clicks for at, clicks in self.dropped.items() if at < position}),
        )

    @property
    def outgoing_count(self) -> int:
        return sum(map(len, self.outgoing.values()))

    @property
    def units(self) -> int:
        return self.outgoing_count + len(self.rejected) + self.dropped.total()

    @property
    def unexpected(self) -> list[int]:
        """The position of the record of each unexpected unit."""
        return [each.position for each in self.rejected if each.letter.reason == UNEXPECTED]


class BatchSorter:
    """route: of the compiled rules; destinations: by the names that the rules use."""

    def __init__(self, route: Callable[[Click], Routed], destinations: Mapping[str, Destination]) -> None:
        self._route = route
        self._destinations = destinations

    def sort(self, batch: Sequence[ReceivedRecord]) -> SortedBatch:
        """A unit that is invalid, or on which the code stumbles, is rejected alone: any error would hold up
        the lane for hours."""
        result = SortedBatch()
        errors: list[Exception] = []
        for position, record in enumerate(batch):
            try:
                units = units_of(record.data)
            except RefusedRecordError as error:
                letter = DeadLetter(record, None, error.reason, None, record.data)
                result.rejected.append(Rejected(position, letter))
            except Exception as error:
                errors.append(error)
                letter = DeadLetter(record, None, UNEXPECTED, None, record.data)
                result.rejected.append(Rejected(position, letter))
            else:
                self._sort_units(position, record, units, result, errors)
        if errors:
            _logger.error("the first of %s unexpected errors", len(errors), exc_info=errors[0])
        return result

    def _sort_units(
        self,
        position: int,
        record: ReceivedRecord,
        units: Sequence[Click | Unread],
        result: SortedBatch,
        errors: list[Exception],
    ) -> None:
        for place, unit in enumerate(units):
            try:
                self._place(position, unit, result)
                continue
            except InvalidClickError as error:
                reason, tag = error.reason, error.tag
            except Exception as error:
                errors.append(error)
                reason, tag = UNEXPECTED, None
            written = unit.json if isinstance(unit, Click) else unit.data
            letter = DeadLetter(record, place, reason, tag, written)
            result.rejected.append(Rejected(position, letter))

    def _place(self, position: int, unit: Click | Unread, result: SortedBatch) -> None:
        """Raises InvalidClickError."""
        if isinstance(unit, Unread):
            raise InvalidClickError(UNPARSEABLE)
        tag, name, line = self._route(unit)
        if name is None:
            result.dropped[position] += 1
            return
        destination = self._destinations[name]
        if len(line) + destination.key_bytes > destination.limits.record_bytes:
            raise InvalidClickError(TOO_BIG, tag)
        result.outgoing[destination].append(OutgoingLine(position, line))
