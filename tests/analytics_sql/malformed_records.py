"""Records that a click stream should not have but one day will: known ones, and generated ones."""

import json
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.aggregated import field, sealed

GOOD: dict[str, Any] = {
    "click_id": "c-1",
    "clicked_at": "2026-01-31T12:00:00.000Z",
    "user_id": "reader",
    "article_id": "poison",
}

TIMES = [
    "2099-01-01T00:00:00.000Z",
    "1970-01-01T00:00:00.000Z",
    "0000-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
    "2016-12-31T23:59:60.000Z",
    "2026-02-29T00:00:00.000Z",
    "2026-02-30T00:00:00.000Z",
    "2026-04-31T00:00:00.000Z",
    "2026-01-31T24:00:00.000Z",
    "2026-13-01T00:00:00.000Z",
    "2026-01-31T12:00:00.000+09:00",
    "2026-01-31T12:00:00Z",
    "2026-01-31 12:00:00.000Z",
    "2026-01-31T12:00:00.000",
    "2026-01-31T12:00:00.000z",
    "2026-01-31T12:00:00.000000Z",
    "20260131T120000Z",
    "",
    " ",
    "now",
    "\u0662026-01-31T12:00:00.000Z",
    "1969-12-31T23:59:59.999Z",
    "2024-02-29T23:59:59.999Z",
]

VALUES: list[Any] = [
    None,
    "",
    " ",
    0,
    -1,
    7,
    1.5,
    True,
    False,
    {},
    [],
    {"a": 1},
    ["x"],
    [[1]],
    [{}],
    "{",
    "[",
    "[page]",
    "{page}",
    "{}",
    '{"a":1}',
    "[1]",
    '"',
    "\\",
    "'",
    "\u0000",
    "\ufeff",
    "\ud800",
    "\udc00",
    "?",
    "\udc00\ud800",
    "x" * 600 + "\ud83d",
    "\ud7ff\ue000",
    "\u00e9" * 256,
    "\u00e9" * 257,
    "日" * 170,
    "日" * 171,
    "x" * 512,
    "x" * 513,
    "😀" * 128,
    "😀" * 129,
    "日" * 334,
]


def as_record(click: Any) -> bytes:
    return json.dumps(click).encode()


