"""A version of the segments is accepted or refused as a whole, with its lines."""

import csv
import hashlib
import io
import itertools
import json
import tracemalloc
import zlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract import segment_rows
from contract.count import SEGMENT_COLUMNS, SEGMENT_FILE_HEADER
from contract.segments import MAX_REASONS, RefusedSegments, Summary, validate
from tests.contract.segment_files import (
    FILE,
    FIRST,
    HEADER,
    MIB,
    RULES,
    VALUES,
    accepted,
    pack,
    reason,
    refused,
    row,
    rows,
)


def test_a_summary_says_what_the_file_holds_and_survives_json() -> None:
    content = HEADER + "\n" + row("u1", "x") + row("u2", "a") + row("u3", "x")
    summary = accepted(content)
    assert summary == Summary(
        users=3,
        plain_bytes=len(content),
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        values={FIRST: ("a", "x")} | dict.fromkeys(SEGMENT_COLUMNS[1:], ("v",)),
    )
    assert Summary.from_json(json.loads(json.dumps(summary.to_json()))) == summary


def test_what_is_passed_on_is_the_unpacked_file_byte_by_byte() -> None:
    content = b"\xef\xbb\xbf" + (HEADER + "\r\n\r\n" + "".join(rows(50_000))).encode()
    packed = pack(content)
    for data, gzipped, size in [(content, False, 3), (content, False, 70_001), (packed, True, 1_000)]:
        passed_on: list[bytes] = []
        chunks = (data[at : at + size] for at in range(0, len(data), size))
        summary = validate(chunks, RULES, gzipped=gzipped, plain=passed_on.append)
        assert b"".join(passed_on) == content
        assert summary.users == 50_000
        assert summary.plain_bytes == len(content)


@pytest.mark.parametrize(
    "content",
    [
        FILE.replace("\n", "\r\n"),
        FILE.replace("\n", "\r"),
        "\ufeff" + FILE,
        FILE.removesuffix("\n"),
        "\n\n" + FILE.replace("\n", "\n\n"),
        FILE.replace("u1", '"u1"').replace("user_id", '"user_id"'),
        FILE.replace("u1", '"u,""1"""'),
        FILE.replace("u1", 'u"1'),
        FILE.replace("u1", " u1 ").replace("u2", "u1"),
        FILE.replace("u1", "é").replace("u2", "e\u0301"),
        FILE.replace("u1", "u2\u200b"),
        FILE.replace("u1", "x" * 512),
        FILE.replace("v\n", "日" * 85 + "\n"),
        FILE.replace("v\n", "😀" * 64 + "\n"),
        "".join("note," + line for line in FILE.splitlines(keepends=True)),
        "".join(',"",' + line for line in FILE.splitlines(keepends=True)),
    ],
)
def test_what_the_application_reads_is_accepted(content: str) -> None:
    assert accepted(content).users == 2


