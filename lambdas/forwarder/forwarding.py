"""Forward one batch: sort its records, keep invalid ones, deliver valid ones, and say where to retry from."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from aws_lambda_powertools import Logger

from contract.limits import FORWARDER_ANSWER_RESERVE_SECONDS, FORWARDER_ATTEMPT_RESERVE_SECONDS
from lambdas.forwarder.configuration import ForwarderConfiguration
from lambdas.forwarder.dead_letters import DeadLetter, DeadLetters
from lambdas.forwarder.kinesis_event import ReceivedRecord
from lambdas.forwarder.metrics import SERVICE, BatchTally, publish
from lambdas.forwarder.routing import TOO_BIG, UNEXPECTED, InvalidRecordError, compile_routing
from lambdas.shared.delivery import Delivery, deliver
from lambdas.shared.destinations import Destination, Outgoing, connect

CORRECTION_PAUSE_SECONDS = 0.1
METRICS_RESERVE_SECONDS = 0.3
"""Reserved at the end of an invocation for the metrics."""
BLAMED_RECORDS = 10
"""If at least this many and most of a batch are unexpected, the function is at fault, and the batch is
retried. Fewer are rejected, so that none holds up its lane."""

_logger = Logger(service=SERVICE)


@dataclass(kw_only=True)
class SortedBatch:
    """A batch after routing, by position. Every record is in exactly one of the three fields."""

    outgoing: dict[Destination, list[Outgoing]] = field(default_factory=lambda: defaultdict(list))
    rejected: dict[int, DeadLetter] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)

    def before(self, position: int) -> "SortedBatch":
        """The part before `position`."""
        return SortedBatch(
            outgoing={
                to: [each for each in all_ if each.position < position] for to, all_ in self.outgoing.items()
            },
            rejected={at: letter for at, letter in self.rejected.items() if at < position},
            dropped={at for at in self.dropped if at < position},
        )

    @property
    def outgoing_count(self) -> int:
        return sum(map(len, self.outgoing.values()))

    @property
    def unexpected(self) -> list[int]:
        return [at for at, letter in self.rejected.items() if letter.reason == UNEXPECTED]


class BatchForwarder:
    """Keeps compiled rules, open connections and threads between invocations."""

    def __init__(self, configuration: ForwarderConfiguration) -> None:
        self._route = compile_routing(configuration.rules)
        self._destinations = {
            name: connect(arn, connections=configuration.requests_in_flight)
            for name, arn in configuration.destination_arns.items()
        }
        self._dead_letters = DeadLetters(
            configuration.dead_letter_bucket, configuration.dead_letter_prefix, configuration.region
        )
        self._executor = ThreadPoolExecutor(configuration.requests_in_flight)
        # Separate, because unanswered requests may occupy all other threads.
        self._corrector = ThreadPoolExecutor(1)
        self._corrections: list[Future[bool]] = []

    def forward(self, batch: Sequence[ReceivedRecord], seconds_left: float) -> ReceivedRecord | None:
        """Returns the record from which Lambda must retry the batch, None if all is done.

        seconds_left: until Lambda ends the invocation.
        """
        ends_at = time.monotonic() + seconds_left
        wait(self._corrections)  # a late one would overwrite what this batch writes
        whole = self._sort(batch)
        attempted = whole
        if len(whole.unexpected) >= max(BLAMED_RECORDS, len(batch) / 2):
            _logger.error("most records are unexpected: Lambda retries the batch until the function is fixed")
            attempted = whole.before(min(whole.unexpected))
        # First, so that if S3 refuses, nothing was delivered that the retry would deliver again.
        if attempted.rejected and not self._keep(attempted, batch):
            _logger.warning("Lambda will retry the batch from its first invalid record")
            attempted = attempted.before(min(attempted.rejected))
        delivery = deliver(
            attempted.outgoing,
            self._executor,
            last_attempt_at=ends_at - FORWARDER_ATTEMPT_RESERVE_SECONDS,
            give_up_at=ends_at - FORWARDER_ANSWER_RESERVE_SECONDS,
        )
        unsettled = delivery.failed | (whole.rejected.keys() - attempted.rejected.keys())
        repeat_from = min(unsettled, default=len(batch))
        settled = attempted.before(repeat_from)
        if repeat_from and len(settled.rejected) < len(attempted.rejected):
            # The retry keeps the others in its own object, so each letter is in one object only. A retry from
            # the first record overwrites this object.
            self._correct(settled, batch, until=ends_at - METRICS_RESERVE_SECONDS)
        publish(_tally(batch, whole, attempted, settled, delivery), delivery)
        return batch[repeat_from] if repeat_from < len(batch) else None

    def _sort(self, batch: Sequence[ReceivedRecord]) -> SortedBatch:
        result = SortedBatch()
        logged = False
        for position, record in enumerate(batch):
            try:
                self._place(position, record, result)
            except InvalidRecordError as error:
                result.rejected[position] = DeadLetter(record, error.reason, error.tag)
            except Exception:  # any error would hold up the lane for hours
                if not logged:
                    _logger.exception("unexpected record %s", record.sequence_number)
                    logged = True
                result.rejected[position] = DeadLetter(record, UNEXPECTED, None)
        return result

    def _place(self, position: int, record: ReceivedRecord, result: SortedBatch) -> None:
        """Raises InvalidRecordError."""
        tag, name, line = self._route(record.data)
        if name is None:
            result.dropped.add(position)
            return
        destination = self._destinations[name]
        outgoing = Outgoing(position, record.partition_key, line)
        if destination.size(outgoing) > destination.limits.record_bytes:
            raise InvalidRecordError(TOO_BIG, tag)
        result.outgoing[destination].append(outgoing)

    def _keep(self, sorted_batch: SortedBatch, batch: Sequence[ReceivedRecord]) -> bool:
        """Whether S3 took the batch's dead letters."""
        try:
            self._dead_letters.write(list(sorted_batch.rejected.values()), batch=batch)
        except Exception:  # any error, unreadable answers included, means: not kept
            _logger.exception("S3 did not take the dead letters of this batch")
            return False
        return True

    def _correct(self, settled: SortedBatch, batch: Sequence[ReceivedRecord], *, until: float) -> None:
        """Rewrite the batch's object with the settled letters only, retrying until S3 takes it.

        If it does not in time, a letter is in two objects, with the same shard and sequence number.
        until: in time.monotonic().
        """

        def retry() -> bool:
            while not self._keep(settled, batch):
                if time.monotonic() + CORRECTION_PAUSE_SECONDS >= until:
                    return False
                time.sleep(CORRECTION_PAUSE_SECONDS)
            return True

        correction = self._corrector.submit(retry)
        self._corrections = [correction]
        try:
            corrected = correction.result(timeout=max(0.0, until - time.monotonic()))
        except TimeoutError:
            corrected = False
        if not corrected:
            _logger.warning(
                "dead letters of this batch will be in two objects: count them by shard and sequence number"
            )


def _tally(
    batch: Sequence[ReceivedRecord],
    whole: SortedBatch,
    attempted: SortedBatch,
    settled: SortedBatch,
    delivery: Delivery,
) -> BatchTally:
    forwarded = settled.outgoing_count
    return BatchTally(
        received=len(batch),
        forwarded=forwarded,
        dropped=len(settled.dropped),
        rejected=Counter(letter.reason for letter in settled.rejected.values()),
        unexpected=len(whole.unexpected),
        failed=len(batch) - forwarded - len(settled.dropped) - len(settled.rejected),
        duplicates=attempted.outgoing_count - len(delivery.failed) - forwarded,
    )
