"""One bounded run over all data sets: starting Flink takes ten seconds, and the sets meet in no minute."""

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.count import SEGMENT_COLUMNS
from tests.analytics_sql import malformed_records
from tests.analytics_sql.bounded_run import BoundedRun, count_files
from tests.conftest import SHARED_DATA
from tests.data_sets import Click, wikiticker_clicks, worldcup98_clicks
from tests.segments import Segment, segments_csv

# Two versions for the users of wikiticker's one day, the second from its middle
MORNING, AFTERNOON = "20150912T000000Z", "20150912T120000Z"
BEFORE, AFTER = "20260201T000000Z", "20260201T120000Z"
# Each click of the boundary: its clicked_at, and the version that holds then
BOUNDARY = {
    "2026-02-01T11:59:59.999Z": BEFORE,
    "2026-02-01T12:00:00.000Z": AFTER,
    "2026-02-01T12:00:00.001Z": AFTER,
    "2026-01-31T23:59:59.999Z": AFTERNOON,  # where that user is not in the table
}
GENERATED_RECORDS = 1_500


@dataclass(frozen=True)
class WholeRun:
    """The input folders, the malformed records in them, and the outcome; all other clicks are good."""

    clicks: Path
    segments: Path
    malformed_records: list[bytes]
    other_clicks: int
    outcome: BoundedRun


def _write_clicks(file: Path, clicks: Iterable[Click]) -> None:
    content = "".join(json.dumps(click, ensure_ascii=False) + "\n" for click in clicks).encode()
    file.write_bytes(gzip.compress(content, 1) if file.suffix == ".gz" else content)


def _segment(user_number: int, version: int) -> Segment:
    """A segment that differs between the versions, for any user."""
    number = user_number + version
    return {column: f"{column} {number // (n + 1) % (n + 2)}" for n, column in enumerate(SEGMENT_COLUMNS)}


def _boundary_click(clicked_at: str) -> dict[str, Any]:
    return {"click_id": clicked_at, "clicked_at": clicked_at, "user_id": "boundary", "article_id": "boundary"}


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    folder = tmp_path_factory.mktemp("analytics")
    clicks, segments = folder / "clicks", folder / "segments"
    (clicks / "older").mkdir(parents=True)
    segments.mkdir()

    edits, requests = [], []
    if SHARED_DATA.is_dir():
        edits, requests = list(wikiticker_clicks(SHARED_DATA)), list(worldcup98_clicks(SHARED_DATA))
        _write_clicks(clicks / "wikiticker.json.gz", edits)
        _write_clicks(clicks / "older" / "worldcup98.json", requests)
    _write_clicks(clicks / "boundary.json", map(_boundary_click, BOUNDARY))
    records = malformed_records.KNOWN + malformed_records.generated(GENERATED_RECORDS)
    (clicks / "malformed.json").write_bytes(b"\n".join(records) + b"\n")

    users = sorted({edit["user_id"] for edit in edits})[::2] or ["nobody"]  # the others are in no version
    for number_of_version, name in enumerate((MORNING, AFTERNOON)):
        readers = {user: _segment(number, number_of_version) for number, user in enumerate(users)}
        (segments / f"{name}.csv").write_text(segments_csv(readers), encoding="utf-8")
    for version, region in ((BEFORE, "before"), (AFTER, "after")):
        (segments / f"{version}.csv").write_text(segments_csv({"boundary": {"region": region}}))
    outcome = count_files(clicks, segments, folder / "out", cwd=tmp_path_factory.mktemp("elsewhere"))
    other_clicks = len(edits) + len(requests) + len(BOUNDARY)
    return WholeRun(clicks, segments, records, other_clicks, outcome)
