"""Packs: clicks joined to records."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.forwarder.packing import FULL, OutgoingLine, pack
from lambdas.shared.destinations import DataStream, DeliveryStream, Outgoing
from settings.forwarder import ForwarderSettings

STREAM = DataStream("arn:aws:kinesis:us-west-2:000000000000:stream/a", None)
DELIVERY_STREAM = DeliveryStream("arn:aws:firehose:us-west-2:000000000000:deliverystream/a", None)
KEY = STREAM.key_bytes


def lines(*sizes_of_records: list[int]) -> list[OutgoingLine]:
    return [
        OutgoingLine(position, b"x" * (size - 1) + b"\n")
        for position, sizes in enumerate(sizes_of_records)
        for size in sizes
    ]


def numbers(packs: list[Outgoing]) -> list[tuple[int, int]]:
    """Position and number of lines of each pack."""
    return [(each.position, each.lines) for each in packs]


records = st.lists(st.lists(st.integers(2, 60), max_size=8), max_size=30)


@given(records, st.integers(20, 200))
def test_packs_hold_every_line_in_order_and_know_their_first_record(
    sizes: list[list[int]], room: int
) -> None:
    given_lines = lines(*sizes)
    packs = list(pack(given_lines, STREAM, room + KEY))
    assert b"".join(each.data for each in packs) == b"".join(line.data for line in given_lines)
    at = 0
    for each in packs:
        assert each.position == given_lines[at].position
        assert each.data == b"".join(line.data for line in given_lines[at : at + each.lines])
        assert len(each.data) <= room or each.lines == 1
        at += each.lines
    assert at == len(given_lines)
    for each, following in pairwise(packs):
        next_line = len(following.data.splitlines(keepends=True)[0])
        assert len(each.data) + next_line > room or len(each.data) >= FULL * room


def test_a_pack_that_is_nearly_full_ends_before_a_record_that_does_not_fit() -> None:
    assert numbers(list(pack(lines([90], [5, 10]), STREAM, 100 + KEY))) == [(0, 1), (1, 2)]
    assert numbers(list(pack(lines([89], [5, 10]), STREAM, 100 + KEY))) == [(0, 2), (1, 1)]


@given(st.lists(st.lists(st.integers(2, 3), min_size=1, max_size=3), min_size=40, max_size=80))
def test_a_small_record_is_in_one_pack(sizes: list[list[int]]) -> None:
    """So a retry from it sends no part of it twice. Each is at most a tenth of a pack."""
    packs = list(pack(lines(*sizes), STREAM, 90 + KEY))
    of_records = [[1] * len(each) for each in sizes]
    boundaries = {sum(map(len, of_records[:position])) for position in range(len(sizes) + 1)}
    at = 0
    for each in packs:
        at += each.lines
        assert at in boundaries


def test_a_record_that_would_leave_much_of_a_pack_empty_is_split() -> None:
    assert numbers(list(pack(lines([50], [30, 30, 30]), STREAM, 100 + KEY))) == [(0, 2), (1, 2)]


def test_a_record_of_several_packs_begins_each_of_them() -> None:
    assert numbers(list(pack(lines([5], [40] * 7, [5]), STREAM, 100 + KEY))) == [
        (0, 3),
        (1, 2),
        (1, 2),
        (1, 2),
    ]


def test_a_click_larger_than_a_pack_goes_alone() -> None:
    assert numbers(list(pack(lines([10], [500], [10]), STREAM, 100 + KEY))) == [(0, 1), (1, 1), (2, 1)]


def test_the_partition_key_counts() -> None:
    assert numbers(list(pack(lines([50, 50]), STREAM, 100 + KEY))) == [(0, 2)]
    assert numbers(list(pack(lines([50, 50]), STREAM, 99 + KEY))) == [(0, 1), (0, 1)]


@pytest.mark.parametrize("destination", [STREAM, DELIVERY_STREAM])
def test_the_largest_record_is_within_every_destinations_limits(
    destination: DataStream | DeliveryStream,
) -> None:
    most = ForwarderSettings(record_bytes=1_000_000).record_bytes
    packs = list(pack(lines([1_000] * 3_000), destination, most))
    assert all(len(each.data) + destination.key_bytes <= 1_000_000 for each in packs)
    assert len(packs) == (3 if destination is DELIVERY_STREAM else 4)
    limits = destination.limits.__class__(records=500, request_bytes=4_000, record_bytes=2_000)
    narrow = type("Narrow", (type(destination),), {"limits": limits})("arn:aws:any:::a/b", None)
    assert all(len(each.data) <= 2_000 for each in pack(lines([900] * 9), narrow, most))


def test_nothing_is_packed_to_nothing() -> None:
    assert list(pack([], STREAM, 25_000)) == []
