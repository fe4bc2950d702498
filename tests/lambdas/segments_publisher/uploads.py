"""A door of the segments over a bucket in memory: uploads, invocations that fail, and what came of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from contract.count import SEGMENT_FILE_HEADER
from contract.segments_receipt import Receipt, RefusedUpload, read_time
from lambdas.segments_publisher.configuration import PublisherConfiguration
from lambdas.segments_publisher.journal import KEY, Journal
from lambdas.segments_publisher.metrics import UploadOutcomes
from lambdas.segments_publisher.publisher import Publisher
from lambdas.segments_publisher.storage import Storage
from names import (
    INCOMING_SEGMENTS_PREFIX,
    OREGON,
    REFUSED_SEGMENTS_PREFIX,
    SEGMENTS_PREFIX,
    SEGMENTS_RECEIPTS_PREFIX,
)
from tests.lambdas.segments_publisher.fake_s3 import BucketInMemory, Client, Killed, Version

BEGIN = datetime(2026, 1, 31, 9, 0, tzinfo=UTC).timestamp()
ENOUGH_SECONDS = 300.0
LEAD = 60
LEASE = 360
KEEP = 91 * 86_400
CONFIGURATION = PublisherConfiguration(
    bucket="segments",
    topic_arn=None,
    lead_seconds=LEAD,
    keep_seconds=KEEP,
    lease_seconds=LEASE,
    max_users=1_000,
    max_plain_bytes=100_000,
    max_shrink_percent=20,
    region=OREGON,
)


def file_of(*users: str, region: str = "tokyo") -> bytes:
    rows = [",".join(SEGMENT_FILE_HEADER), *(f"{user},female,20-29,{region}" for user in users)]
    return "\n".join([*rows, ""]).encode()


NO_ROWS = ",".join(SEGMENT_FILE_HEADER).encode() + b"\n"


class RecordedTopic:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def tell(self, subject: str, text: str) -> None:
        self.told.append((subject, text))


@dataclass
class Door:
    """now: epoch seconds, as the function and S3 see them; each call to S3 takes `step_seconds`; uploaded:
    all uploads, in the order in which they ended."""

    now: float = BEGIN
    step_seconds: float = 0.1
    topic: RecordedTopic = field(default_factory=RecordedTopic)
    bucket: BucketInMemory = field(init=False)
    uploaded: list[tuple[str, Version]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bucket = BucketInMemory(now=lambda: self.now)

    def upload(
        self,
        name: str,
        content: bytes,
        *,
        allow: str | None = None,
        succeeds: str | None = None,
        takes: float = 1.0,
    ) -> Version:
        self.now += takes
        given = {"allow": allow, "succeeds": succeeds}
        metadata = {field: value for field, value in given.items() if value is not None}
        version = self.bucket.put(f"{INCOMING_SEGMENTS_PREFIX}{name}", content, metadata)
        self.uploaded.append((name, version))
        return version

    def run(
        self,
        *,
        die_before: int | None = None,
        die_after: int | None = None,
        lose: frozenset[int] = frozenset(),
        before: Callable[[int], None] = lambda _: None,
        before_call: Callable[[str], None] = lambda _: None,
        slow: Mapping[str, float] | None = None,
        seconds_left: float = ENOUGH_SECONDS,
    ) -> tuple[UploadOutcomes | None, int]:
        """One invocation: its outcomes, None if it was killed, and how many steps it took.

        before: gets the number of each step, before_call its name; slow: seconds that calls take, by the
        beginning of their names.
        """

        def step(name: str) -> None:
            self.now += self.step_seconds
            self.now += sum(took for call, took in (slow or {}).items() if name.startswith(call))
            before(client.steps)
            before_call(name)

        client = Client(self.bucket, die_before=die_before, die_after=die_after, lose=lose, before=step)
        publisher = Publisher(
            CONFIGURATION,
            clock=lambda: self.now,
            storage=Storage(CONFIGURATION.bucket, client),
            topic=self.topic,  # type: ignore[arg-type]
        )
        try:
            return publisher.run(seconds_left), client.steps
        except Killed:
            return None, client.steps

    def settle(self) -> list[UploadOutcomes]:
        """Undisturbed invocations, a minute apart, until nothing waits."""
        found = []
        for _ in range(100):
            self.now += 60
            outcomes, _ = self.run()
            assert outcomes is not None
            assert outcomes.problems == []
            found.append(outcomes)
            if not self.bucket.keys(INCOMING_SEGMENTS_PREFIX) and not self._is_publishing():
                return found
        raise AssertionError(f"still waiting: {self.bucket.keys(INCOMING_SEGMENTS_PREFIX)}")

    def _is_publishing(self) -> bool:
        journal = self.bucket.current(KEY)
        return journal is not None and Journal.from_json(journal.content).publication is not None

    @property
    def versions(self) -> Mapping[float, bytes]:
        """valid_from -> content, oldest first."""
        found = {}
        for key in self.bucket.keys(SEGMENTS_PREFIX):
            valid_from = read_time(key.removeprefix(SEGMENTS_PREFIX).removesuffix(".csv"))
            version = self.bucket.current(key)
            assert version
            found[valid_from] = version.content
        return found

    @property
    def receipts(self) -> list[Receipt]:
        """In the order of their versions."""
        found = [
            Receipt.from_json(self.content(key))
            for key in self.bucket.keys(SEGMENTS_RECEIPTS_PREFIX)
            if not key.startswith(f"{SEGMENTS_RECEIPTS_PREFIX}.")
        ]
        return sorted(found, key=lambda receipt: receipt.valid_from)

    def refusal(self, name: str) -> RefusedUpload:
        return RefusedUpload.from_json(self.content(f"{REFUSED_SEGMENTS_PREFIX}{name}.reasons.json"))

    def content(self, key: str) -> bytes:
        version = self.bucket.current(key)
        assert version, f"no {key} among {self.bucket.keys()}"
        return version.content
