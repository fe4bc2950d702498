"""Whatever a record holds, what an erasure leaves reads as the same clicks without the reader's."""

import json
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.aggregation import user_records
from contract.click import Click, Unread, read, read_line
from operations.erasure.cutting import Taken, Unit, cut_lines, cut_record
from operations.erasure.reader import ErasedReader
from tests.aggregated import aggregated
from tests.analytics_sql.contract import text_of
from tests.analytics_sql.record_forms import Forms

SOME = settings(max_examples=150)
HANAKO = ErasedReader("hanako")


def written(units: list[Unit]) -> list[tuple[bool, bytes]]:
    return [(isinstance(u, Click), u.json if isinstance(u, Click) else u.data) for u in units]


def units_in(content: bytes) -> list[Unit]:
    """As the lines of an object are read: none is an aggregated record."""
    return [unit for line in content.split(b"\n") if line for unit in read_line(line)]


def cut(content: bytes, reader: ErasedReader) -> tuple[bytes, Taken]:
    taken = Taken()
    return cut_lines(content, reader.has_clicked, taken, reader.may_be_in), taken


def cut_whole(record: bytes, reader: ErasedReader) -> tuple[bytes, Taken]:
    taken = Taken()
    left = cut_record(record, reader.has_clicked, taken, reader.may_be_in, user_id=reader.user_id.encode())
    return left, taken


def a_reader(units: list[Unit], chosen: int) -> ErasedReader:
    """One of whom some unit is, if any unit has an id that is Unicode."""
    ids = [text_of(unit.fields.get("user_id")) for unit in units if isinstance(unit, Click)]
    fit = [user for user in ids if user and user.encode("utf-8", "replace").decode() == user]
    return ErasedReader(fit[chosen % len(fit)]) if fit else HANAKO


@SOME
@given(seed=st.integers(0, 2**32), chosen=st.integers(0, 2**16))
def test_the_rest_of_any_lines_reads_as_before(seed: int, chosen: int) -> None:
    content = b"\n".join(Forms(seed).records(3))
    before = units_in(content)
    reader = a_reader(before, chosen)
    left, taken = cut(content, reader)
    kept = [unit for unit in before if not reader.has_clicked(unit)]
    assert written(units_in(left)) == written(kept)
    assert taken.units == len(before) - len(kept)
    assert cut(left, reader)[0] == left
    if taken.units == 0:
        assert left == content


@SOME
@given(seed=st.integers(0, 2**32), chosen=st.integers(0, 2**16))
def test_the_rest_of_any_record_reads_as_before(seed: int, chosen: int) -> None:
    for record in Forms(seed).records(3):
        before = read(record)
        reader = a_reader(before, chosen)
        left, taken = cut_whole(record, reader)
        kept = [unit for unit in before if not reader.has_clicked(unit)]
        assert written(read(left)) == written(kept)
        assert taken.units == len(before) - len(kept)
        if kept and taken.units:
            assert (user_records(left) is None) == (user_records(record) is None)


@SOME
@given(seed=st.integers(0, 2**32))
def test_a_reader_who_is_nowhere_changes_nothing(seed: int) -> None:
    for record in Forms(seed).records(3):
        assert cut_whole(record, ErasedReader("nobody has this id")) == (record, Taken())


@given(seed=st.integers(0, 2**32), chosen=st.integers(0, 2**16))
def test_every_line_that_loses_nothing_stays_byte_for_byte(seed: int, chosen: int) -> None:
    content = b"\n".join(Forms(seed).records(3))
    reader = a_reader(units_in(content), chosen)
    left, _ = cut(content, reader)
    untouched = [line for line in content.split(b"\n") if not any(map(reader.has_clicked, read_line(line)))]
    remaining = Counter(left.split(b"\n"))
    assert not Counter(untouched) - remaining - Counter([b""])


def click(user: str, number: int = 1) -> bytes:
    return json.dumps({"click_id": str(number), "user_id": user}, separators=(",", ":")).encode()


A, B, C = click("hanako"), click("taro", 2), click("jiro", 3)


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (A + b"\n", b""),
        (A + b"\n" + B + b"\n", B + b"\n"),
        (B + b"\n" + A, B + b"\n"),
        (b"\n" + A + b"\n\n" + B + b"\n\n", b"\n\n" + B + b"\n\n"),
        (A + B + A, B),
        (B + b" " + A + b"\t" + C + b"\r\n", B + b" \t" + C + b"\r\n"),
        (b"[" + A + b"," + B + b"]\n", b"[" + B + b"]\n"),
        (b"[ " + B + b" , " + A + b" , " + C + b" ]", b"[ " + B + b" , " + C + b" ]"),
        (b"[" + A + b", " + A + b" ," + B + b" , " + A + b"]", b"[" + B + b"]"),
        (b"[" + A + b"," + A + b"]" + B, B),
        (b"[]" + A + b"[ ]" + B, b"[][ ]" + B),
        (b"[" + B + b"]" + b"[" + A + b"]" + b"[" + C + b"]", b"[" + B + b"][" + C + b"]"),
        (b"\xef\xbb\xbf" + A + B, b"\xef\xbb\xbf" + B),
        (A + b"\xef\xbb\xbf" + B, b" \xef\xbb\xbf" + B),
        (B + b"rest of hanako, and more", B),
        (B + b"rest of hanako2", B + b"rest of hanako2"),
        (A + b"rest", b"rest"),
    ],
)
def test_a_click_goes_with_its_comma_and_its_line(content: bytes, left: bytes) -> None:
    assert cut(content, HANAKO)[0] == left


