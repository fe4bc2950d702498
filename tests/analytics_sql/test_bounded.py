"""The analytics application over files, on real data and on poison."""

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics_sql.bounded import output_tables
from contract.click import ID_FIELDS, Click, Unread, in_a_reject, read_line
from contract.count import (
    COUNT_COLUMNS,
    COUNT_KEY,
    SEGMENT_COLUMNS,
    SEGMENT_FILE_HEADER,
    UNKNOWN,
    WINDOW,
    start_of_count,
)
from contract.event_time import format_time, parse_time
from contract.sink import UNPARSEABLE
from tests.analytics_sql import contract
from tests.analytics_sql.bounded_run import count_files, run_over_files
from tests.analytics_sql.conftest import AFTER, AFTERNOON, BEFORE, BOUNDARY, MORNING, WholeRun
from twin.click_outcomes import UnreadRests

pytestmark = pytest.mark.flink

REGION = COUNT_KEY.index("region")
FRACTION = r"-?[0-9]+[.][0-9]+(E-?[0-9]+)?"


def counted_at(clicked_at: str) -> str:
    return format_time(start_of_count(datetime.fromisoformat(clicked_at)))


def by_time(clicks_at: Iterable[tuple[str, int]]) -> Counter[str]:
    """Clicks of whole minutes, or of what else a count spans if that is more."""
    found: Counter[str] = Counter()
    for time, clicks in clicks_at:
        found[counted_at(f"{time[:16]}:00.000Z")] += clicks
    return found


def test_worldcup98_counts_equal_the_published_ones(whole_run: WholeRun, shared_data: Path) -> None:
    with (shared_data / "worldcup98" / "invocation_count_per_minute.csv").open(newline="") as file:
        published = [
            (row["period"].replace(" ", "T"), int(row["count"]))
            for row in csv.DictReader(file)
            if "1998-04-30 21:30" <= row["period"] < "1998-04-30 22:00"
        ]
    counts = whole_run.outcome.counts.items()
    counted = by_time((key[0], clicks) for key, clicks in counts if key[0].startswith("1998-04-30T21"))
    assert len(published) == 30
    assert counted == by_time(published)


@pytest.mark.usefixtures("shared_data")
def test_wikiticker_totals_equal_those_published_by_druid(whole_run: WholeRun) -> None:
    articles: Counter[str] = Counter()
    for (minute, article, *_), clicks in whole_run.outcome.counts.items():
        if minute.startswith("2015-09-12"):
            articles[article] += clicks
    assert articles.total() == 39_244
    assert sorted(articles.values(), reverse=True)[:10] == [33, 28, 27, 21, 20, 18, 18, 18, 17, 17]


@pytest.mark.usefixtures("shared_data")
def test_wikiticker_keys_equal_those_counted_by_duckdb(whole_run: WholeRun) -> None:
    start = f"time_bucket(INTERVAL '{WINDOW.total_seconds():.0f} seconds', clicked)"
    counted_by_duckdb = duckdb.sql(
        f"""
        WITH clicks AS (
          SELECT *, strptime(clicked_at, '%Y-%m-%dT%H:%M:%S.%gZ') AS clicked
          FROM read_json('{whole_run.clicks}/wikiticker.json.gz', format = 'newline_delimited',
            columns = {{clicked_at: 'VARCHAR', user_id: 'VARCHAR', article_id: 'VARCHAR'}})
        ), segments AS (
          SELECT *, TIMESTAMP '2015-09-12 00:00:00' AS valid_from
          FROM read_csv('{whole_run.segments}/{MORNING}.csv', header = true, all_varchar = true)
          UNION ALL
          SELECT *, TIMESTAMP '2015-09-12 12:00:00' AS valid_from
          FROM read_csv('{whole_run.segments}/{AFTERNOON}.csv', header = true, all_varchar = true)
        )
        SELECT
          strftime({start}, '%Y-%m-%dT%H:%M:%S.000Z'), article_id,
          {", ".join(f"coalesce({column}, 'unknown')" for column in SEGMENT_COLUMNS)}, count(*)
        FROM clicks ASOF LEFT JOIN segments
          ON clicks.user_id = segments.user_id AND clicks.clicked >= segments.valid_from
        GROUP BY ALL
        """
    ).fetchall()
    expected = {tuple(key): clicks for *key, clicks in counted_by_duckdb}
    counted = {
        key: clicks for key, clicks in whole_run.outcome.counts.items() if key[0].startswith("2015-09-12")
    }
    assert sum(expected.values()) == 39_244
    assert counted == expected


