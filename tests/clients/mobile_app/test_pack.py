"""Clicks joined to records, for clicks of any size and any size of a record."""

from hypothesis import example, given
from hypothesis import strategies as st

from clients.mobile_app.click import click_line
from clients.mobile_app.click_queue import Waiting
from clients.mobile_app.pack import MAX_BYTES_PER_RECORD, MAX_PACK_BYTES, packed, size_of
from contract.click import clicks_in
from tests.clients.mobile_app.test_click import AT, ids

MAX_KEY = "\U00020000" * 256

clicks = st.lists(st.binary(max_size=30), max_size=30).map(
    lambda lines: [Waiting(number, line, f"key-{number}") for number, line in enumerate(lines)]
)


def lines_of(sizes: list[int]) -> list[Waiting]:
    return [Waiting(number, b"x" * (size - 1) + b"\n", "key") for number, size in enumerate(sizes)]


@given(entries=clicks, pack_bytes=st.integers(0, 60))
@example(entries=lines_of([10, 10, 10]), pack_bytes=20)
def test_the_packs_hold_the_clicks_in_their_order_within_the_size(
    entries: list[Waiting], pack_bytes: int
) -> None:
    packs = packed(entries, pack_bytes)
    assert [entry for pack in packs for entry in pack.entries] == entries
    for pack in packs:
        assert pack.data == b"".join(entry.data for entry in pack.entries)
        assert pack.partition_key == pack.entries[0].partition_key
        assert len(pack.entries) == 1 or len(pack.data) <= pack_bytes
        assert len(pack.entries) == 1 or all(entry.data.endswith(b"\n") for entry in pack.entries)


def test_a_click_goes_into_the_record_before_it_while_there_is_room() -> None:
    packs = packed(lines_of([10, 10, 10, 100, 10, 10, 20]), 30)
    assert [[len(entry.data) for entry in pack.entries] for pack in packs] == [
        [10, 10, 10],
        [100],
        [10, 10],
        [20],
    ]


def test_without_room_for_more_each_click_is_a_record() -> None:
    assert [len(pack.entries) for pack in packed(lines_of([10] * 5), 0)] == [1] * 5


def test_the_largest_pack_with_the_longest_key_is_one_that_a_stream_takes() -> None:
    entries = [Waiting(number, b"x" * 99 + b"\n", MAX_KEY) for number in range(20_000)]
    first, _ = packed(entries, MAX_PACK_BYTES)
    assert len(first.data) == MAX_PACK_BYTES
    assert size_of(first) <= MAX_BYTES_PER_RECORD


@given(user_ids=st.lists(ids, min_size=1, max_size=8), pack_bytes=st.integers(0, 1000))
def test_the_contract_reads_every_click_of_a_pack(user_ids: list[str], pack_bytes: int) -> None:
    lines = [
        click_line(click_id="c", clicked_at=AT, user_id=user_id, article_id="a\r\n\0") for user_id in user_ids
    ]
    packs = packed([Waiting(0, line, "key") for line in lines], pack_bytes)
    assert [click["user_id"] for pack in packs for click in clicks_in(pack.data)] == user_ids
