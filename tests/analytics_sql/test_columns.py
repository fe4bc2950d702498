"""The columns of a segment and of a count in the SQL, and the time that a count spans, are those of
contract/count.py.

The SQL is written, not generated, so that it is what Flink runs. A test fails with the name of a file that
lacks a column.
"""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from analytics_sql.main import SQL_FOLDER
from contract.click import ID_FIELDS, MAX_ID_BYTES, OPTIONAL_FIELDS, REQUIRED_FIELDS
from contract.count import (
    COUNT_COLUMNS,
    COUNT_KEY,
    SEGMENT_COLUMNS,
    SEGMENT_FILE_HEADER,
    UNKNOWN,
    WINDOW,
)
from contract.sink import REJECTS_TABLE, SINKS, Sink
from lambdas.forwarder.routing import ID_NOT_UNICODE

PROJECT = Path(__file__).parents[2]
CLICK_FIELDS = [*REQUIRED_FIELDS, *OPTIONAL_FIELDS]
UNPARSEABLE = "unparseable"
LOOKED_UP_BY = "as_of"


def sql(file: str) -> str:
    """The statements of a file without comments and without the backticks around names."""
    text = (SQL_FOLDER / file).read_text(encoding="utf-8")
    return re.sub(r"--[^\n]*", "", text).replace("`", "")


def column_names(clause: str) -> list[str]:
    """The name in each line of a list of columns: what follows AS, else the first word after a qualifier."""
    lines = [line.strip().rstrip(",") for line in clause.strip().splitlines()]
    return [
        line.rpartition(" AS ")[2] if " AS " in line else re.sub(r"^\w+\.", "", line).split()[0]
        for line in lines
    ]


def between(text: str, start: str, end: str) -> str:
    found = re.search(rf"{start}(.*?){end}", text, re.DOTALL)
    assert found, f"no text between {start} and {end}"
    return found[1]


def create_table(file: str, table: str) -> list[str]:
    return column_names(between(sql(file), rf"CREATE TABLE {table} \(\n", r"\n\) WITH"))


def file_of(statement: str) -> str:
    [file] = [file.name for file in SQL_FOLDER.glob("*.sql") if statement in sql(file.name)]
    return file


def test_the_clicks_table_has_the_fields_of_a_click_and_the_unread_rest_of_a_line() -> None:
    assert create_table("10_clicks.sql", "clicks") == [*CLICK_FIELDS, UNPARSEABLE]
    assert f"'flat-json.unparseable-column' = '{UNPARSEABLE}'" in sql("10_clicks.sql")


def test_what_is_unparseable_has_no_other_reason_and_is_shown() -> None:
    first = between(sql("30_checked_clicks.sql"), r"CASE\n", r"\n *WHEN click_id").split()
    assert first == ["WHEN", UNPARSEABLE, "IS", "NOT", "NULL", "THEN", f"'{UNPARSEABLE}'"]
    assert create_table("70_rejected_clicks.sql", REJECTS_TABLE) == [*CLICK_FIELDS, UNPARSEABLE, "reason"]


def test_the_segments_table_has_the_columns_of_a_published_version() -> None:
    assert create_table("20_segments.sql", "segments") == [*SEGMENT_FILE_HEADER, LOOKED_UP_BY]


def test_a_click_gets_every_column_of_its_readers_segment() -> None:
    columns = re.findall(r"COALESCE\(s\.(\w+), '(\w+)'\) AS (\w+)", sql("40_segmented_clicks.sql"))
    assert columns == [(column, UNKNOWN, column) for column in SEGMENT_COLUMNS]


def test_clicks_are_grouped_by_the_key_of_a_count() -> None:
    text = sql("50_counts.sql")
    selected = column_names(between(text, r"SELECT\n", r"\nFROM"))
    grouped = between(text, r"GROUP BY\n", r";").strip().splitlines()
    assert selected == [*COUNT_KEY, "clicks"]
    assert len(grouped) == len(COUNT_KEY), f"GROUP BY has {grouped}"
    assert [column.strip().rstrip(",") for column in grouped[1:]] == [*COUNT_KEY[1:]]


