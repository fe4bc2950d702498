"""An erasure stopped anywhere, or beside deliveries and another erasure, ends as one that was not."""

import base64
import gzip
import json
from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.click import Click, read_line
from contract.tally import ErasedTally, in_effect, tallies
from names import ERASED_PREFIX, remaining_days_values
from operations.erasure.erasing import Erasure, ErasureReport, places
from operations.erasure.reader import ErasedReader
from operations.erasure.storage import Objects, remaining_days
from tests.operations.erasure.buckets import FakeS3, KilledError, refused

RAW, REJECTED, LETTERS = "raw", "rejected", "letters"
HOUR = "2026/01/31/09"
HANAKO, TARO = ErasedReader("hanako"), ErasedReader("taro")
MINUTES = ("2026-01-31T09:15:00.000Z", "2026-01-31T09:16:00.000Z")


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def click(user: str, number: int) -> bytes:
    fields = {"click_id": str(number), "user_id": user, "clicked_at": MINUTES[number % 2]}
    return json.dumps(fields).encode()


def reject(user: str, number: int) -> bytes:
    fields = {"user_id": user, "clicked_at": MINUTES[number % 2], "unparseable": None, "reason": "too_old"}
    return json.dumps(fields).encode() + b"\n"


def letter(user: str, number: int, *, place: int | None = 0, data: bytes | None = None) -> bytes:
    fields = {
        "reason": "too_big",
        "tag": None,
        "data": base64.b64encode(data or click(user, number)).decode(),
        "partition_key": user,
        "sequence_number": str(number),
        "shard": "0",
        "place": place,
        "arrived_at": MINUTES[0],
    }
    return json.dumps(fields).encode() + b"\n"


def batch(*records: tuple[str, bytes]) -> bytes:
    event = {
        "Records": [
            {"kinesis": {"partitionKey": key, "data": base64.b64encode(data).decode()}, "eventID": "0:1"}
            for key, data in records
        ]
    }
    return json.dumps({"KinesisBatchInfo": {"batchSize": 2}, "payload": json.dumps(event)}).encode()


def filled() -> FakeS3:
    """Buckets with clicks of hanako, taro and jiro in every form."""
    s3 = FakeS3()
    packs = [
        b"".join(click(user, number) for number, user in enumerate(users)) + b"\n\n"
        for users in (["hanako", "taro"], ["jiro"], ["hanako"], ["taro", "hanako", "jiro", "hanako"])
    ]
    s3.add(RAW, f"raw/{HOUR}/a.json.gz", packed(packs[0]) + packed(packs[1] + packs[2]))
    s3.add(RAW, f"raw/{HOUR}/b.json.gz", packed(packs[1]), Metadata={"k": "v"})
    s3.add(RAW, f"raw/{HOUR}/c.json.gz", packed(packs[3] + packs[3]), Metadata={"k": "v"})
    s3.add(RAW, f"raw/{HOUR}/d.json.gz", packed(packs[3] + packs[0]))
    s3.add(RAW, f"raw/{HOUR}/e.json", packs[2])
    error = {"rawData": base64.b64encode(packs[0]).decode(), "errorCode": "x"}
    s3.add(RAW, f"raw-errors/processing-failed/{HOUR}/f", json.dumps(error).encode())
    rejects = [reject("hanako", 1), reject("jiro", 2), reject("hanako", 1), reject("hanako", 4)]
    s3.add(REJECTED, f"rejected/{HOUR}/g.json.gz", packed(b"\n".join(rejects)))
    s3.add(REJECTED, f"rejected/{HOUR}/h.json.gz", packed(rejects[0] + rejects[1]))
    s3.add(
        LETTERS,
        "rejected-records/2026/01/31/0-1.ndjson",
        letter("hanako", 1)
        + letter("jiro", 2)
        + letter("hanako", 3, place=None, data=packs[3])
        + letter("hanako", 4, data=b"no click")
        + letter("hanako", 5, data=click("jiro", 5)),
        ContentType="application/x-ndjson",
    )
    key = "aws/lambda/uuid/shard/2026/01/31/2026-01-31T09.15.00-x"
    s3.add(LETTERS, key, batch(("hanako", packs[0]), ("jiro", packs[1]), ("hanako", packs[2])))
    return s3


def erasure(s3: FakeS3, reader: ErasedReader = HANAKO, run: str = "run") -> Erasure:
    raw = Objects(s3, RAW)
    return Erasure(
        places=places(raw=raw, rejected=Objects(s3, REJECTED), dead_letters=Objects(s3, LETTERS)),
        tallies=raw,
        reader=reader,
        run=run,
        retention_days=90,
        today=date(2026, 3, 2),
    )


def state(s3: FakeS3) -> dict[tuple[str, str], tuple[bytes, Any]]:
    return {
        at: (each.body, each.attributes)
        for at, each in s3.objects.items()
        if not at[1].startswith(ERASED_PREFIX)
    }


