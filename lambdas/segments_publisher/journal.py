"""What the publisher remembers between its steps, in one object that is only changed by compare-and-swap.

Each write is conditional on the ETag of what was read (S3 user guide, "How to prevent object overwrites with
conditional writes"). So of two invocations that work at once only one goes on, and a step is in the journal
before its effects are in the bucket.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

from contract.segments import Summary
from lambdas.segments_publisher.storage import Storage
from names import SEGMENTS_RECEIPTS_PREFIX

KEY = f"{SEGMENTS_RECEIPTS_PREFIX}.journal"
MAX_QUEUE = 1_000
"""Uploads whose order is kept; further ones are ordered when these are done."""


class LeaseLostError(Exception):
    """Another invocation works by now: this one must change nothing more."""


class Upload(NamedTuple):
    """An object below `incoming/`; the same key uploaded again is another. uploaded_at: epoch seconds."""

    key: str
    etag: str
    uploaded_at: float


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A version on its way from a staged copy to its place.

    id: stands in the metadata of the published object; upload_version, staged_version: S3 version ids;
    valid_from: epoch seconds; correction: the key for it if it corrects the version of that time.
    """

    id: str
    upload: Upload
    upload_version: str
    staged_key: str
    staged_version: str
    valid_from: float
    summary: Summary
    correction: str | None = None


@dataclass(frozen=True, kw_only=True)
class Journal:
    """write: of the last write, unique; holder: of the lease, None if it is free; expires_at: of the lease,
    epoch seconds; queue: uploads in the order in which they ended; attempts: begun at the first of them;
    publication: what is being published; last: name of the upload published last; settled_at: when every task
    has read that; expired_on: the day on which past versions were last deleted."""

    write: str = ""
    holder: str | None = None
    expires_at: float = 0.0
    queue: tuple[Upload, ...] = ()
    attempts: int = 0
    publication: Publication | None = None
    last: str | None = None
    settled_at: float = 0.0
    expired_on: str = ""

    def with_uploads(self, listed: list[Upload]) -> "Journal":
        """The queue without what is gone, and with what is new after all that was seen before.

        S3 dates a multipart upload by its beginning (user guide, "Working with object metadata"), so what an
        earlier listing lacked has ended later, whatever its date says.
        """
        there = set(listed)
        known = tuple(upload for upload in self.queue if upload in there)
        new = sorted(there.difference(known), key=lambda upload: (upload.uploaded_at, upload.key))
        attempts = self.attempts if known[:1] == self.queue[:1] else 0
        return replace(self, queue=(known + tuple(new))[:MAX_QUEUE], attempts=attempts)

    def without(self, upload: Upload) -> "Journal":
        queue = tuple(other for other in self.queue if other != upload)
        return replace(self, queue=queue, attempts=0)

    def after(self, publication: Publication, name: str) -> "Journal":
        """It is done. A correction is no version that tasks read, or that the next one is compared with."""
        done = replace(self, publication=None)
        return done if publication.correction else replace(done, last=name, settled_at=publication.valid_from)

    def to_json(self) -> bytes:
        written = asdict(self)
        if self.publication:
            written["publication"]["summary"] = self.publication.summary.to_json()
        return json.dumps(written).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Journal":
        read = json.loads(text)
        queue = tuple(Upload(*upload) for upload in read["queue"])
        return cls(**{**read, "queue": queue, "publication": _publication(read["publication"])})


def _publication(read: Mapping[str, Any] | None) -> Publication | None:
    if read is None:
        return None
    summary = Summary.from_json(read["summary"])
    return Publication(**{**read, "upload": Upload(*read["upload"]), "summary": summary})


@dataclass(kw_only=True)
class Lease:
    """The journal in the hands of its only holder. Raises LeaseLostError, and botocore's errors."""

    storage: Storage
    journal: Journal
    etag: str | None
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def read(cls, storage: Storage) -> "Lease":
        """Not acquired yet."""
        found = storage.read(KEY)
        if found is None:
            return cls(storage=storage, journal=Journal(), etag=None)
        return cls(storage=storage, journal=Journal.from_json(found.content), etag=found.etag)

    def acquire(self, *, now: float, seconds: float) -> bool:
        """Whether it is ours now. now: epoch seconds; seconds: after which others may take it."""
        if self.journal.holder is not None and now < self.journal.expires_at:
            return False
        try:
            self.write(holder=self.holder, expires_at=now + seconds)
        except LeaseLostError:
            return False
        return True

    def release(self) -> None:
        self.write(holder=None, expires_at=0.0)

    def write(self, **changes: Any) -> None:
        self.change(lambda journal: replace(journal, **changes))

    def change(self, by: Callable[[Journal], Journal]) -> None:
        journal = replace(by(self.journal), write=uuid.uuid4().hex)
        etag = self.storage.write_if_unchanged(KEY, journal.to_json(), self.etag)
        if etag is None:  # somebody has written; we ourselves, if the answer was lost and S3 was asked again
            found = self.storage.read(KEY)
            if found is None or Journal.from_json(found.content).write != journal.write:
                raise LeaseLostError
            etag = found.etag
        self.journal, self.etag = journal, etag