def _known() -> list[bytes]:
    good = as_record(GOOD)
    changed = [{**GOOD, field: value} for field in (*GOOD, "platform", "position") for value in VALUES]
    changed += [{**GOOD, "clicked_at": time} for time in TIMES]
    changed += [{name: GOOD[name] for name in GOOD if name != missing} for missing in GOOD]
    changed += [{**GOOD, "position": 3, "platform": "ios", "unknown": {"deep": [1]}}, {}]
    huge = "x" * 1_000_000
    changed += [{**GOOD, "note": huge}, {**GOOD, "user_id": huge}, {**GOOD, "position": [huge]}]
    raw = [
        *(good[:end] for end in range(1, len(good), 7)),
        b"null",
        b"true",
        b"7",
        b'"text"',
        b"[]",
        b"[1,2]",
        b"{}",
        b"[[]]",
        b"not json",
        b"\x00",
        b"\xff\xfe",
        b",",
        b"]",
        b"\xef\xbb\xbf" + good,
        good + good,
        good + b" trailing",
        good + b"}",
        b"  " + good + b"  ",
        good + b"\r",
        b"\r",
        b"",
        b"   ",
        b"\t",
        *(good.decode().encode(form) for form in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")),
        good.replace(b"reader", b"rea\xffder"),
        good.replace(b"reader", b"rea\x00der"),
        good.replace(b"reader", b"\xed\xa0\x80"),
        *(
            good.replace(b"reader", let_pass)
            for let_pass in (
                b"\xc0\x80",
                b"\xe0\x9f\xbf",
                b"\xed\xbf\xbf",
                b"\xed\xa0\xbd\xed\xb8\x80",
                b"\xf0\x80\x80\x80",
                b"\xf4\x90\x80\x80",
                b"\xf7\xbf\xbf\xbf",
                b"\\\\\xed\xa0\x80",
                b"\\\xed\xa0\x80",
                b"\\ud83d\xed\xb8\x80",
            )
        ),
        b"[" + good + b"," + good + b"]",
        b" \t".join([good] * 3) + b"\r" + good + b"[]",
        b"[" + good + b"] " + good + b"[" + good + b"," + good + b"]no json" + good,
        good * 2 + b"\xef\xbb\xbf" + good,
        sealed(field(3, b"\x08\x00" + field(3, good * 2))),  # in a file it is a line
        good + b"\x00" + good,
        good + b"\x0b" + good,
        b"\xef\xbb\xbf \r",
        b"\x0b",
        good * (900_000 // len(good)),
        good * (900_000 // len(good)) + b"no json" * 1_000,
        good + b"\xed\xa0\x80\xf0\x9f\x98" + "日".encode() + b"\xff\xc0",
        b"[" + good + b",3," + good + b"]",
        b"[3," + good + b"]",
        b"[" + good,
        good[:-1] + b',"user_id":"again"}',
        good[:-1] + b',"user_id":{}}',
        b'{"user_id":"first",' + good[1:],
        good[:-1] + b',"click_id":"2","article_id":"poison-again","user_id":"again"}',
        good[:-1] + b',"n":' + b"[" * 400 + b"]" * 400 + b"}",
        *(good[:-1] + b',"n":' + b"[" * deep + b"]" * deep + b"}" for deep in (999, 1000, 5000)),
        *(good[:-1] + b',"n":' + b'{"n":' * deep + b"1" + b"}" * deep + b"}" for deep in (999, 1000)),
        good + b"[" * 5000,
        good[:-1] + b',"n":NaN}',
        good[:-1] + b',"n":Infinity}',
        good[:-1] + b',"n":1e999999}',
        good[:-1] + b',"n":01}',
        *(good[:-1] + b',"n":' + b"9" * digits + b"}" for digits in (900, 1000, 1001, 5000)),
        *(good[:-1] + b',"n":1.' + b"9" * digits + b"}" for digits in (999, 1000)),
        *(good[:-1] + b',"n":1e' + b"9" * digits + b"}" for digits in (999, 1000)),
        *(good[:-1] + b',"' + b"n" * size + b'":1}' for size in (50_000, 50_001)),
        *(good[:-1] + b',"' + "日".encode() * size + b'":1}' for size in (16_666, 16_667)),
        *(good[:-1] + b',"' + rb"\ud83d\ude00" * size + b'":1}' for size in (8_333, 8_334)),
        *(good[:-1] + b',"' + b"\xc0\x80" * size + b'":1}' for size in (25_000, 25_001)),
        *(good[:-1] + b',"' + b"\xf0\x80\x80\x80" * size + b'":1}' for size in (12_500, 12_501)),
        good[:-1] + b",}",
        good.replace(b'"', b"'"),
        good + b"// comment",
        b'{"click_id":{"a":',
        b'{"user_id":[1,2',
        b'{"click_id":{"a":1e400},"user_id":"u"}',
    ]
    return [as_record(click) for click in changed] + raw


KNOWN = _known()

_scalars = (
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8) | st.sampled_from(VALUES)
)
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
_clicks = st.fixed_dictionaries(
    {},
    optional={
        "click_id": st.just("c") | _json,
        "user_id": st.just("reader") | _json,
        "article_id": st.just("poison") | _json,
        "clicked_at": st.just(GOOD["clicked_at"]) | st.sampled_from(TIMES) | _json,
        "platform": _json,
        "position": _json,
        "else": _json,
    },
)


@st.composite
def _broken(draw: st.DrawFn) -> bytes:
    """A record with a few bytes cut out or put in."""
    record = bytearray(as_record(draw(_clicks)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(record)))
        record[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=3))
    return bytes(record)


_records = (_clicks.map(as_record) | _broken() | _json.map(as_record)).filter(
    lambda record: b"\n" not in record
)


def generated(number: int) -> list[bytes]:
    """About `number` records that hypothesis generates, different ones each time."""
    made: list[bytes] = []

    @settings(max_examples=number, database=None, deadline=None, phases=[Phase.generate])
    @given(_records)
    def collect(record: bytes) -> None:
        made.append(record)

    collect()
    return made