def test_every_key_has_one_row_in_the_form_of_the_contract(whole_run: WholeRun) -> None:
    rows = whole_run.outcome.rows
    assert len(rows) == len(whole_run.outcome.counts)
    assert all(row.keys() == {*COUNT_COLUMNS} for row in rows)
    assert all(row["minute"] == counted_at(row["minute"]) for row in rows)
    assert all(parse_time(row["published_at"]) for row in rows)


def test_a_version_holds_from_exactly_its_time(whole_run: WholeRun) -> None:
    regions = {BEFORE: "before", AFTER: "after", AFTERNOON: "unknown"}
    expected = Counter((counted_at(clicked_at), regions[version]) for clicked_at, version in BOUNDARY.items())
    counted = Counter(
        {
            (key[0], key[REGION]): clicks
            for key, clicks in whole_run.outcome.counts.items()
            if key[1] == "boundary"
        }
    )
    assert counted == expected


def units_of(lines: Iterable[bytes]) -> list[Click | Unread]:
    return [unit for line in lines for unit in read_line(line)]


def test_each_poisonous_click_is_counted_or_rejected_as_the_contract_says(whole_run: WholeRun) -> None:
    now = datetime.now(UTC)
    validated = [
        (unit.fields, contract.reason(unit.fields, now=now))
        for unit in units_of(whole_run.malformed_records)
        if isinstance(unit, Click)
    ]
    expected = Counter((*map(shown, ids(click)), reason) for click, reason in validated if reason)
    rejected = Counter(
        (*map(shown, ids(row)), row["reason"])
        for row in whole_run.outcome.rejected
        if row["reason"] != UNPARSEABLE
    )
    assert rejected == expected
    good = sum(reason is None for _, reason in validated)
    assert sum(whole_run.outcome.counts.values()) == whole_run.other_clicks + good


def test_each_unread_rest_is_rejected_with_its_text(whole_run: WholeRun) -> None:
    rests = UnreadRests()
    unread = [unit for unit in units_of(whole_run.malformed_records) if isinstance(unit, Unread)]
    for rest in unread:
        rests.arrive(rest)
    rows = [row for row in whole_run.outcome.rejected if row["reason"] == UNPARSEABLE]
    for row in rows * 2:
        rests.reject(row)
    # A row whose text is none of these would add to the first number.
    assert (rests.accounted_for, rests.rejected_again) == (len(unread), len(unread))
    assert max(len(row[UNPARSEABLE]) for row in rows) == 4096
    assert {row[column] for row in rows for column in ID_FIELDS} == {None}


def ids(click: dict[str, Any]) -> tuple[Any, Any, Any]:
    return click.get("click_id"), click.get("user_id"), click.get("article_id")


def shown(value: object) -> str:
    """What a rejected click shows of an id: nothing of an object or array; fractions have many texts."""
    text = contract.text_of(value) or ""
    return "" if re.fullmatch(FRACTION, text) else in_a_reject(text[:4096])


def test_received_is_the_sum_of_all_outcomes(whole_run: WholeRun) -> None:
    records = [record for record in whole_run.malformed_records if record.strip(b" \t\r")]
    received = whole_run.other_clicks + len(units_of(records))
    lines = whole_run.other_clicks + len(records)
    unparseable = sum(isinstance(unit, Unread) for unit in units_of(records))
    counted = sum(whole_run.outcome.counts.values())
    rejected = len(whole_run.outcome.rejected) - unparseable
    assert received == counted + rejected + unparseable
    printed = whole_run.outcome.printed
    assert f"{received:,} received in {lines:,} lines of " in printed
    assert f" files: {counted:,} counted under " in printed
    assert f", {rejected:,} rejected, {unparseable:,} unparseable" in printed