def test_columns_may_stand_in_any_order() -> None:
    shuffled = [SEGMENT_COLUMNS[-1], "note", "user_id", *SEGMENT_COLUMNS[:-1], "note"]
    text = io.StringIO()
    table = csv.writer(text)
    table.writerows([shuffled, [f"of {name}" for name in shuffled]])
    assert accepted(text.getvalue()).values == {column: (f"of {column}",) for column in SEGMENT_COLUMNS}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "line 1: the file is empty"),
        ("\n\r\n\r", "line 1: the file is empty"),
        ("\ufeff", "line 1: the file is empty"),
        (HEADER, "line 1: no row follows the header"),
        (HEADER + "\n\n\n", "line 1: no row follows the header"),
        (FILE.replace("user_id", "User_ID"), "line 1: the header lacks the column user_id"),
        (FILE.replace(",", ";"), "line 1: the header lacks the column user_id"),
        (FILE.replace(",", "\t"), "line 1: field 1 holds the control character U+0009"),
        (FILE.replace(HEADER, HEADER + f",{FIRST}"), f"line 1: the header names the column {FIRST} twice"),
        ("\ufeff\ufeff" + FILE, "line 1: the header lacks the column user_id"),
        (FILE.split("\n", 1)[1], "line 1: the header lacks the column user_id"),
        (FILE.replace("u2", "u1"), "line 3: user_id stands in line 2 too"),
        (FILE.replace("u2", '"u1"'), "line 3: user_id stands in line 2 too"),
        (FILE.replace("u2", ""), "line 3: user_id is empty"),
        (FILE.replace("u2", '""'), "line 3: user_id is empty"),
        (FILE.replace("u2", "x" * 513), "line 3: user_id has 513 bytes of UTF-8, at most 512"),
        (FILE.replace("u2", "é" * 257), "line 3: user_id has 514 bytes of UTF-8, at most 512"),
        (HEADER + "\n" + row("u1", "日" * 86), f"line 2: {FIRST} has 258 bytes of UTF-8, at most 256"),
        (HEADER + "\n" + row("u1", ""), f"line 2: {FIRST} is empty"),
        (HEADER + "\n" + row("u1", "a\0b"), f"line 2: {FIRST} holds the control character U+0000 at its"),
        (HEADER + "\n" + row("u1", "\x85"), f"line 2: {FIRST} holds the line break U+0085"),
        (HEADER + "\n" + row("u1", "\u2028"), f"line 2: {FIRST} holds the line break U+2028"),
        (HEADER + "\n" + row("u1", "\ufffd"), f"line 2: {FIRST} is not UTF-8"),
        (FILE.replace("u2", "u2\x7f"), "line 3: user_id holds the control character U+007F"),
        (FILE + "u3,v\n", "line 4: 2 fields where the header has 4"),
        (FILE + f"u3,{VALUES},\n", "line 4: 5 fields where the header has 4"),
        (FILE + " \n", "line 4: 1 fields where the header has 4"),
        (FILE.replace("u2", '"u"2'), "line 3: a quoted field goes on after its end"),
        (FILE.replace("u2", '"u2'), "line 3: a quoted field has no end in this line"),
        (FILE + '"', "line 4: a quoted field has no end in this line"),
        (FILE + "x" * 16_001, "line 4: has more than 16,000 characters"),
        (FILE.encode() + b"\xff", "line 4: 1 fields where the header has 4"),
        (FILE.replace("u2", "u\xe9").encode("latin-1"), "line 3: user_id is not UTF-8"),
        (FILE.encode().replace(b"u2", b"\xed\xa0\x80"), "line 3: user_id is not UTF-8"),
        (FILE.encode("utf-16"), "the file is UTF-16; write it as UTF-8"),
        (FILE.encode("utf-16-be"), "line 1: field 1 holds the control character U+0000"),
        (FILE.encode("utf-32"), "the file is UTF-16; write it as UTF-8"),
        (pack(FILE.encode()), "the file is gzip; let its name end in .csv.gz"),
        (b"PK\x03\x04" + bytes(100), "the file is a ZIP archive or a spreadsheet"),
        (b"\0" * 4_000_000, "line 1: has more than 16,000 characters"),
        (b"\x1f", "line 1: field 1 holds the control character U+001F"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(content: str | bytes, expected: str) -> None:
    assert reason(content).startswith(expected)


def test_stray_quotes_that_swallow_lines_are_refused_with_the_lines_that_hold_them() -> None:
    content = HEADER + "\n" + row("u0") + row('"u1') + row("u2") + row('u3",')
    assert [r.line for r in refused(content).reasons] == [3, 5]


def test_a_row_over_two_lines_is_refused_though_it_has_enough_fields() -> None:
    assert refused(HEADER + "\n" + row("u0") + '"u1\n' + row('"').removeprefix("u")).number == 2


def test_a_line_end_that_a_block_cuts_in_two_is_one_line_end() -> None:
    content = (HEADER + "\n" + "".join(rows(60_000)) + row("")).replace("\n", "\r\n").encode()
    cut = content.index(b"\n", MIB + 1)
    (problem,) = refused([content[:cut], content[cut:]]).reasons
    assert problem.line == 60_002


def test_every_wrong_line_has_its_reason_in_order() -> None:
    content = HEADER + "\n" + row("u1") + row("") + row("u2") + "\n" + row("u1") + row("u3", "\t") + row("u2")
    reasons = refused(content).reasons
    assert [(r.line, r.text.split(" ", 2)[1]) for r in reasons] == [
        (3, "is"),
        (6, "stands"),
        (7, "holds"),
        (8, "stands"),
    ]


def test_the_first_hundred_reasons_are_kept_and_all_are_counted() -> None:
    refusal = refused(HEADER + "\n" + row("u", "") * 700 + row("u") * 5_000)
    assert refusal.number == 700 + 700 + 4_999
    assert len(refusal.reasons) == MAX_REASONS
    assert {r.line for r in refusal.reasons} == {*range(2, 53)}


def test_no_reason_quotes_a_user_id() -> None:
    secret = "reader-4711"
    bad = [secret, secret, secret + "\t", secret * 60, f'"{secret}', f"{secret},x", secret + "\ufffd"]
    refusal = refused(HEADER + "\n" + "".join(row(user) for user in bad))
    assert refusal.number == 6
    assert secret not in str(refusal.reasons)


def test_ids_of_one_memory_layout_are_not_taken_for_one_id() -> None:
    """Python hashes a text by its bytes in memory, where these two are the same."""
    assert accepted(FILE.replace("u1", "ab").replace("u2", "\u6261")).users == 2


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
def test_how_the_file_arrives_changes_nothing(size: int, line_end: str) -> None:
    content = ("\ufeff" + HEADER + "\n" + row("u1", "日本") + row("u2") + row("") + row("u1")).encode()
    content = content.replace(b"\n", line_end.encode())
    whole = refused(content)
    assert [r.line for r in whole.reasons] == [4, 5]
    chunks = [content[at : at + size] for at in range(0, len(content), size)]
    assert refused(chunks).reasons == whole.reasons
    assert refused(itertools.chain.from_iterable((chunk, b"") for chunk in chunks)).reasons == whole.reasons


def test_blocks_end_anywhere_without_a_row_being_lost_or_a_line_miscounted() -> None:
    content = HEADER + "\r\n" + "".join(rows(90_000)).replace("\n", "\r\n") + row("") + row("user-0000000")
    refusal = refused(content)
    assert [(r.line, r.text.split(" ")[1]) for r in refusal.reasons] == [(90_002, "is"), (90_003, "stands")]
    assert "line 2 " in refusal.reasons[1].text


def test_a_file_beyond_a_limit_is_refused_and_read_no_further() -> None:
    few = replace(RULES, max_users=10, max_plain_bytes=1_000)
    assert accepted(HEADER + "\n" + "".join(rows(10)), few).users == 10
    assert "more than 10 users" in reason(HEADER + "\n" + "".join(rows(11)), few)
    assert "more than 20 lines" in reason(HEADER + "\n" * 30 + "".join(rows(1)), few)
    assert "more than 1,000 bytes unpacked" in reason(itertools.repeat(FILE.encode()), few)


def test_a_column_of_ids_is_refused() -> None:
    many = "".join(row(f"u{number}", f"value-{number}") for number in range(1_001))
    assert f"{FIRST} has more than 1,000 different values" in reason(HEADER + "\n" + many)


def test_more_segments_than_a_task_can_hold_are_refused() -> None:
    values = itertools.product(range(257), range(256))
    many = "".join(row(f"u{i}", f"a{first}", f"b{second}") for i, (first, second) in enumerate(values))
    assert "more than 65,536 different segments" in reason(HEADER + "\n" + many)


def test_gzip_members_one_after_the_other_are_one_file() -> None:
    half = len(FILE) // 2
    members = [pack(part.encode()) for part in (FILE[:half], "", FILE[half:])]
    assert accepted(b"".join(members), gzipped=True) == accepted(FILE)
    assert accepted(b"".join(members) + bytes(1_000), gzipped=True) == accepted(FILE)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is cut off"),
        (FILE.encode(), "the file is not gzip"),
        (pack(FILE.encode())[:-1], "the file is cut off"),
        (pack(FILE.encode())[:5], "the file is cut off"),
        (pack(FILE.encode()) + pack(b"u3")[:-1], "the file is cut off"),
        (pack(FILE.encode()) + b"more", "the file has bytes after the end"),
        (pack(FILE.encode()) + b"\0more", "the file has bytes after the end"),
        (pack(FILE.encode())[:-8] + bytes(8), "the file is damaged"),
        (pack(pack(FILE.encode())), "the file is gzip; let its name end in .csv.gz"),
        (pack(b""), "line 1: the file is empty"),
        (pack(FILE.encode()) + pack(b"") * 1_001, "the file has more than 1,000 gzip members with nothing"),
    ],
)
def test_a_gzip_file_that_is_not_whole_is_refused(content: bytes, expected: str) -> None:
    assert expected in str(refused(content, gzipped=True))
    chunks = [content[at : at + 1] for at in range(len(content))]
    assert expected in str(refused(chunks, gzipped=True))


