"""Which clicks are in a record, and what in it is unparseable."""

import pytest

from contract.click import Click, Unread, clicks_in, in_a_reject, is_unicode, read, unparseable_in
from tests.aggregated import aggregated

A, B = b'{"a":1}', b'{"b": 2}'
CLICK_A, CLICK_B = Click({"a": 1}, A), Click({"b": 2}, B)
BOM = b"\xef\xbb\xbf"


def is_parseable(line: bytes) -> bool:
    return bool(clicks_in(line)) and not unparseable_in(line)


@pytest.mark.parametrize(
    "between", [b"", b" ", b"\t", b"\r", b"\n", b"\r\n", b"\n\n \r\n", b"[]", b"\n" + BOM]
)
def test_clicks_are_read_one_after_another(between: bytes) -> None:
    assert read(A + between + B) == [CLICK_A, CLICK_B]
    assert read(BOM + A + between + B + b"\n") == [CLICK_A, CLICK_B]


@pytest.mark.parametrize("blank", [b"", b"\n", b"\r\n", b" \t\r\n\n", BOM, BOM + b" \n" + BOM, b"[]", b"[ ]"])
def test_a_blank_line_and_an_empty_array_are_nothing(blank: bytes) -> None:
    assert read(blank) == []


def test_the_elements_of_an_array_are_clicks() -> None:
    assert read(b"[" + A + b", " + B + b"]" + A) == [CLICK_A, Click({"b": 2}, B), CLICK_A]


@pytest.mark.parametrize("rest", [b"", b"\xff", "é".encode()])
def test_each_element_of_an_array_keeps_its_bytes(rest: bytes) -> None:
    name = '"é"'.encode() if rest != b"\xff" else b'"\xed\xa0\x80"'
    first, second = b'{ "a" : "[{]," ,' + name + b':{"n":[{}, 1]}}', b"{}"
    found = read(b"[ " + first + b"\t,\r" + second + b" ] " + rest)
    clicks = [unit for unit in found if isinstance(unit, Click)]
    assert [click.json for click in clicks] == [first, second]
    assert [read(click.json) for click in clicks] == [[click] for click in clicks]


@pytest.mark.parametrize(
    "rest",
    [
        *(
            b"no json",
            b'{"a": ',
            b"7",
            b'"text"',
            b"null",
            b"[1]",
            b"[" + A + b",1]",
            b"[" + A,
            b"[[]]",
            b"\xff",
        ),
        *(
            b"[" * 5_000,
            b",",
            b"}",
            b"\0",
            b"\x0b",
            b"\xc2\xa0",
            BOM,
            b'{"a":"\xff"}',
            b'{"a":"',
            b"{\0",
            b"NaN",
        ),
        *(
            b'{"a":NaN}',
            b'{"a":1,}',
            b"{'a':1}",
            b"//",
            b'{"a":01}',
            b'{"a":"\xed\xa0"}',
            b"\xfe\xff",
            b"\xff\xfe",
        ),
    ],
)
def test_what_is_no_click_is_unparseable_with_the_rest_of_its_line(rest: bytes) -> None:
    assert read(A + rest + B + b"\n" + B) == [CLICK_A, Unread(rest + B), CLICK_B]
    assert read(B + b"\n" + A + b" " + rest) == [CLICK_B, CLICK_A, Unread(rest)]
    assert read(rest.removeprefix(BOM) + b"\n" + A)[-1] == CLICK_A


def test_a_value_does_not_span_lines() -> None:
    assert read(b'{\n  "a": 1\n}\n') == [Unread(b"{"), Unread(b'"a": 1'), Unread(b"}")]
    assert read(b'{"a": "x\ny"}') == [Unread(b'{"a": "x'), Unread(b'y"}')]


def test_a_click_keeps_its_bytes_whatever_stands_beside_it() -> None:
    japanese = '{"記事": "日"}'.encode()
    overlong = b'{"a": "\xc0\xaf"}'
    assert read(japanese + overlong + A + b"\xff") == [
        Click({"記事": "日"}, japanese),
        Click({"a": "/"}, overlong),
        CLICK_A,
        Unread(b"\xff"),
    ]


def test_a_stream_a_raw_object_and_a_file_are_read_alike() -> None:
    records = [
        A + B,
        BOM + A + b"\r\n",
        b"no" + A + b"\n",
        b"[" + B + b"]",
        aggregated([A + b"\n", B + b"{"]),
    ]
    taken_apart = [*records[:-1], A + b"\n", B + b"{"]
    raw_object = b"".join(record + b"\n" for record in taken_apart)
    assert read(raw_object) == [unit for record in records for unit in read(record)]


