"""The benchmark of repeated click ids: what it shows, and the readers of a count."""

from pathlib import Path
from typing import Any

from bench.clicks import RANDOM, write_clicks, write_segments
from bench.report import Table
from bench.sections import repetition


def job(factor: float, cpu_seconds: list[float]) -> dict[str, list[float]]:
    return {
        "cpu_seconds": cpu_seconds,
        "seconds": [1.0, 1.0],
        "state_mb": [100.0 * factor] * 2,
        "checkpoint_ms": [10.0, 20.0],
        "longest_ms": [30.0, 40.0],
    }


def some_figures() -> dict[str, Any]:
    return {
        "clicks": [2_000_000, 12_000_000],
        "users": 200_000,
        "small": {variant: job(0.1, [20.0, 30.0]) for variant in repetition.JOBS},
        "large": {"joined": job(1, [50.0]), "once": job(2.2, [100.0]), "readers": job(2, [75.0])},
        "readers": {"counts": 10, "clicks": 40, "readers": 30, "most_readers": 7, "sketch_bytes": 200},
    }


def test_a_row_for_each_job_and_what_a_click_id_takes() -> None:
    _, table, told = repetition.report(some_figures())
    assert isinstance(table, Table)
    assert [row[:5] for row in table.rows] == [
        ("every click counts", "2.50 (2.00-3.00)", "1.00", "25 (20-30)", "50"),
        ("repeated click ids dropped", "7.50 (7.00-8.00)", "3.00", "25 (20-30)", "100"),
        ("distinct readers beside clicks", "5.00 (4.50-5.50)", "2.00", "25 (20-30)", "75"),
    ]
    assert len(table.head) == len(table.rows[0])
    assert "A remembered click id takes 10 bytes of a checkpoint" in str(told)
    assert "3.00 readers on average and 7 at most; 75.0% of the clicks" in str(told)
    assert "would hold 5.0 bytes a click, and exact hashes 6.0" in str(told)


def test_a_job_that_did_not_end_has_its_small_figures_and_the_reason() -> None:
    nothing: dict[str, list[float]] = {name: [] for name in repetition.USED}
    figures = some_figures()
    figures = {
        **figures,
        "large": {**figures["large"], "readers": nothing},
        "not_ended": {"readers": "none for 120 s"},
    }
    _, table, reason, _ = repetition.report(figures)
    assert isinstance(table, Table)
    assert table.rows[2][1:6] == ("not ended", "not ended", "25 (20-30)", "not ended", "10 (10-10)")
    assert reason == "With 12 M clicks the job of distinct readers beside clicks did not end: none for 120 s."


def test_readers_are_counted_by_minute_article_and_segment(tmp_path: Path) -> None:
    write_clicks(tmp_path, clicks=1_000, users=1, articles=1, click_id=RANDOM)  # within two seconds
    write_segments(tmp_path, users=1)
    found = repetition.readers_of_counts(tmp_path)
    assert found == {"counts": 1, "clicks": 1_000, "readers": 1, "most_readers": 1, "sketch_bytes": 8}