def start_of_a_count(window: timedelta) -> str:
    """The SQL of the start of the count that a click at event_time falls into."""
    for unit, larger, amount in (("SECOND", "MINUTE", 60), ("MINUTE", "HOUR", 60), ("HOUR", "DAY", 24)):
        length = timedelta(**{f"{unit.lower()}s": 1})
        if window == length:
            return f"FLOOR(event_time TO {unit})"
        number, rest = divmod(window, length)
        if not rest and number and amount % number == 0 and number < amount:
            start = f"EXTRACT({unit} FROM event_time) / {number} * {number}"
            return f"TIMESTAMPADD({unit}, {start}, FLOOR(event_time TO {larger}))"
    assert window == timedelta(days=1), f"{window} divides no minute, hour or day: choose another WINDOW"
    return "FLOOR(event_time TO DAY)"


def test_a_count_spans_what_the_contract_says() -> None:
    start = start_of_a_count(WINDOW)
    counting = {
        file.name: text for file in SQL_FOLDER.glob("*.sql") if " AS minute," in (text := sql(file.name))
    }
    assert counting
    for file, text in counting.items():
        assert f"  {start} AS minute," in text, f"{file}, or WINDOW in contract/count.py"
        assert f"GROUP BY\n  {start}," in text, f"{file}, or WINDOW in contract/count.py"


@pytest.mark.parametrize("seconds", [7, 45, 90, 25 * 60, 5 * 3600, 2 * 86_400])
def test_a_window_divides_a_minute_an_hour_or_a_day(seconds: int) -> None:
    with pytest.raises(AssertionError, match="choose another WINDOW"):
        start_of_a_count(timedelta(seconds=seconds))


def test_the_published_counts_have_the_columns_of_the_contract() -> None:
    file = file_of("CREATE TABLE click_counts (")
    assert create_table(file, "click_counts") == [*COUNT_COLUMNS]
    inserted = between(sql(file), r"SELECT\n", r"\nFROM").strip().splitlines()
    assert len(inserted) == len(COUNT_COLUMNS)
    assert [line.strip().rstrip(",") for line in inserted[1 : len(COUNT_KEY)]] == [*COUNT_KEY[1:]]


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.table)
def test_each_sink_has_a_table_with_its_key_and_its_count(sink: Sink) -> None:
    columns = create_table(file_of(f"CREATE TABLE {sink.table} ("), sink.table)
    assert columns == [*sink.key, "clicks", "published_at"]


def test_every_table_that_is_written_is_a_sink_or_the_rejects() -> None:
    written = {
        table
        for file in SQL_FOLDER.glob("*.sql")
        for table in re.findall(r"INSERT INTO (\w+)", sql(file.name))
    }
    assert written == {*(sink.table for sink in SINKS), REJECTS_TABLE}


def test_an_id_may_be_as_long_as_the_contract_says() -> None:
    limits = re.findall(r"byte_length\((\w+)\) > (\d+)", sql("30_checked_clicks.sql"))
    assert limits == [(field, str(MAX_ID_BYTES)) for field in ID_FIELDS]


def test_application_and_forwarder_give_one_reason_for_an_id_that_is_not_unicode() -> None:
    [condition] = re.findall(rf"WHEN (.*)\n *THEN '{ID_NOT_UNICODE}'", sql("30_checked_clicks.sql"))
    assert condition == " OR ".join(f"NOT is_unicode({field})" for field in ID_FIELDS)


def test_the_contract_explains_each_reason_in_the_order_in_which_they_are_found() -> None:
    checks = sql("30_checked_clicks.sql") + sql("35_validated_clicks.once.sql")
    given = re.findall(r"THEN '(\w+)'", checks)
    page = (
        (PROJECT / "docs" / "reference" / "contracts.md")
        .read_text(encoding="utf-8")
        .partition("## Rejected click")[2]
    )
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    assert [reason for row in rows for reason in re.findall(r"`(\w+)`", row)] == given


def test_each_file_opens_with_what_it_makes() -> None:
    for file in SQL_FOLDER.glob("*.sql"):
        assert file.read_text("utf-8").startswith("-- "), file.name