@pytest.mark.parametrize(
    ("user_id", "spelled"),
    [
        ("hanako", b'"hanako"'),
        ("hanako", b'"\\u0068anak\\u006F"'),
        ("hanako", b'"\xc1\xa8anako"'),  # overlong, which Jackson takes
        ("a/b", b'"a\\/b"'),
        ("記事", '"記事"'.encode()),
        ("記事", b'"\\u8a18\\u4e8b"'),
        ("😀", b'"\\ud83d\\ude00"'),
        ("😀", b'"\xed\xa0\xbd\xed\xb8\x80"'),
        ("7", b"7"),
        ("7", b'"7"'),
        ("1.50", b"1.50"),
        ("1.5", b"1.50"),
        ("1e2", b"1e2"),
        ("-1.0E-7", b"-1E-7"),
        ("Infinity", b"1e999"),
        ("-1e-07", b"-1E-7"),
        ("true", b"true"),
        ("-0", b"-0"),
        ('a"b', b'"a\\"b"'),
        ("a\tb", b'"a\tb"'),
        ("e\u0301", '"e\u0301"'.encode()),
    ],
)
def test_an_id_is_found_however_it_is_spelled(user_id: str, spelled: bytes) -> None:
    content = b'{"user_id":"x"}\n{"user_id":' + spelled + b"}\n"
    left, taken = cut(content, ErasedReader(user_id))
    assert (left, taken.units) == (b'{"user_id":"x"}\n', 1)


@pytest.mark.parametrize(
    ("user_id", "spelled"),
    [
        ("hanako", b'"Hanako"'),
        ("hanako", b'"hanako "'),
        ("hanako", b'["hanako"]'),
        ("hanako", b'"x","user":"hanako"'),
        ("hanako", b'"hanako","user_id":"x"'),
        ("\u00e9", '"e\u0301"'.encode()),
        ("7", b"70"),
        ("null", b"null"),
        ("%61", b'"a"'),
    ],
)
def test_another_id_stays(user_id: str, spelled: bytes) -> None:
    content = b'{"user_id":' + spelled + b"}\n"
    assert cut(content, ErasedReader(user_id)) == (content, Taken())


@pytest.mark.parametrize("rest", [b'{"user_id":"hanako"', b"hanako", b"[7,\\u0068anako", b"x=hanako&y"])
def test_an_unread_rest_goes_if_it_holds_the_id(rest: bytes) -> None:
    left, taken = cut(B + rest + b"\n" + C + b"\n", HANAKO)
    assert (left, taken.minutes) == (B + b"\n" + C + b"\n", {None: 1})


def test_clicks_taken_out_are_told_by_the_minute_in_which_they_happened() -> None:
    at = ["2026-01-31T09:15:00.000Z", "2026-01-31T09:15:59.999Z", "2026-01-31T09:16:00.000Z", "yesterday", 7]
    lines = [json.dumps({"user_id": "hanako", "clicked_at": each}).encode() for each in at]
    _, taken = cut(b"".join(lines) + b"\n" + lines[0] + b"\n" + lines[0], HANAKO)
    assert taken.minutes == {"2026-01-31T09:15:00.000Z": 4, "2026-01-31T09:16:00.000Z": 1, None: 2}
    assert sorted(line.times for line in taken.lines.values()) == [1, 2]


def test_an_aggregated_record_keeps_its_other_clicks_and_forgets_the_key() -> None:
    record = aggregated([A, B + A, A + b"\n" + A, C], key="hanako")
    left, taken = cut_whole(record, HANAKO)
    assert user_records(left) == [B, C]
    assert taken.units == 4
    assert b"hanako" not in left
    assert cut_whole(aggregated([A, A]), HANAKO)[0] == b""


def test_lines_do_not_become_an_aggregated_record_by_what_leaves() -> None:
    hidden = aggregated([b"x"])
    left, _ = cut_whole(A + b"\n" + hidden, HANAKO)
    assert user_records(left) is None
    assert written(read(left)) == written(
        [unit for unit in read(A + b"\n" + hidden) if isinstance(unit, Unread)]
    )


@pytest.mark.parametrize("seed", range(3))
def test_no_id_of_a_made_record_is_overlooked_at_first_sight(seed: int) -> None:
    rng = random.Random(seed)
    for record in Forms(seed).records(300):
        units = read(record)
        reader = a_reader(units, rng.randrange(99))
        if any(map(reader.has_clicked, units)) and user_records(record) is None:
            assert reader.may_be_in(record)
