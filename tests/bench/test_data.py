"""The clicks, segments and counts that the benchmarks are run on, and DuckDB's answer to them."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from bench.clicks import write_clicks, write_segments
from bench.counts import bulks
from bench.duckdb_counts import counts_query
from contract.click import is_parseable

CLICKS, USERS = 3_000, 50


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    return write_clicks(tmp_path, clicks=CLICKS, users=USERS)


def read(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for file in sorted(folder.glob("*.json")) for line in file.open()]


def test_there_are_as_many_clicks_as_asked_for_each_with_an_id_of_its_own(clicks: Path) -> None:
    assert len({click["click_id"] for click in read(clicks)}) == CLICKS
    assert all(is_parseable(json.dumps(click).encode()) for click in read(clicks))


def test_clicks_are_the_same_each_time(clicks: Path, tmp_path: Path) -> None:
    again = write_clicks(tmp_path / "again", clicks=CLICKS, users=USERS)
    assert read(again) == read(clicks)


def test_every_user_of_the_clicks_has_a_segment(clicks: Path, tmp_path: Path) -> None:
    (file,) = write_segments(tmp_path, users=USERS).iterdir()
    rows = [line.split(",") for line in file.read_text().splitlines()]
    assert rows[0] == ["user_id", "gender", "age_band", "region"]
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
            *segment.get(click["user_id"], ["unknown"] * 3),
        )
        for click in good
    )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(counts_query(str(clicks), str(file.parent))).fetchall()
    assert {row[:5]: row[5] for row in rows} == wanted


def test_counts_fill_the_day_in_order_and_each_has_an_id_of_its_own() -> None:
    lines = b"".join(bulks(0, 2_880, total=2_880, index="counts")).splitlines()
    ids = {json.loads(line)["index"]["_id"] for line in lines[::2]}
    minutes = [json.loads(line)["minute"] for line in lines[1::2]]
    assert len(ids) == 2_880
    assert minutes == sorted(minutes)
    assert Counter(minutes).most_common(1)[0][1] == 2
    assert len(set(minutes)) == 24 * 60


def test_counts_are_the_same_whether_made_in_one_piece_or_in_several() -> None:
    whole = b"".join(bulks(0, 100, total=100, index=None))
    assert b"".join([*bulks(0, 60, total=100, index=None), *bulks(60, 100, total=100, index=None)]) == whole