def test_a_megabyte_of_small_values_is_read_once() -> None:
    for record, units in (
        (b"{}" * 2**19, 2**19),
        (b"\n" * 2**20, 0),
        (b"[]" * 2**19, 0),
        (b"x\n" * 2**19, 2**19),
    ):
        assert len(read(record)) == units


NUMBERS = ["{}", "-{}", "1.{}", "-0.{}", "1e{}", "1E+{}", "1e-{}", "{}.0", "{}e5"]


@pytest.mark.parametrize("form", NUMBERS)
def test_a_number_has_as_many_digits_as_flinks_parser_takes(form: str) -> None:
    others = sum(map(str.isdigit, form))
    for digits, parseable in ((1000, True), (1001, False), (5000, False)):
        number = form.format("1" * (digits - others))
        assert is_parseable(f'{{"n":{number}}}'.encode()) is parseable, (form, digits)


@pytest.mark.parametrize(
    ("character", "size"),
    [
        *((b"n", 1), ("日".encode(), 3), (rb"\u65e5", 3), (rb"\n", 1), (rb"\"", 1)),
        *((rb"\ud83d\ude00", 6), ("😀".encode(), 4), (b"\xc0\x80", 2), (b"\xed\xa0\xbd\xed\xb8\x80", 6)),
        (b"\xf0\x80\x80\x80", 4),
    ],
)
def test_a_name_has_as_many_bytes_as_flinks_parser_takes(character: bytes, size: int) -> None:
    """It encodes each half of an escaped pair by itself, and counts other bytes as they are written."""
    for number, parseable in ((50_000 // size, True), (50_000 // size + 1, False)):
        record = b'{"x":[{"' + character * number + b'" :"' + b"x" * 60_000 + b'"}]}'
        assert is_parseable(record) is parseable, (character, number)


@pytest.mark.parametrize("level", ['{"a":', "["])
def test_the_nesting_limit_of_flinks_parser_holds_at_any_call_depth(level: str) -> None:
    def looked_at(record: bytes, calls: int) -> bool:
        return looked_at(record, calls - 1) if calls else is_parseable(record)

    end = "}" if level.startswith("{") else "]"
    for levels, parseable in ((1000, True), (1001, False), (100_000, False)):
        record = f'{{"n":{level * (levels - 1)}1{end * (levels - 1)}}}'.encode()
        assert looked_at(record, 0) is parseable, levels
        assert looked_at(record, 700) is parseable, levels


def test_what_is_nested_too_deeply_does_not_harm_the_click_before_it() -> None:
    assert read(A + b"[" * 100_000) == [CLICK_A, Unread(b"[" * 100_000)]


@pytest.mark.parametrize("form", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_utf_16_and_utf_32_are_unparseable(form: str) -> None:
    assert clicks_in('{"user_id": "日😀"}'.encode(form)) == []
    assert unparseable_in('{"user_id": "日"}'.encode(form)) == 1


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


def test_half_a_surrogate_pair_is_not_unicode_and_shows_a_replacement() -> None:
    for text, shown in (("\ud83d", "\ufffd"), ("a\udc00\ud800", "a\ufffd\ufffd"), ("\udfff", "\ufffd")):
        assert not is_unicode(text)
        assert in_a_reject(text) == shown
    for text in ("", "?", "\U0001f600", "\ud7ff\ue000", "\ufffd"):
        assert is_unicode(text)
        assert in_a_reject(text) == text


LONG = b"x" * 5_000


@pytest.mark.parametrize(
    ("line", "is_read"),
    [
        (b'{"a":"' + LONG + b'","n":' + b"1" * 1_000 + b"}", True),
        (b'{"a":"' + LONG + b'","n":' + b"1" * 1_001 + b"}", False),
        (b'{"a":"' + LONG + b'\\"","n":' + b"1" * 1_001 + b"}", False),
        (b'{"a":"' + LONG + b'","n":' + b"[" * 999 + b"]" * 999 + b"}", True),
        (b'{"a":"' + LONG + b'","n":' + b"[" * 1_000 + b"]" * 1_000 + b"}", False),
        (b'{"' + LONG * 10 + b'":1}', True),
        (b'{"' + LONG * 10 + b'x":1}', False),
        (b'{"' + "é".encode() * 25_001 + b'":1}', False),
        (b'{"a":"' + LONG + b'"', False),
    ],
)
def test_the_limits_of_flinks_parser_hold_in_a_long_click_too(line: bytes, is_read: bool) -> None:
    assert bool(clicks_in(line)) is is_read
    (unit,) = read(line)
    assert (unit.json if isinstance(unit, Click) else unit.data) == line
