"""The analytics application streaming over files: what it publishes, and that a crash loses nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.count import SEGMENT_COLUMNS, UNKNOWN, start_of_count
from contract.event_time import format_time
from tests.analytics_sql.bounded_run import read_rows
from tests.analytics_sql.streaming_run import CLICKS_A_FILE, clicks_of_file, streaming
from tests.segments import segment, segments_csv

pytestmark = pytest.mark.flink

FILES = 6


def test_counts_run_on_over_a_crash(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    clicked_at = format_time(now)
    too_old = format_time(now - timedelta(hours=25))
    with streaming(tmp_path) as application:
        readers = {f"u{i}": segment(region="tokyo") for i in range(0, 50, 2)}
        (tmp_path / "segments" / "20260101T000000Z.csv").write_text(segments_csv(readers))
        application.put("0.json", clicks_of_file(0, clicked_at))
        application.start()
        application.wait_until(
            lambda: sum(application.largest().values()) == CLICKS_A_FILE, "the first counts"
        )
        first = application.largest()

        for number in range(1, FILES):
            application.put(f"{number}.json", clicks_of_file(number, clicked_at))
        application.put(
            "bad.json", [{"click_id": "old", "clicked_at": too_old, "user_id": "u", "article_id": "a"}]
        )
        application.wait_until(lambda: application.largest() != first, "a second count of some key")
        application.kill()
        restore = application.last_checkpoint()
        (tmp_path / "clicks" / "0.json").unlink()  # only the state of the checkpoint has its clicks now
        application.put("after.json", clicks_of_file(FILES, clicked_at))
        application.start(restore=restore)
        sent = CLICKS_A_FILE * (FILES + 1)
        application.wait_until(lambda: sum(application.largest().values()) >= sent, "all counts")
        application.wait_until(lambda: bool(read_rows(tmp_path / "rejected_clicks")), "the rejected click")

        known, unknown = segment(region="tokyo"), dict.fromkeys(SEGMENT_COLUMNS, UNKNOWN)
        minute = format_time(start_of_count(now))
        expected = {
            (minute, f"a{article}", *(unknown if article % 2 else known).values()): 25 * (FILES + 1)
            for article in range(20)
        }
        assert application.largest() == expected
        assert {row["reason"] for row in read_rows(tmp_path / "rejected_clicks")} == {"too_old"}
        assert len(application.published()) > len(expected)  # running counts, not only the last
