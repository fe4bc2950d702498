"""What the files transport does to a record on its way."""

import json

import pytest

from twin.transport import as_line, put_batches


@pytest.mark.parametrize(
    "record", [b'{"a": 1}\n', b'{"a":\n 1}\n', b'{"a": 1}', b'{"a":\r\n1}\r\n', b'{"a": "\\n"}']
)
def test_a_record_becomes_one_line_that_means_the_same(record: bytes) -> None:
    line = as_line(record)
    assert line.count(b"\n") == 1
    assert json.loads(line) == json.loads(record)


def test_a_put_holds_at_most_500_records_and_4_mebibytes() -> None:
    lines = [b"x" * 100] * 1200
    assert [len(batch) for batch in put_batches(lines)] == [500, 500, 200]
    large = [b"x" * 1_000_000] * 10
    assert [len(batch) for batch in put_batches(large)] == [4, 4, 2]
