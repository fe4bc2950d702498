"""One run over every sink's failed documents: sort new ones, redeliver due ones."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

from aws_lambda_powertools import Logger

from contract.limits import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS
from lambdas.redelivery.configuration import RedeliveryConfiguration
from lambdas.redelivery.failed_documents import (
    FORMER_INDEX,
    UNEXPECTED,
    UNREADABLE,
    Fate,
    GivenUp,
    Patience,
    Retry,
    Stale,
)
from lambdas.redelivery.metrics import SERVICE, Outcomes, publish_given_up
from lambdas.redelivery.objects import (
    PART_DOCUMENTS,
    Bucket,
    Parts,
    StoredObject,
    UnreadableObjectError,
    digest,
    name_at,
    time_in,
)
from lambdas.shared.delivery import Delivery, deliver
from lambdas.shared.destinations import Destination, Outgoing, connect
from lambdas.shared.failed_documents import documents, raw_data, was_meant_for

SORTING_SHARE = 0.5
"""Largest share of an invocation's time: due documents are redelivered even while more keep failing."""
ANSWER_SECONDS = CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS
RESERVE_SECONDS = ANSWER_SECONDS + 2.0
"""Reserved at the end for Firehose's last answer, the metrics and the log."""
REQUESTS_IN_FLIGHT = 2
MAX_OBJECT_BYTES = 64 * 1024 * 1024
"""As stored; Firehose ends an object at 5 MiB. A larger one might never be sorted within an invocation and
block all others, so it is given up whole."""
BLAMED_DOCUMENTS = 10
"""If at least this many and most of an object's documents are unexpected, the function is at fault, and the
object waits until it is fixed. Fewer are given up."""

_logger = Logger(service=SERVICE)

Work = Callable[[StoredObject], Outcomes]
_NO_DOCUMENT = GivenUp(UNREADABLE)


class UnexpectedDocumentsError(Exception):
    """Most documents of an object raised unforeseen exceptions."""


