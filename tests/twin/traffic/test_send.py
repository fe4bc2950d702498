"""Sending to a stand-in for the Kinesis client with scripted refusals and failures."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from clients.mobile_app import backoff
from clients.mobile_app.delivery import MAX_BYTES_PER_CALL, Stream
from clients.mobile_app.pack import MAX_BYTES_PER_RECORD, PACK_BYTES
from twin.processes import wait_for
from twin.traffic.record import EntryPoint, Record
from twin.traffic.send import CALLS_AT_ONCE, TrafficError, TrafficTally, TrafficTotals, send

EACH_ALONE = 0
"""Bytes of a pack: the faults below are told by records."""

Entries = list[dict[str, Any]]
Behaviour = Callable[[int, Entries], set[int]]


class FakeKinesis:
    """Takes every record but those at the positions that `refuse(number of the call, entries)` returns."""

    def __init__(self, refuse: Behaviour = lambda _call, _entries: set(), *, name: str = "a-stream") -> None:
        self._refuse = refuse
        self._name = name
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.taken: list[bytes] = []
        self.calls: list[Entries] = []

    def put_records(self, *, StreamName: str, Records: Entries) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        assert StreamName == self._name
        with self._lock:
            self.calls.append(Records)
            refused = self._refuse(next(self._numbers), Records)
            self.taken += [entry["Data"] for at, entry in enumerate(Records) if at not in refused]
        code = {"ErrorCode": "ProvisionedThroughputExceededException"}
        return {"Records": [code if at in refused else {"SequenceNumber": "1"} for at in range(len(Records))]}


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE_SECONDS", 0.001)


def _record(
    number: int,
    *,
    due: float = 0.0,
    entry_point: EntryPoint = EntryPoint.WEB,
    size: int = 10,
    clicks: int = 1,
) -> Record:
    data = f"{number}\n".rjust(size).encode()
    return Record(data, f"user-{number}", entry_point, due, "counted", clicks)


def _send(
    kinesis: FakeKinesis,
    records: Iterable[Record],
    stop: threading.Event | None = None,
    pack_bytes: int = EACH_ALONE,
) -> TrafficTotals:
    tally = TrafficTally()
    stream = Stream(kinesis, "a-stream")  # type: ignore[arg-type]
    send(records, {EntryPoint.WEB: stream}, tally, stop or threading.Event(), pack_bytes=pack_bytes)
    return tally.totals()


def test_every_record_is_put_once_with_its_key_in_calls_of_at_most_500() -> None:
    kinesis = FakeKinesis()
    records = [_record(number) for number in range(1234)]
    totals = _send(kinesis, records)
    assert sorted(kinesis.taken) == sorted(record.data for record in records)
    assert sorted(len(call) for call in kinesis.calls) == [234, 500, 500]
    assert {entry["PartitionKey"] for call in kinesis.calls for entry in call} == {
        record.partition_key for record in records
    }
    assert totals == TrafficTotals(
        sent=1234,
        unsent=0,
        retried=0,
        possible_duplicates=0,
        sent_by_entry_point={EntryPoint.WEB: 1234},
        sent_by_label={"counted": 1234},
    )


def test_what_waits_is_put_in_packs_of_lines() -> None:
    kinesis = FakeKinesis()
    records = [_record(number, size=300) for number in range(1000)]
    totals = _send(kinesis, records, pack_bytes=PACK_BYTES)
    a_record = PACK_BYTES // 300
    assert b"".join(sorted(b"".join(kinesis.taken).splitlines(keepends=True))) == b"".join(
        sorted(record.data for record in records)
    )
    assert {len(data) for data in kinesis.taken} == {300 * a_record, 300 * (500 % a_record)}
    assert (totals.sent, totals.sent_by_label) == (1000, {"counted": 1000})


def test_the_numbers_are_of_clicks_however_many_a_line_and_a_record_hold() -> None:
    kinesis = FakeKinesis(refuse=lambda call, _entries: {1} if call == 1 else set())
    records = [_record(number, size=100, clicks=number) for number in range(6)]
    totals = _send(kinesis, records, pack_bytes=200)
    assert [len(call) for call in kinesis.calls] == [3, 1]
    assert (totals.sent, totals.retried, totals.possible_duplicates) == (15, 2 + 3, 0)
    assert totals.sent_by_label == {"counted": 15}


def test_lost_answers_to_packs_limit_the_copies_in_clicks() -> None:
    kinesis = Unreadable(1, {})
    totals = _send(kinesis, [_record(number, size=100) for number in range(8)], pack_bytes=400)
    assert [len(call) for call in kinesis.calls] == [2, 1, 1]
    assert (totals.sent, totals.unsent, totals.retried, totals.possible_duplicates) == (8, 0, 8, 8)


def test_each_entry_point_has_its_own_stream() -> None:
    mobile, web = FakeKinesis(), FakeKinesis()
    streams = {
        EntryPoint.MOBILE: Stream(mobile, "a-stream"),  # type: ignore[arg-type]
        EntryPoint.WEB: Stream(web, "a-stream"),  # type: ignore[arg-type]
    }
    tally = TrafficTally()
    records = [_record(1, entry_point=EntryPoint.MOBILE), _record(2), _record(3)]
    send(records, streams, tally, threading.Event(), pack_bytes=EACH_ALONE)
    assert (len(mobile.taken), len(web.taken)) == (1, 2)
    assert tally.totals().sent_by_entry_point == {EntryPoint.MOBILE: 1, EntryPoint.WEB: 2}


def test_a_call_has_at_most_five_mebibytes() -> None:
    kinesis = FakeKinesis()
    totals = _send(kinesis, [_record(number, size=1_000_000) for number in range(12)])
    assert totals.sent == 12
    sizes = [sum(len(entry["Data"]) + len(entry["PartitionKey"]) for entry in call) for call in kinesis.calls]
    assert max(sizes) <= MAX_BYTES_PER_CALL


def test_a_record_larger_than_a_stream_takes_is_counted_as_unsent() -> None:
    key = len("user-1")
    fitting, larger = (
        _record(1, size=MAX_BYTES_PER_RECORD - key),
        _record(2, size=MAX_BYTES_PER_RECORD - key + 1),
    )
    totals = _send(FakeKinesis(), [fitting, larger])
    assert (totals.sent, totals.unsent) == (1, 1)


def test_only_records_that_a_call_refused_are_retried() -> None:
    kinesis = FakeKinesis(refuse=lambda call, entries: set(range(0, len(entries), 3)) if call <= 2 else set())
    totals = _send(kinesis, [_record(number) for number in range(9)])
    assert [len(call) for call in kinesis.calls] == [9, 3, 1]
    assert len(kinesis.taken) == len(set(kinesis.taken)) == 9
    assert (totals.sent, totals.retried, totals.possible_duplicates, totals.unsent) == (9, 4, 0, 0)


def _fail_first(error: Exception) -> Behaviour:
    def refuse(call: int, _entries: Entries) -> set[int]:
        if call == 1:
            raise error
        return set()

    return refuse


def _client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutRecords")


@pytest.mark.parametrize(
    ("error", "possible_duplicates"),
    [
        (_client_error("ThrottlingException"), 0),
        (ConnectTimeoutError(endpoint_url="https://kinesis.example"), 0),
        (ReadTimeoutError(endpoint_url="https://kinesis.example"), 5),
    ],
)
def test_a_retryable_call_is_made_again(error: Exception, possible_duplicates: int) -> None:
    totals = _send(FakeKinesis(_fail_first(error)), [_record(number) for number in range(5)])
    assert (totals.sent, totals.retried, totals.possible_duplicates) == (5, 5, possible_duplicates)


def test_a_permanent_refusal_ends_the_sending_and_says_what_to_check() -> None:
    kinesis = FakeKinesis(_fail_first(_client_error("AccessDeniedException")))
    with pytest.raises(TrafficError, match=r"stream a-stream .*AccessDenied.* kinesis:PutRecords"):
        _send(kinesis, [_record(1)])


def test_a_permanent_refusal_reports_every_record_drawn_as_unsent() -> None:
    tally, stop = TrafficTally(), threading.Event()
    refused = threading.Event()
    drawn: list[Record] = []

    def refuse(_call: int, _entries: Entries) -> set[int]:
        refused.set()
        raise _client_error("ResourceNotFoundException")

    def records() -> Iterator[Record]:
        for number in range(5000):
            if number == 501:
                assert refused.wait(5)
            drawn.append(_record(number))
            yield drawn[-1]

    streams = {EntryPoint.WEB: Stream(FakeKinesis(refuse), "a-stream")}  # type: ignore[arg-type]
    with pytest.raises(TrafficError) as raised:
        send(records(), streams, tally, stop, pack_bytes=EACH_ALONE)
    assert 501 < len(drawn) < 5000
    assert (tally.totals().sent, tally.totals().unsent) == (0, len(drawn))
    assert raised.value.__notes__ == [
        f"sent 0 clicks, not sent {len(drawn):,}, retried 0, possible duplicates 0"
    ]
    assert stop.is_set()


def test_the_record_at_hand_when_all_calls_are_refused_is_counted_too() -> None:
    records_under_way_and_gathered = 500 * (CALLS_AT_ONCE + 1)
    all_drawn = threading.Event()
    drawn = 0

    def refuse(_call: int, _entries: Entries) -> set[int]:
        assert all_drawn.wait(5)
        raise _client_error("AccessDeniedException")

    def records() -> Iterator[Record]:
        nonlocal drawn
        for number in range(10_000):
            drawn += 1
            if drawn > records_under_way_and_gathered:
                all_drawn.set()
            yield _record(number)

    tally = TrafficTally()
    streams = {EntryPoint.WEB: Stream(FakeKinesis(refuse), "a-stream")}  # type: ignore[arg-type]
    with pytest.raises(TrafficError):
        send(records(), streams, tally, threading.Event(), pack_bytes=EACH_ALONE)
    assert (tally.totals().sent, tally.totals().unsent) == (0, drawn)


class Unreadable(FakeKinesis):
    """Takes every record, but answers the first `number` calls with something unreadable."""

    def __init__(self, number: int, answer: dict[str, Any]) -> None:
        super().__init__()
        self._number, self._answer = number, answer

    def put_records(self, *, StreamName: str, Records: Entries) -> dict[str, Any]:  # noqa: N803
        answer = super().put_records(StreamName=StreamName, Records=Records)
        return self._answer if len(self.calls) <= self._number else answer


@pytest.mark.parametrize(
    "answer", [{}, {"Records": [{"SequenceNumber": "1"}]}], ids=["nothing", "fewer records"]
)
def test_unreadable_answers_are_retried_with_limited_copies(answer: dict[str, Any]) -> None:
    kinesis = Unreadable(2, answer)
    totals = _send(kinesis, [_record(number) for number in range(8)])
    assert [len(call) for call in kinesis.calls] == [8, 4, 2, 4, 2]
    assert (totals.sent, totals.unsent, totals.retried) == (8, 0, 12)
    assert totals.possible_duplicates == 12
    assert len(set(kinesis.taken)) == 8
    assert len(kinesis.taken) - 8 <= totals.possible_duplicates


def test_a_stream_that_takes_nothing_ends_the_sending_with_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("twin.traffic.send.MAX_SECONDS_WITHOUT_TAKING", 0.05)
    tally = TrafficTally()
    streams = {EntryPoint.WEB: Stream(Unreadable(10_000, {}), "a-stream")}  # type: ignore[arg-type]
    with pytest.raises(
        TrafficError, match=r"a-stream has taken nothing for .* the answer does not say"
    ) as raised:
        send(map(_record, range(9)), streams, tally, threading.Event(), pack_bytes=EACH_ALONE)
    assert (tally.totals().sent, tally.totals().unsent) == (0, 9)
    assert raised.value.__notes__ == [str(tally.totals())]


def test_a_stream_that_takes_one_record_a_call_gets_smaller_calls() -> None:
    kinesis = FakeKinesis(refuse=lambda _call, entries: set(range(1, len(entries))))
    totals = _send(kinesis, map(_record, range(500)))
    assert (totals.sent, totals.possible_duplicates) == (500, 0)
    assert totals.retried == sum(map(len, kinesis.calls)) - 500 <= 2 * 500


def test_an_error_of_the_records_ends_the_sending_with_all_accounted_for() -> None:
    def records() -> Iterator[Record]:
        yield from map(_record, range(700))
        raise ValueError("the file ends in the middle of a line")

    kinesis, tally, stop = FakeKinesis(), TrafficTally(), threading.Event()
    with pytest.raises(ValueError, match="in the middle") as raised:
        send(records(), {EntryPoint.WEB: Stream(kinesis, "a-stream")}, tally, stop, pack_bytes=EACH_ALONE)  # type: ignore[arg-type]
    totals = tally.totals()
    assert totals.sent == len(kinesis.taken)
    assert totals.sent + totals.unsent == 700
    assert raised.value.__notes__ == [str(totals)]
    assert stop.is_set()


def test_records_still_refused_at_the_stop_are_counted_as_unsent() -> None:
    stop = threading.Event()

    def refuse_and_stop(call: int, entries: Entries) -> set[int]:
        if call == 3:
            stop.set()
        return set(range(1, len(entries)))

    totals = _send(FakeKinesis(refuse_and_stop), [_record(number) for number in range(10)], stop)
    assert totals.sent + totals.unsent == 10
    assert totals.sent == 3


def test_a_stop_ends_an_endless_flow_and_accounts_for_every_record() -> None:
    stop = threading.Event()
    drawn: list[Record] = []

    def endless() -> Iterator[Record]:
        for number in itertools.count():
            if number == 700:
                stop.set()
            drawn.append(_record(number))
            yield drawn[-1]

    kinesis = FakeKinesis()
    totals = _send(kinesis, endless(), stop)
    assert totals.sent == len(kinesis.taken) == 700
    assert len(drawn) == totals.sent + totals.unsent == 701


def test_a_record_is_put_only_once_it_is_due() -> None:
    put_at: list[tuple[float, float]] = []
    started = time.monotonic()

    def note(_call: int, entries: Entries) -> set[int]:
        put_at.extend((float(entry["Data"]), time.monotonic() - started) for entry in entries)
        return set()

    dues = [0.0, 0.05, 0.15, 1.0]
    records = [Record(str(due).encode(), "user", EntryPoint.WEB, due, "counted") for due in dues]
    _send(FakeKinesis(note), records)
    assert [due for due, _ in put_at] == dues
    assert all(due <= at for due, at in put_at)
    assert put_at[0][1] < 1.0


def test_a_slow_call_does_not_hold_up_the_others() -> None:
    others_made = threading.Event()
    calls = itertools.count(1)

    class Slow(FakeKinesis):
        def put_records(self, *, StreamName: str, Records: Entries) -> dict[str, Any]:  # noqa: N803
            number = next(calls)
            if number == 1:
                assert others_made.wait(60)
            elif number == 3:
                others_made.set()
            return super().put_records(StreamName=StreamName, Records=Records)

    assert _send(Slow(), [_record(number) for number in range(1500)]).sent == 1500


def test_a_stream_that_is_away_holds_up_its_own_clicks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.traffic.send.STALLED_SECONDS", 0)
    away, tally = threading.Event(), TrafficTally()
    away.set()

    def refuse(_call: int, _entries: Entries) -> set[int]:
        if away.is_set():
            raise _client_error("ThrottlingException")
        return set()

    mobile, web = FakeKinesis(name="tokyo"), FakeKinesis(refuse, name="oregon")
    streams = {
        EntryPoint.MOBILE: Stream(mobile, "tokyo"),  # type: ignore[arg-type]
        EntryPoint.WEB: Stream(web, "oregon"),  # type: ignore[arg-type]
    }

    def records() -> Iterator[Record]:
        yield from map(_record, range(500 * (CALLS_AT_ONCE + 3)))
        yield from (_record(number, entry_point=EntryPoint.MOBILE) for number in range(501))
        wait_for(lambda: len(mobile.taken) >= 500, what="apps' clicks", timeout_seconds=30)
        [problem] = tally.problems()
        assert "stream oregon has taken nothing for" in problem
        away.clear()

    send(records(), streams, tally, threading.Event(), pack_bytes=EACH_ALONE)
    assert tally.totals().sent_by_entry_point == {EntryPoint.WEB: len(web.taken), EntryPoint.MOBILE: 501}
    assert (len(set(web.taken)), tally.totals().unsent, tally.problems()) == (3500, 0, [])
