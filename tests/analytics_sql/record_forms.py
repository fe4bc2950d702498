"""Records of every form of contract/click.py: as producers should write them, as they should not, damaged."""

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.aggregated import field, sealed, varint

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NAMES = ["click_id", "clicked_at", "user_id", "article_id", "platform", "position"]
_OTHER_NAMES = ["unparseable", "click_i", "click_idd", "", "日", " user_id", "x" * 70]
_TEXTS = [
    *("", " ", "7", "null", "{}", "[1]", '{"a":1}', "2026-01-31T12:00:00.000Z", "0123456789abcdef" * 2),
    *("日本語の利用者", "é", "😀", "seven b", "eight by", 'quo"te', "\\", "\n", "\t", "\0", "\x7f", "\ufeff"),
    *("\ud83d", "\ude00\ud83d", "x" * 600),
]
_WRITTEN = [
    *("0", "-7", "-0", "01", "1.5", "1e2", "999999999999999999", "9223372036854775808", "1e999999", "-1E-7"),
    *(
        "true",
        "false",
        "null",
        "tru",
        "nullx",
        "NaN",
        "Infinity",
        "{}",
        "[]",
        '[[{"a":null}]]',
        '{"a":{"b":1}}',
    ),
    *('["x"', "'x'", "", "1 2", '"\\ud83d\\ude00"', '"\\u0061"', '"a\tb"', '"\\x"', "9" * 1001),
]
_BETWEEN = [b"", b"", b"", b" ", b"\t", b"\r", b" \r", b"  "]
_NO_CLICKS = [
    *(
        b"7",
        b"null",
        b'"text"',
        b"rest",
        b"[",
        b"[1]",
        b"{",
        b"}",
        b",",
        b"\0",
        b"{\0",
        b"[\0",
        b"\x0b",
        b"\xc2\xa0",
    ),
    *(b"//", BYTE_ORDER_MARK, b"\xff", b"\xe3\x81", b"[]", b"[ ]", b"[[]]", b"{}", b"{ }", b"[" * 1_200),
]
_PARTS = [
    *(
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\0",
        b"\n",
        b"\r",
        b"/",
        b"\xff",
        b"\x80",
        b"\xc0\xaf",
    ),
    *(
        "é".encode(),
        "日".encode(),
        "😀".encode(),
        b"\xed\xa0\x80",
        b"\xed\xb8\x80",
        BYTE_ORDER_MARK,
        b"\xf0\x80\x80\x80",
    ),
]
_CLICKS_OF_A_POOL = 400
_RECORDS_OF_A_POOL = 4_000


class Forms:
    """Makes records, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._clicks: list[bytes] = []

    def records(self, number: int) -> Iterator[bytes]:
        """None of them is empty."""
        for made in range(number):
            if made % _RECORDS_OF_A_POOL == 0:
                self._clicks = [self._click() for _ in range(_CLICKS_OF_A_POOL)]
            record = self._record()
            while self._random.random() < 0.2:
                record = self._damaged(record)
            yield record or b"\n"

    def _record(self) -> bytes:
        form = self._random.random()
        if form < 0.4:
            return self._random.choice(self._clicks) + self._random.choice([b"\n", b"", b"\r\n"])
        if form < 0.8:
            return self._lines()
        if form < 0.97:
            return self._aggregated()
        text = self._random.choice(self._clicks).decode("utf-8", "replace")
        return text.encode(self._random.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]))

    def _lines(self) -> bytes:
        lines = [self._line() for _ in range(self._random.choice([1, 1, 1, 2, 3, 8]))]
        return b"\n".join(lines) + self._random.choice([b"", b"\n"])

    def _line(self) -> bytes:
        line = BYTE_ORDER_MARK if self._random.random() < 0.1 else b""
        for _ in range(self._random.choice([0, 1, 2, 3, 5])):
            line += self._value() + self._random.choice(_BETWEEN)
        return line

    def _value(self) -> bytes:
        form = self._random.random()
        if form < 0.85:
            return self._random.choice(self._clicks)
        if form < 0.95:
            elements = self._random.choices(self._clicks, k=self._random.randrange(4))
            if self._random.random() < 0.2:
                elements.append(self._random.choice(_NO_CLICKS))
            return b"[" + self._random.choice([b",", b" , "]).join(elements) + b"]"
        return self._random.choice(_NO_CLICKS)

    def _aggregated(self) -> bytes:
        message = field(1, b"key") if self._random.random() < 0.8 else b""
        for _ in range(self._random.choice([0, 1, 2, 5])):
            data = self._lines() if self._random.random() < 0.95 else self._aggregated()
            message += field(3, self._user_record(data))
        if self._random.random() < 0.15:
            message = self._damaged(message)
        return sealed(message)

    def _user_record(self, data: bytes) -> bytes:
        fields = [b"\x08" + varint(self._random.choice([0, 1, 300])), field(3, data)]
        if self._random.random() < 0.05:
            extra = (
                b"\x18\x07",
                field(4, b"tag"),
                b"\x21" + b"\0" * 8,
                b"\x25" + b"\0" * 4,
                b"\x23",
                b"\x9a" * 12,
            )
            fields.insert(self._random.randrange(3), self._random.choice(extra))
        if self._random.random() < 0.02:
            fields.pop(self._random.randrange(len(fields)))
        return b"".join(fields)

    def _click(self) -> bytes:
        separators = self._random.choice([(",", ":"), (", ", ": ")])
        if self._random.random() < 0.5:
            click: dict[str, Any] = {name: f"{name}-{self._random.randrange(10**6)}" for name in _NAMES}
            return json.dumps(click, separators=separators).encode()
        names = self._random.choices([*_NAMES * 4, *_OTHER_NAMES], k=self._random.randrange(8))
        fields = separators[0].join(json.dumps(name) + separators[1] + self._field() for name in names)
        click_bytes = f"{{{fields}}}".encode("utf-8", "surrogatepass")
        if self._random.random() < 0.02:  # Jackson could take it for another name that it remembers
            click_bytes = click_bytes.replace(b'"user_id"', b'"user\xff_id"')
        return self._damaged(click_bytes) if self._random.random() < 0.1 else click_bytes

    def _field(self) -> str:
        if self._random.random() < 0.3:
            return self._random.choice(_WRITTEN)
        return json.dumps(self._random.choice(_TEXTS), ensure_ascii=self._random.random() < 0.3)

    def _damaged(self, record: bytes) -> bytes:
        start = self._random.randrange(len(record) + 1)
        end = len(record) if self._random.random() < 0.1 else start + self._random.randrange(4)
        form = self._random.random()
        part = (
            self._random.choice(_PARTS)
            if form < 0.5
            else self._random.randbytes(self._random.randrange(1, 3))
            if form < 0.7
            else b""
        )
        return record[:start] + part + record[end:]
