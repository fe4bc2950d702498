"""Which records hold a click that the application can read."""

import pytest

from contract.click import clicks_in, is_parseable


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


NUMBERS = ["{}", "-{}", "1.{}", "-0.{}", "1e{}", "1E+{}", "1e-{}", "{}.0", "{}e5"]


@pytest.mark.parametrize("form", NUMBERS)
def test_a_number_has_as_many_digits_as_flinks_parser_takes(form: str) -> None:
    others = sum(map(str.isdigit, form))
    for digits, parseable in ((1000, True), (1001, False), (5000, False)):
        number = form.format("1" * (digits - others))
        assert is_parseable(f'{{"n":{number}}}'.encode()) is parseable, (form, digits)


@pytest.mark.parametrize("character", ["n", "日", "\\u65e5"])
def test_a_name_has_as_many_bytes_as_flinks_parser_takes(character: str) -> None:
    size = 1 if character == "n" else 3
    for number, parseable in ((50_000 // size, True), (50_000 // size + 1, False)):
        name = character * number
        assert is_parseable(f'{{"x":[{{"{name}":1}}]}}'.encode()) is parseable, (character, number)


@pytest.mark.parametrize("level", ['{"a":', "["])
def test_a_record_is_nested_as_deep_as_flinks_parser_takes_wherever_it_is_looked_at(level: str) -> None:
    def looked_at(record: bytes, calls: int) -> bool:
        return looked_at(record, calls - 1) if calls else is_parseable(record)

    end = "}" if level.startswith("{") else "]"
    for levels, parseable in ((1000, True), (1001, False), (100_000, False)):
        record = f'{{"n":{level * (levels - 1)}1{end * (levels - 1)}}}'.encode()
        assert looked_at(record, 0) is parseable, levels
        assert looked_at(record, 700) is parseable, levels


def test_what_follows_the_first_value_may_be_nested_as_deep_as_it_likes() -> None:
    assert is_parseable(b'{"a":1}' + b"[" * 100_000)


@pytest.mark.parametrize("form", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_utf_16_and_utf_32_are_read_as_flinks_parser_reads_them(form: str) -> None:
    assert clicks_in('[{"user_id": "日😀"}]'.encode(form)) == [{"user_id": "日😀"}]
    assert not is_parseable("7".encode(form))


@pytest.mark.parametrize("form", ["utf-32-le", "utf-32-be"])
def test_utf_32_beyond_unicode_or_cut_in_a_character_is_unparseable(form: str) -> None:
    record = '{"a": 1}'.encode(form)
    assert not is_parseable(record.replace("a".encode(form), b"\x7f\x7f\x7f\x7f"))
    assert not is_parseable(record[:-1])