class Redeliverer:
    """Kept between invocations. Times in seconds of `clock` (epoch) and time.monotonic()."""

    def __init__(
        self, configuration: RedeliveryConfiguration, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._bucket = Bucket(configuration.bucket, configuration.region)
        self._patience = Patience(
            first_pause_seconds=configuration.first_pause_seconds,
            give_up_after_seconds=configuration.give_up_after_seconds,
        )
        self._destinations = {
            sink: connect(arn, connections=REQUESTS_IN_FLIGHT) for sink, arn in configuration.sinks.items()
        }
        self._executor = ThreadPoolExecutor(REQUESTS_IN_FLIGHT)

    def run(self, seconds_left: float) -> Outcomes:
        """seconds_left: until Lambda ends the invocation. The next invocation continues."""
        began = time.monotonic()
        ends_at = began + seconds_left - RESERVE_SECONDS
        sorted_by = began + (ends_at - began) * SORTING_SHARE
        outcomes = Outcomes()
        for sink, until in self._shares(sorted_by):
            outcomes.add(_each(self._failed(sink), partial(self._sort, sink=sink), until=until))
        for sink, until in self._shares(ends_at):
            redeliver = partial(self._redeliver, sink=sink, ends_at=until)
            outcomes.add(_each(self._due(sink), redeliver, until=until))
        return outcomes

    def _shares(self, until: float) -> Iterator[tuple[str, float]]:
        """Each sink with its deadline, by an equal share of the time left: none waits for another."""
        waiting = len(self._destinations)
        for sink in self._destinations:
            now = time.monotonic()
            yield sink, now + (until - now) / waiting
            waiting -= 1

    def _failed(self, sink: str) -> Iterator[StoredObject]:
        return self._bucket.objects(f"{self._configuration.failed_prefix}{sink}/")

    def _due(self, sink: str) -> Iterator[StoredObject]:
        """The waiting objects that are due, oldest first. A name without a time is due at once."""
        prefix = f"{self._configuration.waiting_prefix}{sink}/"
        now = self._clock()
        for waiting in self._bucket.objects(prefix):
            due = time_in(waiting.key.removeprefix(prefix))
            if due is None or due <= now:
                yield waiting

    def _given_up(self, sink: str, why: str) -> str:
        return f"{self._configuration.given_up_prefix}{sink}/{why}/"

    def _sort(self, failed: StoredObject, *, sink: str) -> Outcomes:
        """Replace an object by waiting and given-up parts, without its stale documents."""
        outcomes = Outcomes()
        if failed.bytes > MAX_OBJECT_BYTES:
            return self._give_up_whole(failed, sink=sink)
        parts = Parts(self._bucket, failed)
        try:
            for line, document in documents(self._bucket.lines(failed.key)):
                match self._fate_or_unexpected(document, failed, outcomes, sink=sink):
                    case Stale():
                        outcomes.stale += 1
                    case Retry(pause, age):
                        outcomes.wait(age)
                        waiting = f"{self._configuration.waiting_prefix}{sink}/"
                        parts.add(waiting, failed.written_at + pause, line)
                    case GivenUp(why):
                        outcomes.given_up[why] += 1
                        parts.add(self._given_up(sink, why), failed.written_at, line)
        except UnreadableObjectError:
            return self._give_up_whole(failed, sink=sink)
        unexpected = outcomes.given_up[UNEXPECTED]
        if unexpected >= max(BLAMED_DOCUMENTS, outcomes.documents / 2):
            raise UnexpectedDocumentsError(f"{unexpected} of {outcomes.documents} documents are unexpected")
        parts.close()
        self._take_away(failed, outcomes)
        return outcomes

    def _fate_or_unexpected(
        self, document: dict[str, Any] | None, failed: StoredObject, outcomes: Outcomes, *, sink: str
    ) -> Fate:
        try:
            return self._fate(document, failed, sink=sink)
        except Exception:  # any error: the object's other documents must not wait
            if not outcomes.given_up[UNEXPECTED]:
                _logger.exception("unexpected document in %s", failed.key)
            return GivenUp(UNEXPECTED)

    def _take_away(self, done: StoredObject, outcomes: Outcomes) -> None:
        """The last step. Publishes what was given up before deleting: if the function dies in between, it is
        published twice, but never lost."""
        publish_given_up(outcomes.given_up)
        self._bucket.delete(done.key)

    def _fate(self, document: dict[str, Any] | None, failed: StoredObject, *, sink: str) -> Fate:
        if not document:
            return _NO_DOCUMENT
        fate = self._patience.fate(document, failed_at=failed.written_at)
        if isinstance(fate, Retry) and not was_meant_for(document, self._configuration.indices[sink]):
            return GivenUp(FORMER_INDEX)
        return fate

    def _give_up_whole(self, failed: StoredObject, *, sink: str) -> Outcomes:
        _logger.warning("giving up a whole object of failed documents that cannot be read: %s", failed.key)
        suffix = ".json.gz" if failed.key.endswith(".gz") else ".json"
        name = f"{name_at(failed.written_at)}-{digest(failed)}-whole{suffix}"
        outcomes = Outcomes(given_up=Counter({UNREADABLE: 1}))
        self._bucket.copy(failed.key, self._given_up(sink, UNREADABLE) + name)
        self._take_away(failed, outcomes)
        return outcomes

    def _redeliver(self, waiting: StoredObject, *, sink: str, ends_at: float) -> Outcomes:
        """Put an object's records, then delete it. If one is not taken, it stays and all are redelivered."""
        outcomes = Outcomes()
        destination = self._destinations[sink]
        given_up = Parts(self._bucket, waiting)
        found = documents(self._bucket.lines(waiting.key))
        try:
            while some := list(islice(found, PART_DOCUMENTS)):
                records: list[Outgoing] = []
                for position, (line, document) in enumerate(some):
                    data = raw_data(document) if document else None
                    why = UNREADABLE
                    if data and len(data) + destination.key_bytes <= destination.limits.record_bytes:
                        if document and was_meant_for(document, self._configuration.indices[sink]):
                            records.append(Outgoing(position, 1, data))
                            continue
                        why = FORMER_INDEX
                    outcomes.given_up[why] += 1
                    given_up.add(self._given_up(sink, why), waiting.written_at, line)
                delivery = self._put(records, destination, ends_at=ends_at)
                if delivery.failed:
                    return Outcomes(problems=_problems(waiting, sink, delivery))
                outcomes.redelivered += len(records)
        except UnreadableObjectError:
            return self._give_up_whole(waiting, sink=sink)
        given_up.close()
        self._take_away(waiting, outcomes)
        return outcomes

    def _put(self, records: Sequence[Outgoing], destination: Destination, *, ends_at: float) -> Delivery:
        """Put records at most at the configured rate."""
        began = time.monotonic()
        delivery = deliver(
            {destination: records},
            self._executor,
            last_attempt_at=ends_at,
            give_up_at=ends_at + ANSWER_SECONDS,
        )
        pause = delivery.delivered / self._configuration.records_per_second - (time.monotonic() - began)
        time.sleep(max(0.0, min(pause, ends_at - time.monotonic())))
        return delivery


def _problems(waiting: StoredObject, sink: str, delivery: Delivery) -> list[str]:
    """Firehose's errors; none if only time ran out."""
    if not delivery.errors:
        return []
    return [f"{sink}: Firehose did not take all of {waiting.key}: {', '.join(sorted(delivery.errors))}"]


def _each(objects: Iterator[StoredObject], work: Work, *, until: float) -> Outcomes:
    """Work on each object until time runs out; a failure concerns one object only."""
    outcomes = Outcomes()
    try:
        for one in objects:
            if time.monotonic() >= until:
                break
            try:
                outcomes.add(work(one))
            except Exception as error:  # any error: other objects must not wait
                _logger.exception("left to the next invocation: %s", one.key)
                outcomes.problems.append(f"{one.key}: {error}")
    except Exception as error:  # unreadable answers included: other sinks must not wait
        _logger.exception("objects cannot be listed")
        outcomes.problems.append(f"objects cannot be listed: {error}")
    return outcomes
