"""Forward one batch: sort its clicks, keep invalid ones, deliver valid ones, and say where to retry from."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from aws_lambda_powertools import Logger

from contract.limits import FORWARDER_ANSWER_RESERVE_SECONDS, FORWARDER_ATTEMPT_RESERVE_SECONDS
from lambdas.forwarder.configuration import ForwarderConfiguration
from lambdas.forwarder.dead_letters import DeadLetters
from lambdas.forwarder.kinesis_event import ReceivedRecord
from lambdas.forwarder.metrics import SERVICE, BatchTally, publish
from lambdas.forwarder.packing import pack
from lambdas.forwarder.routing import compile_routing
from lambdas.forwarder.sorting import BatchSorter, SortedBatch
from lambdas.shared.delivery import Delivery, deliver
from lambdas.shared.destinations import connect

CORRECTION_PAUSE_SECONDS = 0.1
METRICS_RESERVE_SECONDS = 0.3
"""Reserved at the end of an invocation for the metrics."""
BLAMED_RECORDS = 10
"""If at least this many and most records of a batch hold something unexpected, the function is at fault, and
the batch is retried. Fewer are rejected, so that none holds up its lane. Records, not clicks: one record of a
guest must not outvote those of all others."""

_logger = Logger(service=SERVICE)


class BatchForwarder:
    """Keeps compiled rules, open connections and threads between invocations."""

    def __init__(self, configuration: ForwarderConfiguration) -> None:
        destinations = {
            name: connect(arn, connections=configuration.requests_in_flight)
            for name, arn in configuration.destination_arns.items()
        }
        self._sorter = BatchSorter(compile_routing(configuration.rules), destinations)
        self._record_bytes = configuration.record_bytes
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
        whole = self._sorter.sort(batch)
        attempted = whole
        stumbled = set(whole.unexpected)
        if len(stumbled) >= max(BLAMED_RECORDS, len(batch) / 2):
            _logger.error("most records are unexpected: Lambda retries the batch until the function is fixed")
            attempted = whole.before(min(stumbled))
        # First, so that if S3 refuses, nothing was delivered that the retry would deliver again.
        if attempted.rejected and not self._keep(attempted, batch):
            _logger.warning("Lambda will retry the batch from its first record with a dead letter")
            attempted = attempted.before(attempted.rejected[0].position)
        delivery = deliver(
            {to: list(pack(lines, to, self._record_bytes)) for to, lines in attempted.outgoing.items()},
            self._executor,
            last_attempt_at=ends_at - FORWARDER_ATTEMPT_RESERVE_SECONDS,
            give_up_at=ends_at - FORWARDER_ANSWER_RESERVE_SECONDS,
        )
        # The attempted letters are the first of all: both are in the batch's order.
        withheld = [each.position for each in whole.rejected[len(attempted.rejected) :]]
        repeat_from = min((*withheld, *(record.position for record in delivery.failed)), default=len(batch))
        settled = attempted.before(repeat_from)
        if repeat_from and len(settled.rejected) < len(attempted.rejected):
            # The retry keeps the others in its own object, so each letter is in one object only. A retry from
            # the first record overwrites this object.
            self._correct(settled, batch, until=ends_at - METRICS_RESERVE_SECONDS)
        publish(_tally(batch, whole, settled, delivery), delivery)
        return batch[repeat_from] if repeat_from < len(batch) else None

    def _keep(self, sorted_batch: SortedBatch, batch: Sequence[ReceivedRecord]) -> bool:
        """Whether S3 took the batch's dead letters."""
        try:
            self._dead_letters.write([each.letter for each in sorted_batch.rejected], batch=batch)
        except Exception:  # any error, unreadable answers included, means: not kept
            _logger.exception("S3 did not take the dead letters of this batch")
            return False
        return True

    def _correct(self, settled: SortedBatch, batch: Sequence[ReceivedRecord], *, until: float) -> None:
        """Rewrite the batch's object with the settled letters only, retrying until S3 takes it.

        If it does not in time, a letter is in two objects, with the same shard, sequence number and place.
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
                "dead letters of this batch will be in two objects: count them by shard, "
                "sequence number and place"
            )


def _tally(
    batch: Sequence[ReceivedRecord], whole: SortedBatch, settled: SortedBatch, delivery: Delivery
) -> BatchTally:
    return BatchTally(
        records=len(batch),
        received=whole.units,
        forwarded=settled.outgoing_count,
        dropped=settled.dropped.total(),
        rejected=Counter(each.letter.reason for each in settled.rejected),
        unexpected=len(whole.unexpected),
        failed=whole.units - settled.units,
        duplicates=delivery.delivered - settled.outgoing_count,
        received_bytes=sum(len(record.data) for record in batch),
        rejected_bytes=sum(len(each.letter.data) for each in settled.rejected),
    )