def test_a_decompression_bomb_is_refused_within_bounded_memory() -> None:
    line = pack(b"x," * 50 * MIB)
    lines = pack((HEADER + "\n").encode() + b"\n" * 50 * MIB)
    many = pack((HEADER + "\n" + row("u", "x" * 200) * 50_000).encode())
    tracemalloc.start()
    assert "more than 16,000 characters" in reason(line, gzipped=True)
    assert "more than 200,000 lines" in reason(lines, gzipped=True)
    assert "more than 1,048,576 bytes" in reason(many, replace(RULES, max_plain_bytes=MIB), gzipped=True)
    assert tracemalloc.get_traced_memory()[1] < 20 * MIB
    tracemalloc.stop()


def test_endless_gzip_members_with_nothing_in_them_end() -> None:
    rules = replace(RULES, max_plain_bytes=1_000)
    assert "members with nothing in them" in reason(itertools.repeat(pack(b"")), rules, gzipped=True)
    endless = itertools.chain([b"\x1f\x8b\x08\x08" + bytes(6)], itertools.repeat(b"a" * 1_000))
    assert "more bytes packed than" in reason(endless, rules, gzipped=True)


def test_a_file_of_many_gzip_members_is_not_copied_for_each_of_them() -> None:
    """The bytes that zlib is given and hands back: they were the square of the members in a chunk."""
    given = 0
    made = zlib.decompressobj

    class Counted:
        def __init__(self, wbits: int) -> None:
            self._made = made(wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal given
            given += len(data)
            return self._made.decompress(data, most)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._made, name)

    header = pack((HEADER + "\n").encode())
    content = header + b"".join(pack(row(f"u{number}").encode()) for number in range(5_000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zlib, "decompressobj", Counted)
        assert validate([content], RULES, gzipped=True).users == 5_000
    assert given < 200 * len(content)


def test_errors_of_the_reader_and_of_the_writer_are_not_called_refusals() -> None:
    def broken(_: bytes = b"") -> bytes:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        validate((broken() for _ in range(1)), RULES, gzipped=True)
    with pytest.raises(OSError, match="gone"):
        validate([FILE.encode()], RULES, gzipped=False, plain=broken)


@given(st.lists(st.tuples(st.text(max_size=6), *[st.text(max_size=4)] * len(SEGMENT_COLUMNS)), max_size=8))
@example([("\x85", *["a"] * len(SEGMENT_COLUMNS))])
def test_rows_are_counted_and_refused_one_by_one(table: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([SEGMENT_FILE_HEADER, *table])
    keys = [key for key, *_ in table]
    are_fine = all(_is_fine(field) for fields in table for field in fields)
    fine = bool(table) and len({*keys}) == len(keys) and are_fine
    try:
        content = text.getvalue().encode()
    except UnicodeEncodeError:
        return
    if fine:
        assert accepted(content).users == len(table)
    else:
        refused(content)


def _is_fine(field: str) -> bool:
    bad = {*map(chr, range(32)), *map(chr, range(127, 160)), "\u2028", "\u2029", "\ufffd"}
    return field != "" and not bad & {*field}


def test_a_field_is_read_alike_whether_its_block_is_clean_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [
        HEADER + "\n" + row(user, value)
        for user in ('"a,b"', 'a"b', '"a""b"', "日" * 170, "日" * 171, '""', "u")
        for value in ("x", '"x"', "", '"', "日" * 85, "日" * 86, '"a"b')
    ]
    fast = [outcome(content) for content in contents]
    monkeypatch.setattr(segment_rows.Rows, "_add_clean", lambda _self, _rows: False)
    assert [outcome(content) for content in contents] == fast


def outcome(content: str) -> Summary | str:
    try:
        return accepted(content)
    except RefusedSegments as refusal:
        return str(refusal.reasons)
