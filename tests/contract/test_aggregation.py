"""Aggregated records are taken apart; whatever is damaged is an ordinary record."""

import pytest

from contract.aggregation import MAGIC, user_records
from contract.click import Click, Unread, read
from tests.aggregated import aggregated, field, sealed, varint

KEY = b"\x08\x00"
DATA = field(3, b"{}")


def test_an_aggregated_record_has_its_user_records_in_order() -> None:
    assert user_records(aggregated([b'{"a":1}\n', b"", b"x" * 300])) == [b'{"a":1}\n', b"", b"x" * 300]
    assert user_records(sealed(b"")) == []


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{}",
        MAGIC,
        MAGIC + b"\0" * 16,
        aggregated([b"{}"])[:-1],
        aggregated([b"{}"]) + b"\n",
        b"\n" + aggregated([b"{}"]),
        aggregated([b"{}"]).replace(b"{}", b"[]"),
    ],
)
def test_a_record_that_is_cut_changed_or_short_is_not_aggregated(record: bytes) -> None:
    assert user_records(record) is None


@pytest.mark.parametrize(
    "message",
    [
        b"\x80",
        b"\x80" * 11 + b"\0",
        b"\x00\x00",
        b"\x1b\x1c",  # a group
        b"\x1f\x00",
        field(3, KEY),
        field(3, DATA),
        field(3, b"\x10\x00" + DATA),
        varint(3 << 3 | 2) + varint(2**62) + KEY,
        varint(3 << 3 | 2) + varint(2**63) + KEY,
        field(3, KEY + b"\x1a\x05{}"),
        b"\x09" + b"\0" * 7,
        b"\x0d" + b"\0" * 3,
    ],
)
def test_a_message_that_protobuf_does_not_read_is_not_aggregated(message: bytes) -> None:
    assert user_records(sealed(message)) is None


@pytest.mark.parametrize("kind", [b"\x20\x05", b"\x21" + b"\0" * 8, b"\x22\x01x", b"\x25" + b"\0" * 4])
def test_unknown_fields_are_skipped(kind: bytes) -> None:
    assert user_records(sealed(kind + field(3, kind + KEY + DATA + kind) + kind)) == [b"{}"]


def test_known_fields_of_another_type_are_skipped_and_the_last_data_hold() -> None:
    assert user_records(sealed(b"\x18\x07" + field(3, b"\x18\x07" + KEY + field(3, b"[]") + DATA))) == [b"{}"]


def test_an_aggregate_in_an_aggregate_is_an_ordinary_record() -> None:
    inner = aggregated([b'{"a":1}'])
    assert user_records(aggregated([inner])) == [inner]
    assert all(isinstance(unit, Unread) for unit in read(aggregated([inner])))


def test_user_records_are_read_as_records() -> None:
    assert read(aggregated([b'{"a":1}\n{"a":2}', b"", b"no json", b'[{"a":3}]\n'])) == [
        Click({"a": 1}, b'{"a":1}'),
        Click({"a": 2}, b'{"a":2}'),
        Unread(b"no json"),
        Click({"a": 3}, b'{"a":3}'),
    ]


def test_a_hundred_thousand_empty_user_records_are_read_and_hold_nothing() -> None:
    assert read(aggregated([b""] * 100_000)) == []
