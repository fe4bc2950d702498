"""Which records have a click that the application can read."""

import pytest

from contract.click import clicks_in, in_a_reject, is_parseable, is_unicode


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
def test_the_nesting_limit_of_flinks_parser_holds_at_any_call_depth(level: str) -> None:
    def looked_at(record: bytes, calls: int) -> bool:
        return looked_at(record, calls - 1) if calls else is_parseable(record)

    end = "}" if level.startswith("{") else "]"
    for levels, parseable in ((1000, True), (1001, False), (100_000, False)):
        record = f'{{"n":{level * (levels - 1)}1{end * (levels - 1)}}}'.encode()
        assert looked_at(record, 0) is parseable, levels
        assert looked_at(record, 700) is parseable, levels


def test_content_after_the_first_value_may_be_nested_at_any_depth() -> None:
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


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"\ud83d", "\ud83d"),
        (rb"\ud83d\ude00", "\U0001f600"),
        (b"\xed\xa0\x80", "\ud800"),
        (b"\xed\xbf\xbf", "\udfff"),
        (b"\xed\x9f\xbf", "\ud7ff"),
        (b"\xed\xa0\xbd\xed\xb8\x80", "\U0001f600"),
        (rb"\ud83d" + b"\xed\xb8\x80", "\U0001f600"),
        (rb"\\" + b"\xed\xa0\x80", "\\\ud800"),
        (b"\xc0\xaf", "/"),
        (b"\xc1\xbf", "\x7f"),
        (b"\xc0\xa2", '"'),
        (b"\xe0\x9f\xbf", "\u07ff"),
        (b"\xf0\x8f\xbf\xbf", "\uffff\udfff"),
        (b"\xf4\x90\x80\x80", "\udc00\udc00"),
        (b"\xf7\xbf\xbf\xbf", "\udfbf\udfff"),
    ],
)
def test_what_utf_8_forbids_is_read_as_flinks_parser_reads_it(written: bytes, read: str) -> None:
    assert clicks_in(b'{"user_id": "' + written + b'"}') == [{"user_id": read}]


@pytest.mark.parametrize(
    "written", [b"\xed\xa0", b"\\\xed\xa0\x80", b"\x80", b"\xe0\xa0", b"\xf8\x88\x80\x80\x80"]
)
def test_what_flinks_parser_does_not_let_pass_is_unparseable(written: bytes) -> None:
    assert not is_parseable(b'{"user_id": "' + written + b'"}')


def test_the_halves_of_a_pair_are_one_character_in_utf_32_too() -> None:
    record = '{"user_id": "\ud83d\ude00\ud83d"}'.encode("utf-32-le", "surrogatepass")
    assert clicks_in(record) == [{"user_id": "\U0001f600\ud83d"}]


def test_half_a_surrogate_pair_is_not_unicode_and_shows_a_replacement() -> None:
    for text, shown in (("\ud83d", "\ufffd"), ("a\udc00\ud800", "a\ufffd\ufffd"), ("\udfff", "\ufffd")):
        assert not is_unicode(text)
        assert in_a_reject(text) == shown
    for text in ("", "?", "\U0001f600", "\ud7ff\ue000", "\ufffd"):
        assert is_unicode(text)
        assert in_a_reject(text) == text
