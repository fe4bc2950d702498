"""Records of many clicks against emulated AWS: whatever fails, nothing is lost or counted twice."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from contract.limits import FORWARDER_ATTEMPT_RESERVE_SECONDS
from lambdas.forwarder import forwarding
from lambdas.forwarder.configuration import ForwarderConfiguration
from lambdas.forwarder.dead_letters import DeadLetter, DeadLetters
from lambdas.forwarder.forwarding import BatchForwarder
from lambdas.forwarder.kinesis_event import ReceivedRecord, read_event
from lambdas.shared import delivery
from tests.aggregated import aggregated
from tests.faults import Faults, RefusingGate
from tests.lambdas.forwarder.events import as_bytes, click, clicks, event, packed
from tests.lambdas.forwarder.oregon import Site, carry

BAD = as_bytes(click(tag="heartbeat")).strip()
DENSE = b"{}" * 1_000


def published(capsys: pytest.CaptureFixture[str]) -> Counter[str]:
    """The sum of each metric over all invocations since the last call."""
    total: Counter[str] = Counter()
    for line in capsys.readouterr().out.splitlines():
        if '"_aws"' in line and '"Received"' in line:
            total.update({name: int(sum(v)) for name, v in json.loads(line).items() if isinstance(v, list)})
    return total


def test_records_of_every_form_are_carried_in_one_batch(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    good = clicks(10)
    array = b"[" + b",".join(line.strip() for line in good[4:6]) + b"]"
    records = [
        good[0],
        good[1] + good[2].strip() + good[3],
        array + b"no json",
        aggregated(good[6:8]),
        DENSE,
        b"\n",
        aggregated([b"", good[8].strip() + b" " + good[9] + BAD]),
    ]
    assert carry(site.forwarder(), records) == 1
    assert site.arrived() == Counter(good)
    ((*letters,),) = site.dead_letters().values()
    assert [(letter["reason"], letter["place"]) for letter in letters] == [
        ("unparseable", 2),
        ("too_dense", None),
        ("unknown_tag", 2),
    ]
    assert site.rejected() == Counter([b"no json", DENSE, BAD])
    tally = published(capsys)
    assert (tally["ReceivedRecords"], tally["Received"]) == (7, 13)
    assert (tally["Forwarded"], tally["Rejected"], tally["Failed"]) == (10, 3, 0)


def test_a_function_that_dies_between_dead_letters_and_delivery_loses_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = clicks(60)
    records = packed(good, 20)
    records[1] += BAD

    def die(*_: Any, **__: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(forwarding, "deliver", die)
    with pytest.raises(SystemExit):
        carry(site.forwarder(), records)
    assert site.rejected() == Counter([BAD])
    assert site.arrived() == Counter()
    monkeypatch.setattr(forwarding, "deliver", delivery.deliver)
    assert carry(site.forwarder(), records) == 1
    assert site.arrived() == Counter(good)
    assert site.rejected() == Counter([BAD])


def test_clicks_beside_a_dead_letter_wait_with_it_while_s3_refuses(
    site: Site, faults: Faults, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", faults.endpoint)
    good = clicks(20)
    records = packed(good, 5)
    records[1] += BAD
    records.insert(3, DENSE)
    faults.set({"service": "s3", "error": {"code": "AccessDenied", "status": 403}, "times": 2})
    batch = read_event(event(records))
    forwarder = site.forwarder()
    assert forwarder.forward(batch, 20.0) == batch[1]
    assert site.arrived() == Counter(good[:5])
    assert carry(forwarder, records[1:]) == 2
    faults.set()
    assert site.arrived() == Counter(good)
    assert site.rejected() == Counter([BAD, DENSE])
    tally = published(capsys)
    assert tally["Received"] - tally["Failed"] == 20 + 2
    assert tally["Duplicates"] == 0


def test_letters_that_s3_keeps_twice_are_told_apart_by_their_places(
    site: Site, gate: RefusingGate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", gate.endpoint)
    written: list[int] = []
    write = DeadLetters.write

    def all_but_the_rewrite(
        self: DeadLetters, letters: Sequence[DeadLetter], *, batch: Sequence[ReceivedRecord]
    ) -> None:
        written.append(len(letters))
        if not letters:
            raise OSError("S3 is away")
        write(self, letters, batch=batch)

    monkeypatch.setattr(DeadLetters, "write", all_but_the_rewrite)
    good = clicks(20)
    records = [b"".join(good[:10]), b"".join(good[10:]) + BAD + b"\n" + BAD]
    gate.refuses = lambda pack: good[15] in pack and len(site.dead_letters()) < 2 and 0 not in written
    forwarder = site.forwarder(record_bytes=1_200)
    assert carry(forwarder, records, seconds=FORWARDER_ATTEMPT_RESERVE_SECONDS + 1.5) == 2
    assert set(site.arrived()) == set(good)
    letters = [letter for kept in site.dead_letters().values() for letter in kept]
    assert len(letters) == 4
    assert len({(letter["shard"], letter["sequence_number"], letter["place"]) for letter in letters}) == 2
    assert "count them by shard, sequence number and place" in caplog.text


def test_a_batch_without_time_for_an_attempt_is_repeated_whole(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    good = clicks(50)
    records = [*packed(good, 25), BAD]
    batch = read_event(event(records))
    forwarder = site.forwarder()
    assert forwarder.forward(batch, FORWARDER_ATTEMPT_RESERVE_SECONDS) == batch[0]
    assert site.arrived() == Counter()
    assert published(capsys)["Failed"] == 51
    assert carry(forwarder, records) == 1
    assert site.arrived() == Counter(good)
    assert site.rejected() == Counter([BAD])


def test_a_record_of_two_packs_is_repeated_when_its_second_pack_is_refused(
    site: Site, gate: RefusingGate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", gate.endpoint)
    good = clicks(100)
    records = [b"".join(good[:10]), b"".join(good[10:90]) + BAD, b"".join(good[90:])]
    gate.refuses = lambda pack: good[89] in pack
    batch = read_event(event(records))
    forwarder = site.forwarder(record_bytes=6_000)
    seconds = FORWARDER_ATTEMPT_RESERVE_SECONDS + 1.5
    assert forwarder.forward(batch, seconds) == batch[1]
    assert sum(site.rejected().values()) == 0  # the retry keeps it
    first = published(capsys)
    arrived = site.arrived()
    assert set(good[:50]) <= set(arrived)
    assert first["Forwarded"] == 10
    assert first["Duplicates"] == arrived.total() - 10

    gate.refuses = lambda _: False
    assert carry(forwarder, records[1:]) == 1
    assert set(site.arrived()) == set(good)
    assert site.arrived().total() == 100 + first["Duplicates"]


@pytest.fixture
def views(site: Site) -> Callable[[], list[bytes]]:
    """A Firehose delivery stream, and the records that it has delivered."""
    firehose = boto3.client("firehose", region_name="us-west-2")
    firehose.create_delivery_stream(
        DeliveryStreamName=site.name,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/any",
            "BucketARN": f"arn:aws:s3:::{site.name}",
            "Prefix": "views/",
        },
    )

    def delivered() -> list[bytes]:
        listed = site.s3.list_objects_v2(Bucket=site.name, Prefix="views/").get("Contents", [])
        return [site.s3.get_object(Bucket=site.name, Key=each["Key"])["Body"].read() for each in listed]

    return delivered


def test_each_destination_has_packs_of_its_own_and_one_can_refuse_them(
    site: Site,
    views: Callable[[], list[bytes]],
    gate: RefusingGate,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", gate.endpoint)
    rules = tmp_path / "rules.toml"
    rules.write_text("[tags.click]\ndestination = 'source-stream'\n[tags.view]\ndestination = 'views'\n")
    arn = f"arn:aws:firehose:us-west-2:000000000000:deliverystream/{site.name}"
    forwarder = BatchForwarder(
        ForwarderConfiguration.read({**site.environment, "DESTINATION_VIEWS": arn}, rules)
    )
    good = clicks(8)
    seen = [as_bytes({"tag": "view", "number": number, "page": "p" * 60}) for number in range(8)]
    records = packed([line for pair in zip(good, seen, strict=True) for line in pair], 4)
    batch = read_event(event(records))
    gate.refuses = lambda _: True
    assert forwarder.forward(batch, FORWARDER_ATTEMPT_RESERVE_SECONDS + 0.5) == batch[0]
    assert views() == [b"".join(seen)]
    assert site.arrived() == Counter()

    gate.refuses = lambda _: False
    assert carry(forwarder, records) == 1
    assert site.arrived() == Counter(good)
    assert views() == [b"".join(seen)] * 2