def test_an_id_that_looks_like_an_object_is_counted_and_an_object_is_not(whole_run: WholeRun) -> None:
    articles = {key[1] for key in whole_run.outcome.counts}
    assert {'{"a":1}', "[1]", "{}"} <= articles
    missing = [row for row in whole_run.outcome.rejected if row["reason"] == "missing_article_id"]
    assert {row["article_id"] for row in missing} == {None, ""}


def test_a_rejected_click_shows_what_was_sent(whole_run: WholeRun) -> None:
    rejected = whole_run.outcome.rejected
    times = {row["clicked_at"] for row in rejected if row["reason"] == "invalid_clicked_at"}
    assert {"2026-02-30T00:00:00.000Z", "2026-01-31T24:00:00.000Z", "now", "7"} <= times
    too_long = {row["user_id"] for row in rejected if row["reason"] == "id_too_long"}
    assert {"日" * 334, "x" * 513, "x" * 4096} <= too_long  # cut at 4,096 characters


CLICKED_AT = "2026-01-31T12:00:59.999Z"
LINE = json.dumps({"click_id": "1", "clicked_at": CLICKED_AT, "user_id": "u", "article_id": "a"}) + "\n"


def test_without_segments_everybody_is_unknown(tmp_path: Path) -> None:
    clicks, segments = tmp_path / "it's clicks", tmp_path / "segments"
    clicks.mkdir()
    segments.mkdir()
    (clicks / "a.json").write_text(LINE)
    outcome = count_files(clicks, segments, tmp_path / "out", cwd=tmp_path)
    assert outcome.counts == {(counted_at(CLICKED_AT), "a", *(UNKNOWN for _ in SEGMENT_COLUMNS)): 1}
    tables = ", ".join(str(tmp_path / "out" / table) for table in output_tables())
    assert outcome.printed.splitlines() == [
        "1 received in 1 line of 1 file: 1 counted under 1 key, 0 rejected, 0 unparseable",
        "1 click counted as unknown",
        f"written: {tables}",
    ]


def test_a_click_in_two_files_of_equal_content_is_counted_once(tmp_path: Path) -> None:
    clicks, segments = tmp_path / "2026-01-31T12:00", tmp_path / "segments"
    (clicks / "once more").mkdir(parents=True)
    segments.mkdir()
    (clicks / "2026-01-31T12:00:00Z 日%20.json.gz").write_bytes(gzip.compress(LINE.encode()))
    (clicks / "once more" / "raw.json").write_text(LINE)
    outcome = count_files(clicks, segments, tmp_path / "out:a %20", cwd=tmp_path)
    assert list(outcome.counts.values()) == [1]
    assert "left out 1 file with 1 line, whose content stands in another file" in outcome.printed


def test_a_refused_version_of_the_segments_ends_the_run_with_its_file_and_line(tmp_path: Path) -> None:
    clicks, segments = tmp_path / "clicks", tmp_path / "segments"
    clicks.mkdir()
    segments.mkdir()
    (clicks / "a.json").write_text(LINE)
    header = ",".join(SEGMENT_FILE_HEADER)
    japanese = f"{header}\nu,{','.join('女' for _ in SEGMENT_COLUMNS)}\n"
    (segments / "20260101T000000Z.csv").write_bytes(japanese.encode("shift_jis"))
    (segments / "20260102T000000Z.csv").write_text(japanese.replace(",", ";"))
    (segments / "2026-01-03T00:00:00Z.csv").write_text(japanese)
    done = run_over_files(clicks, segments, tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 1
    assert (done.stdout, list((tmp_path / "out").iterdir())) == ("", [])
    assert re.fullmatch(
        "The run failed, and nothing is left in .*: /.*/20260101T000000Z.csv, line 2: .* is not UTF-8.*"
        "20260102T000000Z.csv, line 1: the header .*'2026-01-03T00:00:00Z.csv' is no file named like.*\n",
        done.stderr,
    )