def tallied(s3: FakeS3) -> Counter[ErasedTally]:
    etags = {
        key: each.etag.strip('"')
        for (_, key), each in s3.objects.items()
        if not key.startswith(ERASED_PREFIX)
    }
    found = [
        tally
        for (_, key), each in s3.objects.items()
        if key.startswith(ERASED_PREFIX)
        for tally in tallies(each.body)
    ]
    return Counter(in_effect(found, etags))


def text(s3: FakeS3) -> str:
    """All that is stored, with what is packed or in base64 readable."""
    shown = []
    for each in s3.objects.values():
        body = gzip.decompress(each.body) if each.body.startswith(b"\x1f\x8b") else each.body
        shown.append(body.decode())
        for part in body.decode().replace("\\", "").split('"'):
            try:
                shown.append(base64.b64decode(part, validate=True).decode())
            except ValueError:
                continue
    return "\n".join(shown)


def clicks_in(s3: FakeS3, bucket: str, prefix: str) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    for (of, key), each in s3.objects.items():
        if of == bucket and key.startswith(prefix):
            body = gzip.decompress(each.body) if key.endswith(".gz") else each.body
            for line in body.split(b"\n"):
                found.update(unit.json for unit in read_line(line) if isinstance(unit, Click))
    return found


ONCE = filled()
REPORT = erasure(ONCE).erase()
"""An erasure that nothing disturbs."""


def test_nothing_of_the_reader_is_left_and_everything_of_the_others() -> None:
    assert "hanako" not in text(ONCE)
    before, after = filled(), ONCE
    for bucket, prefix in ((RAW, "raw/"), (REJECTED, "rejected/")):
        was = clicks_in(before, bucket, prefix)
        others = Counter({each: times for each, times in was.items() if b"hanako" not in each})
        assert clicks_in(after, bucket, prefix) == others
    assert text(ONCE).count('"jiro"') == text(before).count('"jiro"')
    assert text(ONCE).count('"taro"') == text(before).count('"taro"')


def test_an_object_without_the_reader_is_not_written() -> None:
    assert (RAW, f"raw/{HOUR}/b.json.gz") not in ONCE.writes
    assert REPORT.rewritten == {
        "raw/": 4,
        "raw-errors/": 1,
        "rejected/": 2,
        "rejected-records/": 1,
        "aws/lambda/": 1,
    }
    assert not REPORT.unreadable
    assert not REPORT.unfinished


def test_a_rewritten_object_keeps_what_stands_beside_it_and_its_remaining_life() -> None:
    attributes = ONCE.objects[RAW, f"raw/{HOUR}/c.json.gz"].attributes
    assert attributes == {"Metadata": {"k": "v"}, "Tagging": "remaining-days=63"}  # 30 of 90 days are over
    letters = ONCE.objects[LETTERS, "rejected-records/2026/01/31/0-1.ndjson"].attributes
    assert letters["ContentType"] == "application/x-ndjson"


@pytest.mark.parametrize(
    ("age", "days"), [(0, None), (9, 81), (10, 81), (80, 18), (81, 9), (90, 9), (400, 9)]
)
def test_a_rewritten_object_gets_the_next_of_the_lives_that_rules_know(age: int, days: int | None) -> None:
    today = date(2026, 12, 31)
    written = date.fromordinal(today.toordinal() - age)
    assert remaining_days(written, today, 90, remaining_days_values(90)) == days


def test_the_tallies_tell_what_went_by_object_and_minute() -> None:
    rows = {
        (tally.object[-9:], tally.minute, tally.received, tally.rejected, tally.repeated)
        for tally in tallied(ONCE)
    }
    assert rows == {
        ("a.json.gz", MINUTES[0], 2, 0, 0),
        ("c.json.gz", MINUTES[1], 4, 0, 0),
        ("d.json.gz", MINUTES[1], 2, 0, 2),  # the pack stands twice in c
        ("d.json.gz", MINUTES[0], 1, 0, 1),
        ("09/e.json", MINUTES[0], 1, 0, 1),
        ("g.json.gz", MINUTES[1], 0, 2, 0),
        ("g.json.gz", MINUTES[0], 0, 1, 0),
        ("h.json.gz", MINUTES[1], 0, 1, 1),
    }
    lines = [each.body for (_, key), each in ONCE.objects.items() if key.startswith(ERASED_PREFIX)]
    assert not any(b"hanako" in body or b"click_id" in body for body in lines)


CALLS = ONCE.calls


@pytest.mark.parametrize("last", range(1, CALLS + 1))
def test_a_run_that_is_killed_and_given_again_ends_as_one_that_was_not(last: int) -> None:
    s3 = filled()

    def kill(number: int, _: str) -> None:
        if number >= last:
            raise KilledError

    s3.before = kill
    with pytest.raises(KilledError):
        erasure(s3, run="first").erase()
    s3.before = lambda _number, _name: None
    erasure(s3, run="second").erase()
    assert state(s3) == state(ONCE)
    assert tallied(s3) == tallied(ONCE)


