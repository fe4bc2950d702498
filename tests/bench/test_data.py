"""The clicks, segments and counts that the benchmarks are run on, and DuckDB's answer to them."""

import json
from collections import Counter
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bench.clicks import write_clicks, write_segments
from bench.counts import ARTICLES_AT_A_TIME, CLICKS_A_MINUTE, SEGMENTS, bulks
from bench.duckdb_counts import counts_query
from bench.search_server import SearchServer
from contract.click import clicks_in
from contract.count import COUNT_KEY, SEGMENT_COLUMNS, SEGMENT_FILE_HEADER, UNKNOWN
from contract.sink import CLICK_COUNTS
from names import day_index

CLICKS, USERS = 3_000, 50


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    return write_clicks(tmp_path, clicks=CLICKS, users=USERS)


def read(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for file in sorted(folder.glob("*.json")) for line in file.open()]


def test_there_are_as_many_clicks_as_requested_each_with_its_own_id(clicks: Path) -> None:
    assert len({click["click_id"] for click in read(clicks)}) == CLICKS
    assert all(clicks_in(json.dumps(click).encode()) for click in read(clicks))


def test_clicks_are_the_same_each_time(clicks: Path, tmp_path: Path) -> None:
    again = write_clicks(tmp_path / "again", clicks=CLICKS, users=USERS)
    assert read(again) == read(clicks)


def test_every_user_of_the_clicks_has_a_segment(clicks: Path, tmp_path: Path) -> None:
    (file,) = write_segments(tmp_path, users=USERS).iterdir()
    rows = [line.split(",") for line in file.read_text().splitlines()]
    assert rows[0] == [*SEGMENT_FILE_HEADER]
    assert {click["user_id"] for click in read(clicks)} <= {row[0] for row in rows[1:]}
    assert len({tuple(row[1:]) for row in rows[1:]}) > 1


def test_skewed_articles_have_a_head_and_uniform_ones_have_none(clicks: Path, tmp_path: Path) -> None:
    def share_of_the_first(folder: Path) -> float:
        counts = Counter(click["article_id"] for click in read(folder))
        return counts.most_common(1)[0][1] / CLICKS

    uniform = write_clicks(tmp_path / "uniform", clicks=CLICKS, users=USERS, articles=100, skewed=False)
    assert share_of_the_first(clicks) > 0.4
    assert share_of_the_first(uniform) < 0.05


def test_duckdb_counts_what_the_contract_says(clicks: Path, tmp_path: Path) -> None:
    (file,) = write_segments(tmp_path, users=USERS - 10).iterdir()  # ten readers are in no version
    segment = {row.split(",")[0]: row.split(",")[1:] for row in file.read_text().splitlines()[1:]}
    good = read(clicks)
    bad = [
        good[0] | {"clicked_at": "2026-01-31"},
        good[0] | {"clicked_at": "2026-02-30T00:00:00.000Z"},
        good[0] | {"clicked_at": "2999-01-01T00:00:00.000Z"},
        good[0] | {"user_id": ""},
        good[0] | {"article_id": "x" * 513},
        {key: value for key, value in good[0].items() if key != "click_id"},
    ]
    (clicks / "bad.json").write_text("".join(json.dumps(click) + "\n" for click in bad))
    wanted = Counter(
        (
            datetime.fromisoformat(click["clicked_at"][:16]),
            click["article_id"],
            *segment.get(click["user_id"], [UNKNOWN] * len(SEGMENT_COLUMNS)),
        )
        for click in good
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(counts_query(str(clicks), str(file.parent))).fetchall()
    assert {tuple(row[:-1]): row[-1] for row in rows} == wanted


def documents(*requests: tuple[int, bytes]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(action, count) of each."""
    lines = [json.loads(line) for _, body in requests for line in body.splitlines()]
    return list(zip((line["index"] for line in lines[::2]), lines[1::2], strict=True))


def test_a_minute_of_counts_has_every_click_and_each_key_once() -> None:
    made = documents(*bulks(7, 9, every_version=False))
    assert sum(count["clicks"] for _, count in made) == 2 * CLICKS_A_MINUTE
    assert len({tuple(count[column] for column in COUNT_KEY) for _, count in made}) == len(made)
    assert len({action["_id"] for action, _ in made}) == len(made)
    assert {count["minute"] for _, count in made} == {"2026-01-31T00:07:00.000Z", "2026-01-31T00:08:00.000Z"}
    assert all(action["version"] == count["clicks"] for action, count in made)


def test_a_count_is_written_at_each_growth_and_last_with_all_its_clicks() -> None:
    written = documents(*bulks(7, 8, every_version=True))
    assert [count["published_at"] for _, count in written] == sorted(
        count["published_at"] for _, count in written
    )
    largest: dict[str, int] = {}
    for action, count in written:
        assert count["clicks"] > largest.get(action["_id"], 0)
        largest[action["_id"]] = count["clicks"]
    last = {action["_id"]: count["clicks"] for action, count in documents(*bulks(7, 8, every_version=False))}
    assert largest == last
    assert len(written) > 1.2 * len(last)


def test_counts_have_a_head_of_articles_and_all_segments() -> None:
    made = [count for _, count in documents(*bulks(0, 60, every_version=False))]
    clicks: Counter[str] = Counter()
    for count in made:
        clicks[count["article_id"]] += count["clicks"]
    (_, first), *_ = clicks.most_common(1)
    assert 0.02 < first / clicks.total() < 0.2
    assert len(clicks) > ARTICLES_AT_A_TIME
    assert len({tuple(count[column] for column in SEGMENT_COLUMNS) for count in made}) == SEGMENTS


def test_counts_are_the_same_made_at_once_or_in_parts() -> None:
    parts = [*bulks(0, 1, every_version=True), *bulks(1, 2, every_version=True)]
    assert documents(*bulks(0, 2, every_version=True)) == documents(*parts)


def test_counts_loaded_without_the_pipeline_have_its_ids_and_versions(opensearch: str) -> None:
    server = SearchServer(opensearch)
    made = documents(*islice(bulks(0, 1, every_version=True, documents=50), 1))
    asked = {"docs": [{"_index": "any", "_source": count} for _, count in made]}
    answer = server.call("POST", f"/_ingest/pipeline/{CLICK_COUNTS.index_family}/_simulate", asked)
    by_the_pipeline = [each["doc"] for each in answer["docs"]]
    assert [(each["_id"], int(each["_version"])) for each in by_the_pipeline] == [
        (action["_id"], action["version"]) for action, _ in made
    ]
    assert {each["_version_type"] for each in by_the_pipeline} == {made[0][0]["version_type"]}


def test_an_index_of_a_benchmark_takes_counts_as_that_of_a_day_does(opensearch: str) -> None:
    """Another template, of the index that takes nothing, comes first in OpenSearch's list."""
    server = SearchServer(opensearch)
    index = day_index(CLICK_COUNTS.index_family, date(2031, 1, 31))
    server.make_index(index)
    try:
        server.set_refresh(index, None)
        documents_and_bulk = next(bulks(0, 1, every_version=False, documents=10))
        assert server.load(f"/{index}/_bulk?pipeline=_none", [documents_and_bulk])[0] == 10
        assert server.call("POST", f"/{index}/_refresh")["_shards"]["failed"] == 0
        assert server.call("GET", f"/{index}/_count")["count"] == 10
    finally:
        server.call("DELETE", f"/{index}")
