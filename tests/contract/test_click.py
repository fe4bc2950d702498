"""Which records hold a click that the application can read."""

import pytest

from contract.click import is_parseable


@pytest.mark.parametrize(
    "line", [b"{}", b' {"a": 1}\r', b'\xef\xbb\xbf{"a": 1}', b'{"a": 1} and more', b'[1, {"a": 1}]']
)
def test_a_line_that_begins_with_an_object_is_read(line: bytes) -> None:
    assert is_parseable(line)


@pytest.mark.parametrize(
    "line", [b"no json", b'{"a": ', b"7", b'"text"', b"null", b"[]", b"[1]", b"\xff{}", b"[" * 5_000]
)
def test_a_line_without_an_object_is_unparseable(line: bytes) -> None:
    assert not is_parseable(line)