@settings(max_examples=30)
@given(lasts=st.lists(st.integers(1, CALLS), max_size=4))
def test_a_run_killed_again_and_again_ends_the_same(lasts: list[int]) -> None:
    s3 = filled()
    for run, last in enumerate(lasts):
        first = s3.calls

        def kill(number: int, _: str, until: int = first + last) -> None:
            if number >= until:
                raise KilledError

        s3.before = kill
        try:
            erasure(s3, run=str(run)).erase()
        except KilledError:
            continue
    s3.before = lambda _number, _name: None
    erasure(s3, run="last").erase()
    assert state(s3) == state(ONCE)
    assert tallied(s3) == tallied(ONCE)


LAST_LISTING = CALLS - len(erasure(ONCE).places) + 1
"""Of the raw backup, in the pass that finds nothing new."""


@pytest.mark.parametrize("at", range(1, LAST_LISTING + 1, 3))
def test_what_is_delivered_meanwhile_is_erased_too(at: int) -> None:
    s3 = filled()
    new = packed(click("hanako", 1) + click("saburo", 2) + b"\n")

    def deliver(number: int, _: str) -> None:
        if number == at:
            s3.objects.setdefault((RAW, f"raw/{HOUR}/new.json.gz"), _object(new))
            s3.objects.setdefault((RAW, "raw/2026/01/01/00/new.json.gz"), _object(new))

    s3.before = deliver
    erasure(s3).erase()
    assert "hanako" not in text(s3)
    assert clicks_in(s3, RAW, "raw/")[click("saburo", 2)] == 2
    received = Counter(tally.object[-11:] for tally in tallied(s3).elements() if tally.object[-5:] == "on.gz")
    assert received["new.json.gz"] == 2


def _object(body: bytes) -> Any:
    s3 = FakeS3()
    s3.add("", "", body)
    return s3.objects["", ""]


@pytest.mark.parametrize("at", range(1, CALLS, 2))
def test_two_erasures_at_once_take_out_both_readers_and_tally_each_click_once(at: int) -> None:
    """The other one works from beginning to end between two calls of this one."""
    s3 = filled()
    inside = False

    def other(number: int, _: str) -> None:
        nonlocal inside
        if number == at and not inside:
            inside = True
            s3._lock.release()
            try:
                erasure(s3, TARO, run="other").erase()
            finally:
                s3._lock.acquire()

    s3.before = other
    erasure(s3, HANAKO, run="this").erase()
    assert "hanako" not in text(s3)
    assert "taro" not in text(s3)
    one_by_one = filled()
    erasure(one_by_one, TARO, run="other").erase()
    erasure(one_by_one, HANAKO, run="this").erase()
    assert received_by_minute(s3) == received_by_minute(one_by_one)


def received_by_minute(s3: FakeS3) -> Counter[tuple[str, str | None]]:
    total: Counter[tuple[str, str | None]] = Counter()
    for tally in tallied(s3).elements():
        total[tally.object, tally.minute] += tally.received + tally.rejected
    return total


def test_a_lost_answer_to_a_write_that_succeeded_is_no_other_change() -> None:
    s3 = filled()
    put = s3.put_object

    def put_twice(**request: Any) -> Any:
        put(**request)
        return put(**request)  # botocore's retry meets its own object

    s3.put_object = put_twice  # type: ignore[method-assign]
    report = erasure(s3).erase()
    assert state(s3) == state(ONCE)
    assert tallied(s3) == tallied(ONCE)
    assert report.rewritten == REPORT.rewritten


def test_what_s3_refuses_otherwise_ends_the_run() -> None:
    s3 = filled()

    def deny(_: int, name: str) -> None:
        if name == "put":
            raise refused("AccessDenied")

    s3.before = deny
    with pytest.raises(Exception, match="AccessDenied"):
        erasure(s3).erase()
    assert state(s3) == state(filled())


def test_looking_changes_nothing_and_says_what_would_go() -> None:
    s3 = filled()
    report = erasure(s3).look()
    assert not s3.writes
    assert (report.rewritten, report.taken) == (REPORT.rewritten, REPORT.taken)


def test_an_object_that_cannot_be_read_is_named_and_left() -> None:
    s3 = filled()
    broken = packed(click("hanako", 1))[:-9]
    s3.add(RAW, f"raw/{HOUR}/broken.json.gz", broken)
    s3.add(LETTERS, "aws/lambda/uuid/x", b"hanako")
    report = erasure(s3).erase()
    assert set(report.unreadable) == {f"s3://raw/raw/{HOUR}/broken.json.gz", "s3://letters/aws/lambda/uuid/x"}
    assert s3.objects[RAW, f"raw/{HOUR}/broken.json.gz"].body == broken


def test_a_second_erasure_of_the_same_reader_changes_nothing() -> None:
    s3 = filled()
    erasure(s3).erase()
    writes = len(s3.writes)
    report: ErasureReport = erasure(s3, run="again").erase()
    assert len(s3.writes) == writes
    assert not report.rewritten
