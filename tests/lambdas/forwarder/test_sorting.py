"""What becomes of each part of a record, whatever bytes it has; without a network."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.click import Click, read
from lambdas.forwarder.configuration import RULES_FILE
from lambdas.forwarder.kinesis_event import ReceivedRecord, read_event
from lambdas.forwarder.reading import BYTES_A_CLICK, MAX_CLICKS
from lambdas.forwarder.routing import compile_routing
from lambdas.forwarder.rules import load_rules
from lambdas.forwarder.sorting import BatchSorter, SortedBatch
from lambdas.shared.destinations import DataStream
from tests.aggregated import aggregated
from tests.lambdas.forwarder.events import as_bytes, click, clicks, event, packed

STREAM = DataStream("arn:aws:kinesis:us-west-2:000000000000:stream/a", None)
SORTER = BatchSorter(compile_routing(load_rules(RULES_FILE)), {"source-stream": STREAM})
GOOD = as_bytes(click())
SMALLEST = b'{"click_id":1,"clicked_at":1769862896,"user_id":1,"article_id":1}'
"""The shortest click that can count: epoch seconds have ten digits until the year 2286."""
MIB = 1024 * 1024


def batch(*records: bytes) -> list[ReceivedRecord]:
    return read_event(event(records))


def lines(result: SortedBatch) -> list[bytes]:
    return [line.data for line in result.outgoing.get(STREAM, [])]


def letters(result: SortedBatch) -> list[tuple[str, int | None, bytes]]:
    return [(each.letter.reason, each.letter.place, each.letter.data) for each in result.rejected]


def sort(*records: bytes) -> SortedBatch:
    return SORTER.sort(batch(*records))


@pytest.mark.parametrize(
    "record",
    [
        b"".join(clicks(3)),
        b"".join(clicks(3)).rstrip(b"\n"),
        b"\n\n".join(clicks(3)),
        b"".join(line.strip() for line in clicks(3)),
        b"\xef\xbb\xbf" + b"".join(line[:-1] + b"\r\n" for line in clicks(3)),
        aggregated(clicks(3)),
        aggregated([b"", b"".join(clicks(3)[:2]), b"\n", clicks(3)[2].strip()]),
    ],
)
def test_clicks_keep_their_bytes_in_every_form_of_a_record(record: bytes) -> None:
    result = sort(record)
    assert lines(result) == clicks(3)
    assert result.rejected == []
    assert result.units == 3


def test_an_array_counts_whole_or_not_at_all() -> None:
    whole = b"[" + b", ".join(line.strip() for line in clicks(2)) + b"]"
    assert lines(sort(whole)) == clicks(2)
    assert letters(sort(whole[:-1] + b", 7]")) == [("unparseable", 0, whole[:-1] + b", 7]")]


UNPARSEABLE = [
    b"not json",
    b'{"click_id": "broken',
    b"\xff\xfe\x00",
    b'{"x": NaN}',
    b'{"x": ' + b"9" * 5_000 + b"}",
    b"[" * 200_000,
    b'"text"',
    b"null",
    b"7",
    b"\x00",
    b"\xf3\x89\x9a\xc2",
    b"\xef\xbb\xbf\xef\xbb\xbf{}",
]


@pytest.mark.parametrize("rest", UNPARSEABLE)
def test_the_rest_of_a_line_is_a_dead_letter_of_its_own(rest: bytes) -> None:
    assert letters(sort(rest)) == [("unparseable", 0, rest.removeprefix(b"\xef\xbb\xbf"))]
    result = sort(GOOD + GOOD.strip() + rest + b"\n" + GOOD)
    assert lines(result) == [GOOD] * 3
    assert letters(result) == [("unparseable", 2, rest)]


def test_an_aggregate_with_a_wrong_digest_is_lines() -> None:
    result = sort(aggregated(clicks(2))[:-1] + b"?")
    assert lines(result) == []
    assert {reason for reason, _, _ in letters(result)} == {"unparseable"}


def test_bytes_of_utf_16_are_unparseable_line_by_line() -> None:
    record = GOOD.decode().encode("utf-16")
    reasons = {reason for reason, _, _ in letters(sort(record))}
    assert reasons == {"unparseable"}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (as_bytes(click(article_id=None)), "missing_article_id"),
        (as_bytes(click(clicked_at="yesterday")), "invalid_clicked_at"),
        (as_bytes(click(tag="heartbeat")), "unknown_tag"),
        (as_bytes(click(text="x" * MIB)), "too_big"),
        (GOOD.replace(b"click-0", b"\\ud83d"), "id_not_unicode"),
    ],
)
def test_an_invalid_click_in_the_middle_of_a_record_is_rejected_alone(bad: bytes, reason: str) -> None:
    result = sort(GOOD + bad + GOOD, GOOD)
    assert lines(result) == [GOOD] * 3
    assert letters(result) == [(reason, 1, bad.strip())]
    assert [each.position for each in result.rejected] == [0]


def test_an_id_over_the_applications_limit_is_forwarded_for_it_to_reject() -> None:
    long = as_bytes(click(article_id="x" * 513))
    assert lines(sort(GOOD + long + GOOD)) == [GOOD, long, GOOD]


def test_a_letter_of_an_arrays_element_has_its_bytes_alone() -> None:
    """With the bytes of the whole record in each letter, a record of 300 kB made 2 GB of letters."""
    element = b'{"tag":"x\\ud83d", "n":1e999}' + b" " * 40
    (first, *_, last) = letters(sort(b"[" + b",".join([element] * 5_000) + b"]"))
    assert first == ("unknown_tag", 0, element.strip())
    assert last == ("unknown_tag", 4_999, element.strip())


@pytest.mark.parametrize("nothing", [b"", b"\n" * 10_000, b" \t\r\n", b"[]", b"\xef\xbb\xbf", aggregated([])])
def test_a_record_without_clicks_is_nothing(nothing: bytes) -> None:
    result = sort(nothing, GOOD)
    assert (result.units, lines(result), letters(result)) == (1, [GOOD], [])


def test_an_aggregate_in_an_aggregate_is_lines() -> None:
    inner = aggregated(clicks(2))
    (unread,) = letters(sort(aggregated([inner, GOOD])))[:1]
    assert unread[0] == "unparseable"
    assert GOOD in lines(sort(aggregated([inner, GOOD])))


def spaced(unit: bytes, number: int, size: int) -> bytes:
    """So many units in a record of so many bytes."""
    glued = unit * number
    return glued + b" " * (size - len(glued))


def test_a_record_of_too_many_clicks_is_one_dead_letter() -> None:
    most = spaced(b"{}", MAX_CLICKS, MAX_CLICKS * BYTES_A_CLICK)
    assert sort(most).units == MAX_CLICKS
    more = spaced(b"{}", MAX_CLICKS + 1, MAX_CLICKS * BYTES_A_CLICK)
    assert letters(sort(more)) == [("too_many_clicks", None, more)]


def test_a_record_too_dense_for_clicks_is_one_dead_letter() -> None:
    """It has room for BYTES_A_CLICK for each click after the first."""
    assert sort(spaced(b"{}", 3, 2 * BYTES_A_CLICK)).units == 3
    dense = spaced(b"{}", 3, 2 * BYTES_A_CLICK - 1)
    assert letters(sort(dense, GOOD)) == [("too_dense", None, dense)]
    of_rests = b"x\n" * 100
    assert letters(sort(of_rests)) == [("too_dense", None, of_rests)]


def test_a_single_small_click_is_no_amplification() -> None:
    assert letters(sort(b"{}")) == [("missing_click_id", 0, b"{}")]
    assert letters(sort(b"\n{}\n")) == [("missing_click_id", 0, b"{}")]


def test_the_smallest_clicks_fill_a_record() -> None:
    assert len(SMALLEST) >= BYTES_A_CLICK
    result = sort(SMALLEST * MAX_CLICKS)
    assert len(lines(result)) == MAX_CLICKS
    assert MAX_CLICKS * 210 > MIB


ATTACKS = [
    b"{}" * (MIB // 2),
    b"{}\n" * (MIB // 3),
    b"[" * MIB,
    b"[\n" * (MIB // 2),
    b"\n" * MIB,
    b"[" + b"{}," * (MIB // 3 - 1) + b"{}]",
    b'{"a":' * (MIB // 5),
    aggregated([b""] * 100_000),
    aggregated([b"{}"] * 100_000),
    aggregated([GOOD.strip() + b" " * 900_000]),
    b"\x1a\xff\xff\xff\xff\x0f" * 1_000,
    GOOD.strip() * (900_000 // len(GOOD)),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_hurts_no_record_beside_it(attack: bytes) -> None:
    result = sort(GOOD, attack, GOOD)
    assert lines(result)[0] == lines(result)[-1] == GOOD
    assert result.units == 2 + result.before(2).units - result.before(1).units
    assert len(result.rejected) <= 1 or {reason for reason, _, _ in letters(result)} == {"unparseable"}


good_and_bad = st.lists(
    st.sampled_from([GOOD, GOOD.strip(), b"\n", b"[]", b"x", b"{}", b"\xff\n", b'[{"a":1},', b'"\n']),
    max_size=12,
)


@given(
    st.lists(good_and_bad.map(b"".join) | st.binary(max_size=100) | good_and_bad.map(aggregated), max_size=4)
)
def test_every_part_that_the_contract_finds_has_one_place(records: list[bytes]) -> None:
    result = sort(*records)
    for position, record in enumerate(records):
        found = read(record)
        mine = [each.letter for each in result.rejected if each.position == position]
        if any(letter.place is None for letter in mine):
            assert len(mine) == 1
            assert len(found) > 1 + len(record) // BYTES_A_CLICK
            continue
        forwarded = sum(line.position == position for line in result.outgoing.get(STREAM, []))
        assert forwarded + len(mine) == len(found)
        for letter in mine:
            assert letter.place is not None
            unit = found[letter.place]
            assert letter.data == (unit.json if isinstance(unit, Click) else unit.data)


def test_a_batch_can_be_cut_before_any_record() -> None:
    bad = b'{"tag":"x"}' + b" " * 60
    records = [GOOD + bad, GOOD, *packed(clicks(4), 2), bad + b"x"]
    result = sort(*records)
    for position in range(len(records) + 1):
        assert result.before(position).units == sort(*records[:position]).units
    assert Counter(lines(result.before(3))) == Counter([GOOD, GOOD, *clicks(2)])
