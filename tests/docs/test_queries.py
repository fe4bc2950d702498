"""The page of queries is true: its examples run, and SQL differs from the contract where it says so.

DuckDB stands for Athena: the examples use only what both have. Rows are made as Trino, on which Athena is
built, makes them (TextLineReader.java: a line ends at a newline, a carriage return, or both).
"""

import re
from collections.abc import Mapping
from typing import Any

import duckdb
import pytest

from contract.click import read_line
from stacks.queries.tables import HOUR, LINE
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "start" / "queries.md").read_text(encoding="utf-8")
RECEIVED, REJECTED, OBJECTS = re.findall(r"^```sql\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NINE, TEN, ELEVEN = "2026/01/31/09", "2026/01/31/10", "2026/01/31/11"

Objects = Mapping[str, bytes]
"""Key below the table's prefix -> content."""


def answer(sql: str, *, raw: Objects | None = None, rejected: Objects | None = None) -> list[Any]:
    connection = duckdb.connect()
    for table, objects in (("raw", raw or {}), ("rejected", rejected or {})):
        connection.execute(f'CREATE TABLE {table} ({LINE} VARCHAR, {HOUR} VARCHAR, "$path" VARCHAR)')
        for row in rows(table, objects):
            connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", row)
    found: list[Any] = connection.execute(sql).fetchall()
    return found


def rows(table: str, objects: Objects) -> list[tuple[str, str, str]]:
    found = []
    for key, content in objects.items():
        lines = re.split(rb"\r\n|\r|\n", content)
        if not lines[-1]:
            lines.pop()
        for line in lines:
            found.append((line.decode("utf-8", "replace"), key.rpartition("/")[0], f"s3://{table}/{key}"))
    return found


def click(number: int, minute: int = 0) -> bytes:
    return b'{"click_id":"f3a1c%d","clicked_at":"2026-01-31T09:%02d:00.000Z","article_id":"a"}' % (
        number,
        minute,
    )


def test_the_first_example_counts_packed_clicks_by_their_minute() -> None:
    packed = click(1) + click(2, 1) + b"\n\n[" + click(3) + b"," + click(4) + b"]\n"
    raw = {f"{NINE}/a": packed, f"{TEN}/b": click(5, 1) + b"\n", f"{ELEVEN}/c": click(6) + b"\n"}
    assert answer(RECEIVED, raw=raw) == [("2026-01-31T09:00", 3), ("2026-01-31T09:01", 2)]


def test_the_second_example_counts_rejects_by_reason() -> None:
    reject = b'{"click_id":"%d","user_id":"\\"reason\\":\\"x\\"","reason":"too_old"}\n\n'
    unread = b'{"click_id":null,"unparseable":"{","reason":"unparseable"}\n'
    rejected = {f"{NINE}/a": reject % 1 + reject % 2 + unread, f"{ELEVEN}/b": reject % 3}
    assert answer(REJECTED, rejected=rejected) == [(NINE, "too_old", 2), (NINE, "unparseable", 1)]


def test_the_third_example_finds_the_objects_of_a_click() -> None:
    raw = {f"{NINE}/a": click(1) + b"\n", f"{NINE}/b": click(2) + b"\n" + click(2), f"{TEN}/c": click(2)}
    assert answer(OBJECTS, raw=raw) == [(f"s3://raw/{NINE}/b",), (f"s3://raw/{TEN}/c",)]


ONE = click(1)
TIME = b'"clicked_at":"2026-01-31T09:00:00.000Z"'
DIFFERENCES: Mapping[str, bytes] = {
    "an empty line, which every packed record leaves": b"\n",
    "two clicks glued together, or in an array": click(1) + click(2) + b"\n",
    "a carriage return between two fields": ONE.replace(b",", b",\r", 1) + b"\n",
    "a click without `clicked_at`": ONE.replace(TIME + b",", b"") + b"\n",
    "`clicked_at` written with an escape": ONE.replace(b"clicked_at", b"clicked\\u005fat") + b"\n",
    "`clicked_at` twice in a click": ONE.replace(TIME, TIME + b"," + TIME) + b"\n",
    "`clicked_at` in a nested object too": ONE.replace(b"}", b',"seen":{' + TIME + b"}}") + b"\n",
    "a click cut off after `clicked_at`": ONE[:-8] + b"\n",
    "a line in two objects, as Firehose may repeat it": ONE + b"\n" + ONE + b"\n",
}
TOLD = re.findall(r"^\| (.+) \| (\d) \| (\d) \| (\d)(?: or \d)? \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("what", "in_rows", "by_example", "by_contract"), TOLD)
def test_sql_differs_from_the_contract_as_the_page_says(
    what: str, in_rows: str, by_example: str, by_contract: str
) -> None:
    content = DIFFERENCES[what]
    objects = {f"{NINE}/{number}": line for number, line in enumerate(content.splitlines(keepends=True))}
    if b"\r" in content or content.count(b"\n") == 1:
        objects = {f"{NINE}/a": content}
    assert answer("SELECT count(*) FROM raw", raw=objects) == [(int(in_rows),)]
    assert sum(clicks for _, clicks in answer(RECEIVED, raw=objects)) == int(by_example)
    distinct = {line for line in content.split(b"\n") if line}
    assert sum(len(read_line(line)) for line in distinct) == int(by_contract)


def test_the_page_names_every_difference_that_is_known() -> None:
    assert {what for what, *_ in TOLD} == DIFFERENCES.keys()


def test_an_array_is_as_glued_clicks() -> None:
    line = b"[" + click(1) + b"," + click(2) + b"]"
    assert len(read_line(line)) == 2
    assert answer(RECEIVED, raw={f"{NINE}/a": line}) == [("2026-01-31T09:00", 2)]
