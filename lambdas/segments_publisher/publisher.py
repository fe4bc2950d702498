"""One run: finish what was begun, publish or refuse what was uploaded, delete what no replay needs.

Whatever step an invocation dies at, the next one that gets the lease goes on from the journal. A version is
published by one atomic copy of a staged object. Before a publication is begun anew, the staged object of the
former attempt is deleted for good, so that no copy under way can bring it back.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from math import ceil, inf

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from contract.segment_rows import Reason
from contract.segments import (
    ALLOWANCES,
    RefusedSegments,
    SegmentsRules,
    Summary,
    allowances,
    problem_of_name,
    validate,
)
from contract.segments_receipt import (
    ALLOW,
    CORRECTS,
    SUCCEEDS,
    Receipt,
    RefusedUpload,
    is_gzipped,
    read_time,
    reasons_name,
    receipt_name,
    refused_name,
    written_time,
)
from lambdas.segments_publisher import notifications
from lambdas.segments_publisher.configuration import PublisherConfiguration
from lambdas.segments_publisher.corrections import next_key, version_to_correct
from lambdas.segments_publisher.journal import Lease, LeaseLostError, Publication, Upload
from lambdas.segments_publisher.metrics import LATE, REFUSED, SERVICE, UploadOutcomes, publish_at_once
from lambdas.segments_publisher.notifications import Topic
from lambdas.segments_publisher.refusals import MAX_ATTEMPTS, SUCCEEDED, UNFINISHED, UNREAD, USED
from lambdas.segments_publisher.storage import Opened, Storage, StoredVersion, is_refusal
from names import (
    INCOMING_SEGMENTS_PREFIX,
    REFUSED_SEGMENTS_PREFIX,
    SEGMENTS_PREFIX,
    SEGMENTS_RECEIPTS_PREFIX,
    STAGED_SEGMENTS_PREFIX,
    segments_corrections_prefix,
    segments_version_key,
)

COMMIT_SECONDS, COPIED_BYTES_PER_SECOND = 15, 20_000_000
"""From choosing a valid_from until the version is in its place: one write of the journal and one copy. How
fast S3 copies is documented nowhere; a version that takes longer is published late, and said to be."""
RESERVE_SECONDS = 15.0
"""Before the end of an invocation no upload is begun, and reading one ends."""
PUBLICATION = "publication"
"""Of a version's metadata: the id of its publication in the journal."""

_logger = Logger(service=SERVICE)


class OutOfTimeError(Exception):
    """The invocation is nearly over while it reads an upload."""


