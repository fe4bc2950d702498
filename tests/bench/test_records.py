"""The records on which the decoder is measured."""

import struct
from pathlib import Path

import pytest

from bench.records import (
    EMPTY_USER_RECORDS,
    RECORD_BYTES,
    Form,
    aggregated,
    glued,
    lines,
    packed,
    worst_records,
    write_framed,
)
from contract.aggregation import user_records
from contract.click import Click, clicks_in, read
from tests.aggregated import aggregated as by_the_format

CLICKS = [b'{"click_id":"%d"}' % number for number in range(205)]


@pytest.mark.parametrize("form", [lines, glued, aggregated])
def test_every_form_holds_the_same_clicks(form: Form) -> None:
    records = list(packed((click + b"\n" for click in CLICKS), 100, form))
    assert [len(clicks_in(record)) for record in records] == [100, 100, 5]
    written = [unit.json for record in records for unit in read(record) if isinstance(unit, Click)]
    assert written == CLICKS


def test_an_aggregated_record_is_one_of_the_published_format() -> None:
    assert aggregated([b"", b"x" * 300]) == by_the_format([b"", b"x" * 300])


def test_a_file_has_each_record_after_its_length(tmp_path: Path) -> None:
    write_framed(tmp_path / "file", [b"a\nb", b""])
    assert (tmp_path / "file").read_bytes() == struct.pack(">i", 3) + b"a\nb" + struct.pack(">i", 0)


def test_the_worst_records_are_as_large_as_kinesis_takes_them() -> None:
    found = worst_records()
    empty = found.pop("aggregated, empty user records")
    assert user_records(empty) == [b""] * EMPTY_USER_RECORDS
    assert all(0.99 * RECORD_BYTES < len(record) <= RECORD_BYTES for record in found.values()), {
        name: len(record) for name, record in found.items()
    }
    units = {name: len(read(record)) for name, record in found.items()}
    assert units["`{}`"] == units["`x` and a newline"] == RECORD_BYTES // 2
    assert units["the same with a number at its end"] == units["`[`"] == 1
    assert units["newlines"] == 0
