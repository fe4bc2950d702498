"""Simulated readers and their clicks."""

import csv
import itertools
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.count import SEGMENT_FILE_HEADER
from twin.traffic import simulated
from twin.traffic.record import EntryPoint, Record
from twin.traffic.simulated import (
    AGE_BANDS,
    BAD_SHARES,
    BREAKING_NEWS,
    CLOCK_AHEAD,
    COUNTED,
    GENDERS,
    MAX_LATENESS,
    MISSING_ARTICLE_ID,
    NOT_JSON,
    REGIONS,
    TOO_OLD,
    Reader,
    evenly,
    readers,
    simulated_clicks,
    write_segments,
)

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def _clicks(
    number: int, known: list[Reader] | None = None, rate: float = 1000, seed: int = 1
) -> list[Record]:
    stream = simulated_clicks(known or readers(500, seed=1), at=evenly(rate), started_at=START, seed=seed)
    return list(itertools.islice(stream, number))


def _read(record: Record) -> dict[str, str]:
    click: dict[str, str] = json.loads(record.data)
    return click


def test_the_seed_decides_readers_and_clicks() -> None:
    assert readers(50, seed=7) == readers(50, seed=7) != readers(50, seed=8)
    assert _clicks(50, seed=7) == _clicks(50, seed=7) != _clicks(50, seed=8)


def a_reader(age_band: str, region: str) -> Reader:
    """A simulated reader with this age band and region."""
    return replace(readers(1, seed=1)[0], age_band=age_band, region=region)


def test_the_segment_file_has_the_contracts_header_and_each_reader_once(tmp_path: Path) -> None:
    write_segments(tmp_path / "segments.csv", readers(1000, seed=1))
    with (tmp_path / "segments.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [*SEGMENT_FILE_HEADER]
    assert len({row["user_id"] for row in rows}) == 1000
    assert {row["gender"] for row in rows} == set(GENDERS)
    assert {row["age_band"] for row in rows} == set(AGE_BANDS)
    assert {row["region"] for row in rows} == set(REGIONS)


def test_a_new_column_of_the_segment_gets_made_up_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "SEGMENT_FILE_HEADER", (*SEGMENT_FILE_HEADER, "device_class"))
    write_segments(tmp_path / "segments.csv", readers(1000, seed=1))
    with (tmp_path / "segments.csv").open(encoding="utf-8", newline="") as file:
        values = {row["device_class"] for row in csv.DictReader(file)}
    assert values == {"device_class-1", "device_class-2", "device_class-3"}


def test_a_click_is_due_when_it_happens_and_is_one_line_of_the_contract() -> None:
    records = _clicks(300, rate=10)
    assert [record.due for record in records] == [number / 10 for number in range(300)]
    assert all(record.data.endswith(b"\n") and record.data.count(b"\n") == 1 for record in records)
    good = [record for record in records if record.label == COUNTED]
    for record in good:
        click = _read(record)
        assert set(click) == {"click_id", "clicked_at", "user_id", "article_id", "platform", "position"}
        assert record.partition_key == click["user_id"]
        happened = datetime.fromisoformat(click["clicked_at"]) - START
        assert timedelta(seconds=record.due) - MAX_LATENESS <= happened <= timedelta(seconds=record.due)
    assert len({_read(record)["click_id"] for record in good}) == len(good)
    assert {record.entry_point for record in records} == set(EntryPoint)


def test_each_label_says_what_must_become_of_the_record() -> None:
    by_label: dict[str, list[Record]] = {}
    for record in _clicks(20_000):
        by_label.setdefault(record.label, []).append(record)
    assert set(by_label) == {COUNTED, *BAD_SHARES}
    for label, share in BAD_SHARES.items():
        assert 0.5 * share < len(by_label[label]) / 20_000 < 1.5 * share
    for record in by_label[NOT_JSON]:
        assert not _is_json(record.data)
    for record in by_label[MISSING_ARTICLE_ID]:
        assert "article_id" not in _read(record)
    for record in by_label[TOO_OLD]:
        assert datetime.fromisoformat(_read(record)["clicked_at"]) < START - DAY
    for record in by_label[CLOCK_AHEAD]:
        happens = START + timedelta(seconds=record.due)
        assert datetime.fromisoformat(_read(record)["clicked_at"]) > happens + timedelta(minutes=1)


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def test_segments_prefer_different_articles() -> None:
    def topics(reader: Reader) -> Counter[str]:
        good = (record for record in _clicks(3000, known=[reader]) if record.label == COUNTED)
        return Counter(_read(record)["article_id"].rsplit("-", 1)[0] for record in good)

    young = topics(a_reader("10s", "osaka"))
    old = topics(a_reader("60s", "tokyo"))
    assert young.most_common(1)[0][0] == "music"
    assert old.most_common(1)[0][0] == "health"
    assert young["osaka"] > 100
    assert young["tokyo"] == 0 < old["tokyo"]


def test_breaking_news_rises_mid_run_and_most_where_it_happened() -> None:
    def share(region: str, since: float) -> float:
        known = [a_reader("30s", region)]
        clicks = [record for record in _clicks(4000, known, rate=20) if since <= record.due < since + 60]
        return sum(BREAKING_NEWS.encode() in record.data for record in clicks) / len(clicks)

    assert share("sendai", since=0) == 0
    assert share("sendai", since=120) > 4 * share("tokyo", since=120) > 0