class Publisher:
    """Kept between invocations. Times in seconds of `clock` (epoch) and time.monotonic()."""

    def __init__(
        self,
        configuration: PublisherConfiguration,
        *,
        clock: Callable[[], float] = time.time,
        storage: Storage | None = None,
        topic: Topic | None = None,
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._storage = storage or Storage.connected(configuration.bucket, configuration.region)
        self._topic = topic or Topic(configuration.topic_arn, configuration.region)

    def run(self, seconds_left: float) -> UploadOutcomes:
        """seconds_left: until Lambda ends the invocation. The next invocation continues."""
        ends_at = time.monotonic() + seconds_left - RESERVE_SECONDS
        outcomes = UploadOutcomes()
        waiting: tuple[Upload, ...] = ()
        try:
            waiting = tuple(self._uploads())
            waiting = self._work(list(waiting), outcomes, ends_at)
        except LeaseLostError:
            _logger.warning("another invocation has taken over")
        except Exception as error:  # any error: metrics must say that uploads wait
            _logger.exception("left to the next invocation")
            outcomes.problems.append(f"left to the next invocation: {error}")
        if waiting:
            oldest = min(upload.uploaded_at for upload in waiting)
            outcomes.upload_age_seconds = max(0.0, self._clock() - oldest)
        return outcomes

    def _uploads(self) -> Iterator[Upload]:
        for listed in self._storage.listed(INCOMING_SEGMENTS_PREFIX):
            if listed.size or not listed.key.endswith("/"):  # else a folder, as S3's console makes it
                yield Upload(listed.key, listed.etag, listed.written_at)

    def _work(self, uploads: list[Upload], outcomes: UploadOutcomes, ends_at: float) -> tuple[Upload, ...]:
        """The uploads that wait afterwards."""
        lease = Lease.read(self._storage)
        now = self._clock()
        today = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}"
        has_work = uploads or lease.journal.publication or lease.journal.expired_on != today
        if not has_work or not lease.acquire(now=now, seconds=self._configuration.lease_seconds):
            return tuple(uploads)
        try:
            if lease.journal.publication:
                self._finish(lease, lease.journal.publication, outcomes)
            if lease.journal.expired_on != today:
                self._expire(outcomes)
            listed = list(self._uploads())  # again: another invocation may have worked since
            lease.change(lambda journal: replace(journal.with_uploads(listed), expired_on=today))
            while lease.journal.queue and time.monotonic() < ends_at:
                if self._clock() < lease.journal.settled_at:
                    break  # a task reads one version at a time, so the lead holds
                if not self._take(lease, lease.journal.queue[0], outcomes, ends_at):
                    break
            return lease.journal.queue
        finally:
            lease.release()

    def _take(self, lease: Lease, upload: Upload, outcomes: UploadOutcomes, ends_at: float) -> bool:
        """Publish or refuse it. False: leave it, and what is behind it, to the next invocation."""
        attempts = lease.journal.attempts
        lease.write(attempts=attempts + 1)
        is_last = attempts + 1 > MAX_ATTEMPTS
        try:
            with self._storage.opened(upload.key) as opened:
                if opened is None or not _is_of(opened, upload):
                    lease.change(lambda journal: journal.without(upload))  # the next listing has what came
                    return True
                if is_last:
                    unfinished = RefusedSegments([Reason(None, UNFINISHED)], 1)
                    self._refuse(lease, upload, opened, unfinished, outcomes)
                    return True
                try:
                    self._publish(lease, upload, opened, outcomes, ends_at)
                except RefusedSegments as refused:
                    self._refuse(lease, upload, opened, refused, outcomes)
        except ClientError as error:
            if is_last and is_refusal(error):
                self._refuse_unread(lease, upload, error, outcomes)
                return True
            if not is_refusal(error):
                lease.write(attempts=attempts)
            raise
        except BotoCoreError:
            lease.write(attempts=attempts)  # not the file's fault
            raise
        return True

    def _publish(
        self, lease: Lease, upload: Upload, opened: Opened, outcomes: UploadOutcomes, ends_at: float
    ) -> None:
        """Raises RefusedSegments."""
        name = _name(upload)
        if problem := problem_of_name(name):
            raise RefusedSegments([problem], 1)
        allow = allowances(opened.metadata.get(ALLOW, ""))
        chunks = _until(ends_at, opened.chunks)
        corrects = opened.metadata.get(CORRECTS)
        if receipt := self._receipt(name):
            if corrects != (written_time(receipt.valid_from) if receipt.correction else None):
                raise RefusedSegments([Reason(None, USED)], 1)
            self._compare(receipt, chunks)
            self._delete(upload, opened.version, outcomes)
            lease.change(lambda journal: journal.without(upload))
            outcomes.again.append(name)
            return
        self._check_succeeds(opened.metadata.get(SUCCEEDS))
        versions = [valid_from for valid_from, _ in self._versions()]
        corrected = version_to_correct(corrects, versions, now=self._clock())
        last = lease.journal.last and self._receipt(lease.journal.last)
        rules = self._rules(previous=last.summary if last else None, allow=allow)
        staged_key = f"{STAGED_SEGMENTS_PREFIX}{sha256(f'{upload}'.encode()).hexdigest()[:32]}.csv"
        staging = self._storage.staging(staged_key)
        try:
            summary = validate(chunks, rules, gzipped=is_gzipped(name), plain=staging.add)
        except BaseException:
            staging.abandon()
            raise
        publication = Publication(
            id=uuid.uuid4().hex,
            upload=upload,
            upload_version=opened.version,
            staged_key=staged_key,
            staged_version=staging.finish(),
            valid_from=self._next_valid_from(summary) if corrected is None else corrected,
            summary=summary,
            correction=None if corrected is None else next_key(self._storage, corrected),
        )
        lease.write(publication=publication, attempts=0)
        self._finish(lease, publication, outcomes)

    def _check_succeeds(self, succeeds: str | None) -> None:
        """Raises RefusedSegments if the version that the upload was made from is no longer the newest."""
        newest = [written_time(valid_from) for valid_from, _ in self._versions()[-1:]]
        if succeeds is not None and [succeeds] != newest:
            came = newest[0] if newest else "none"
            raise RefusedSegments([Reason(None, SUCCEEDED.format(f"{succeeds[:100]!a}", came))], 1)

    def _compare(self, receipt: Receipt, chunks: Iterator[bytes]) -> None:
        """Raises RefusedSegments unless these are the published bytes, packed or not."""
        try:
            rules = self._rules(previous=None, allow=ALLOWANCES)
            found: Summary | None = validate(chunks, rules, gzipped=is_gzipped(receipt.name))
        except RefusedSegments:
            found = None
        if found is None or found.sha256 != receipt.summary.sha256:
            raise RefusedSegments([Reason(None, USED)], 1)

    def _rules(self, *, previous: Summary | None, allow: frozenset[str]) -> SegmentsRules:
        return SegmentsRules(
            max_plain_bytes=self._configuration.max_plain_bytes,
            max_users=self._configuration.max_users,
            max_shrink_percent=self._configuration.max_shrink_percent,
            previous=previous,
            allow=allow,
        )

    def _next_valid_from(self, summary: Summary) -> float:
        """Far enough ahead, and later than every version there is."""
        commit = COMMIT_SECONDS + summary.plain_bytes / COPIED_BYTES_PER_SECOND
        ahead = ceil(self._clock() + commit + self._configuration.lead_seconds)
        return max([float(ahead), *(valid_from + 1 for valid_from, _ in self._versions())])

    def _versions(self) -> list[tuple[float, str]]:
        """valid_from and key of each, oldest first."""
        found = []
        for listed in self._storage.listed(SEGMENTS_PREFIX):
            try:
                valid_from = read_time(_time_of(listed.key))
            except ValueError:  # nothing that a task would load
                continue
            found.append((valid_from, listed.key))
        return sorted(found)

    def _finish(self, lease: Lease, publication: Publication, outcomes: UploadOutcomes) -> None:
        """Publish a staged version, or take the publication back if it would be late."""
        upload, valid_from = publication.upload, publication.valid_from
        key = publication.correction or segments_version_key(datetime.fromtimestamp(valid_from, UTC))
        in_time = inf if publication.correction else valid_from - self._configuration.lead_seconds
        published_at = self._published_at(key, publication)
        if published_at is None and self._clock() < in_time:
            metadata = {PUBLICATION: publication.id}
            self._storage.copy(
                publication.staged_key, publication.staged_version, key, metadata=metadata, replaces=False
            )
            if self._published_at(key, publication) is not None:
                published_at = ceil(self._clock())
        self._storage.delete_up_to(publication.staged_key, publication.staged_version)
        if published_at is None:
            published_at = self._published_at(key, publication)  # nothing can publish it from here on
        if published_at is None:
            lease.write(publication=None)
            return
        name = _name(upload)
        receipt = Receipt(
            name=name,
            upload=publication.upload_version,
            uploaded_at=upload.uploaded_at,
            valid_from=valid_from,
            published_at=published_at,
            late=published_at > in_time,
            summary=publication.summary,
            correction=publication.correction,
        )
        self._storage.write(f"{SEGMENTS_RECEIPTS_PREFIX}{receipt_name(name)}", receipt.to_json())
        if receipt.late:
            publish_at_once(LATE)
            self._tell(*notifications.lateness(receipt), outcomes)
        self._delete(upload, publication.upload_version, outcomes)
        lease.change(lambda journal: journal.without(upload).after(publication, name))
        outcomes.published.append(name)

    def _published_at(self, key: str, publication: Publication) -> float | None:
        """When this publication came to its place; None if it is not there."""
        head = self._storage.head(key)
        if head is None or head.metadata.get(PUBLICATION) != publication.id:
            return None
        return head.written_at + 1  # S3 drops fractions

    def _receipt(self, name: str) -> Receipt | None:
        found = self._storage.read(f"{SEGMENTS_RECEIPTS_PREFIX}{receipt_name(name)}")
        return Receipt.from_json(found.content) if found else None

    def _refuse(
        self,
        lease: Lease,
        upload: Upload,
        opened: Opened,
        why: RefusedSegments,
        outcomes: UploadOutcomes,
    ) -> None:
        refused = RefusedUpload(
            name=_name(upload),
            upload=opened.version,
            uploaded_at=upload.uploaded_at,
            reasons=why.reasons,
            number=why.number,
        )
        beside = f"{REFUSED_SEGMENTS_PREFIX}{refused_name(refused.name)}"
        self._storage.copy(upload.key, opened.version, beside, metadata={}, replaces=True)
        self._say(refused, outcomes)
        self._delete(upload, opened.version, outcomes)
        lease.change(lambda journal: journal.without(upload))

    def _refuse_unread(
        self, lease: Lease, upload: Upload, error: ClientError, outcomes: UploadOutcomes
    ) -> None:
        """Of what S3 lets nobody read or copy. It can be had back for 30 days."""
        reason = Reason(None, UNREAD.format(error.response["Error"]["Code"]))
        stored = self._storage.versions(upload.key)
        refused = RefusedUpload(
            name=_name(upload),
            upload=next((version.id for version in stored if version.etag == upload.etag), ""),
            uploaded_at=upload.uploaded_at,
            reasons=(reason,),
            number=1,
        )
        self._say(refused, outcomes)
        self._storage.delete_if_unchanged(upload.key, upload.etag)
        lease.change(lambda journal: journal.without(upload))

    def _delete(self, upload: Upload, version: str, outcomes: UploadOutcomes) -> None:
        """A published or refused upload, for good. Of others that it has overwritten, somebody is told."""

        def tell(earlier: list[StoredVersion]) -> None:
            name, others = _name(upload), sum(each.etag != upload.etag for each in earlier)
            if others:
                publish_at_once(REFUSED)
                self._tell(*notifications.overwriting(name, others), outcomes)
                outcomes.overwritten.append(name)

        self._storage.delete_up_to(upload.key, version, before=tell)

    def _say(self, refused: RefusedUpload, outcomes: UploadOutcomes) -> None:
        key = f"{REFUSED_SEGMENTS_PREFIX}{reasons_name(refused.name)}"
        self._storage.write(key, refused.to_json())
        publish_at_once(REFUSED)
        self._tell(*notifications.refusal(refused), outcomes)
        outcomes.refused.append(refused.name)

    def _tell(self, subject: str, text: str, outcomes: UploadOutcomes) -> None:
        """A topic that cannot be reached must not keep a file from being published."""
        try:
            self._topic.tell(subject, text)
        except (BotoCoreError, ClientError) as error:
            _logger.exception("nobody was told: %s", subject)
            outcomes.problems.append(f"the topic of the alarms was not told of {subject!r}: {error}")

    def _expire(self, outcomes: UploadOutcomes) -> None:
        """Delete each version whose successor has held for longer than any click is kept."""
        until = self._clock() - self._configuration.keep_seconds
        for (_, key), (superseded_at, _) in pairwise(self._versions()):
            if superseded_at < until:
                valid_from = datetime.fromtimestamp(read_time(_time_of(key)), UTC)
                for correction in self._storage.listed(segments_corrections_prefix(valid_from)):
                    self._storage.delete(correction.key)
                self._storage.delete(key)
                outcomes.expired.append(key)


def _is_of(opened: Opened, upload: Upload) -> bool:
    """An answer of S3 to GET gives whole seconds; its listing may give fractions."""
    return opened.etag == upload.etag and int(opened.written_at) == int(upload.uploaded_at)


def _time_of(key: str) -> str:
    """Of a version."""
    return key.removeprefix(SEGMENTS_PREFIX).removesuffix(".csv")


def _name(upload: Upload) -> str:
    return upload.key.removeprefix(INCOMING_SEGMENTS_PREFIX)


def _until(ends_at: float, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Raises OutOfTimeError."""
    for chunk in chunks:
        if time.monotonic() >= ends_at:
            raise OutOfTimeError("the invocation ended before the file was read")
        yield chunk
