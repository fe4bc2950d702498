"""An upgrade of the SQL on real Flink: a harmless change keeps the running counts, another begins afresh.

Each restores the checkpoint of the release before it, over the same folders."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.count import COUNT_KEY
from contract.event_time import format_time
from tests.analytics_sql.bounded_run import MAIN, read_rows
from tests.analytics_sql.streaming_run import CLICKS_A_FILE, Streaming, clicks_of_file, streaming
from tests.segments import segment, segments_csv

pytestmark = pytest.mark.flink

FRESH = {"execution.state-recovery.ignore-unclaimed-state": "true"}
"""Leaves the state of before behind; on the service a raised analytics.state_generation does."""


LEAVING_BEHIND = FRESH
"""On the service a start with AllowNonRestoredState does."""


def upgraded(folder: Path, change: Callable[[Path], None], *, former: Path = MAIN) -> Path:
    """The main of a copy of `former` in which `change` was made and its operators recorded."""
    copy = folder / f"release-{change.__name__}" / "analytics_sql"
    shutil.copytree(former.parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    change(copy)
    command = [sys.executable, "-m", "analytics_sql.record_operators", str(copy)]
    subprocess.run(command, cwd=MAIN.parent.parent, check=True, capture_output=True)
    return copy / "main.py"


def one_node_more(sql: Path) -> None:
    """Clicks go through one more node that Flink does not merge before they are counted: later ids shift."""
    file = sql / "50_counts.sql"
    text = file.read_text("utf-8")
    node = "SELECT * FROM TO_CHANGELOG(input => TABLE segmented_clicks)"
    counts = text.replace("FROM segmented_clicks", "FROM seen_clicks")
    file.write_text(f"CREATE TEMPORARY VIEW seen_clicks AS {node};\n\n{counts}", "utf-8")


def coarser_key(sql: Path) -> None:
    """Counts lose a column of their key, and so the key that state is found under."""
    for name in ("50_counts.sql", "60_click_counts.sql"):
        file = sql / name
        text = file.read_text("utf-8").replace("  region STRING,\n", "").replace("  region,\n", "")
        file.write_text(text.replace("  age_band,\n  region;", "  age_band;"), "utf-8")


SECOND_QUERY = """\
CREATE TEMPORARY VIEW articles AS
SELECT article_id, COUNT(*) AS clicks FROM validated_clicks GROUP BY article_id;

CREATE TEMPORARY VIEW published_articles AS
SELECT * FROM TO_CHANGELOG(input => TABLE articles, op_mapping => MAP['INSERT, UPDATE_AFTER', 'set']);

CREATE TABLE article_counts (article_id STRING, clicks BIGINT) WITH (${article_counts}
);

INSERT INTO article_counts SELECT article_id, clicks FROM published_articles;
"""


def a_query_more(sql: Path) -> None:
    (sql / "65_article_counts.sql").write_text(SECOND_QUERY)


def a_query_less(sql: Path) -> None:
    (sql / "65_article_counts.sql").unlink()


def first_release(application: Streaming, clicked_at: str, *, main: Path = MAIN) -> Path:
    """Run the application `main` until it has counted a file, kill it, and return its last
    checkpoint."""
    version = segments_csv({"u0": segment(region="tokyo")})
    (application.folder / "segments" / "20260101T000000Z.csv").write_text(version)
    application.put("0.json", clicks_of_file(0, clicked_at))
    application.start(main=main)
    application.wait_until(lambda: sum(application.largest().values()) == CLICKS_A_FILE, "the first counts")
    application.kill()  # what is published is in a complete checkpoint
    return application.last_checkpoint()


def largest_without_region(application: Streaming) -> dict[tuple[str, ...], int]:
    counts: dict[tuple[str, ...], int] = {}
    for row in read_rows(application.folder / "click_counts"):
        key = tuple(row[column] for column in COUNT_KEY if column != "region")
        counts[key] = max(row["clicks"], counts.get(key, 0))
    return counts


def test_an_added_node_before_the_counts_keeps_them(tmp_path: Path) -> None:
    main = upgraded(tmp_path, one_node_more)
    clicked_at = format_time(datetime.now(UTC))
    with streaming(tmp_path) as application:
        checkpoint = first_release(application, clicked_at)
        (tmp_path / "clicks" / "0.json").unlink()
        application.put("1.json", clicks_of_file(1, clicked_at))
        application.start(restore=checkpoint, main=main)
        application.wait_until(
            lambda: sum(application.largest().values()) == 2 * CLICKS_A_FILE, "counts that go on"
        )


def test_another_key_starts_afresh_from_the_oldest_click(tmp_path: Path) -> None:
    main = upgraded(tmp_path, coarser_key)
    clicked_at = format_time(datetime.now(UTC))
    with streaming(tmp_path) as application:
        checkpoint = first_release(application, clicked_at)
        shutil.rmtree(tmp_path / "click_counts")
        (tmp_path / "click_counts").mkdir()
        application.put("1.json", clicks_of_file(1, clicked_at))
        application.start(restore=checkpoint, main=main, flink=FRESH)
        application.wait_until(
            lambda: sum(largest_without_region(application).values()) == 2 * CLICKS_A_FILE,
            "counts built again from both files",
        )


@pytest.mark.parametrize("way", ["rolled back", "removed"])
def test_a_removed_query_loses_only_its_own_state_and_only_if_the_start_allows_it(
    tmp_path: Path, way: str
) -> None:
    with_query = upgraded(tmp_path, a_query_more)
    without = MAIN if way == "rolled back" else upgraded(tmp_path, a_query_less, former=with_query)
    clicked_at = format_time(datetime.now(UTC))
    with streaming(tmp_path, "article_counts") as application:
        checkpoint = first_release(application, clicked_at, main=with_query)
        (tmp_path / "clicks" / "0.json").unlink()
        application.put("1.json", clicks_of_file(1, clicked_at))

        application.start(restore=checkpoint, main=without)
        application.wait_for_end()
        assert "the operator is not available in the new program" in application.log()
        assert sum(application.largest().values()) == CLICKS_A_FILE

        application.start(restore=checkpoint, main=without, flink=LEAVING_BEHIND)
        application.wait_until(
            lambda: sum(application.largest().values()) == 2 * CLICKS_A_FILE, "counts that go on"
        )


def test_the_recorded_operators_are_those_of_the_sql(tmp_path: Path) -> None:
    main = upgraded(tmp_path, lambda _sql: None)
    kept = (MAIN.parent / "operators.json").read_text("utf-8")
    assert (main.parent / "operators.json").read_text("utf-8") == kept, "run `make operators`"
