"""Final counts equal one DuckDB query, however the clicks came and however often the application was killed.

Each seed makes other clicks, versions of the segments, packs, order and delays of files, repetitions,
parallelism, moments of kill -9, and places to restart from: the last checkpoint, an older one, or nothing.
`make test` runs a few, `make proof` fifty.
"""

import json
import os
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contract.count import COUNT_KEY, SEGMENT_COLUMNS, UNKNOWN
from contract.event_time import format_time
from tests.analytics_sql.bounded_run import Key, read_rows
from tests.analytics_sql.streaming_run import Streaming, streaming
from tests.segments import segments_csv

pytestmark = pytest.mark.flink

RUNS = int(os.environ.get("PROOF_RUNS", "2"))
CLICKS = 6_000
ARTICLES, USERS, MINUTES = 25, 60, 90
MAX_PARALLELISM = 4
CHECKPOINTS_KEPT = 4
FILES = 4
LATEST_KILL_SECONDS = 10
_REJECTED: tuple[dict[str, Any], ...] = (
    {"user_id": ""},
    {"article_id": None},
    {"clicked_at": "yesterday"},
    {"click_id": []},
)
_COLUMNS = "{click_id: 'VARCHAR', clicked_at: 'TIMESTAMP', user_id: 'VARCHAR', article_id: 'VARCHAR'}"


class KilledRun:
    """What one seed makes, in `folder`. `lines`: packs of clicks, in the order in which they arrive."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self._now = datetime.now(UTC).replace(microsecond=0)
        self.good = [self._click(number) for number in range(CLICKS)]
        self.good += self.random.choices(self.good, k=CLICKS // 20)  # producers that sent a click twice
        self.bad = [{**click, **self.random.choice(_REJECTED)} for click in self.random.sample(self.good, 20)]
        clicks = [*self.good, *self.bad]
        self.random.shuffle(clicks)
        self.lines = list(self._packed(clicks))

    def _click(self, number: int) -> dict[str, Any]:
        at = self._now - timedelta(milliseconds=self.random.randrange(MINUTES * 60_000))
        return {
            "click_id": f"c{number}",
            "clicked_at": format_time(at),
            "user_id": f"u{self.random.randrange(USERS)}",
            "article_id": f"記事{int(self.random.expovariate(0.2)) % ARTICLES}",
        }

    def _packed(self, clicks: list[dict[str, Any]]) -> Any:
        while clicks:
            size = self.random.choice([1, 1, 2, 7, 50])
            pack, clicks = clicks[:size], clicks[size:]
            written = [json.dumps(click, ensure_ascii=self.random.random() < 0.5) for click in pack]
            in_an_array = self.random.random() < 0.3
            yield f"[{','.join(written)}]" if in_an_array else self.random.choice(["", " "]).join(written)

    def publish_segments(self) -> dict[str, str]:
        """Three versions, the last of them in the midst of the clicks. Returns each file by valid_from."""
        published = {}
        for hours in (30, 1.2, 0.5):
            valid_from = self._now - timedelta(hours=hours)
            readers = {
                f"u{user}": {column: f"{column} {self.random.randrange(3)}" for column in SEGMENT_COLUMNS}
                for user in range(USERS)
                if self.random.random() < 0.8
            }
            file = self.folder / "segments" / f"{valid_from:%Y%m%dT%H%M%SZ}.csv"
            file.write_text(segments_csv(readers))
            published[f"{valid_from:%Y-%m-%d %H:%M:%S}"] = str(file)
        return published

    def counted_by_duckdb(self, versions: dict[str, str]) -> dict[Key, int]:
        clicks = self.folder / "good.ndjson"
        clicks.write_text("".join(json.dumps(click) + "\n" for click in self.good))
        segments = " UNION ALL ".join(
            f"SELECT TIMESTAMP '{valid_from}' AS valid_from, * FROM read_csv('{file}', all_varchar = true)"
            for valid_from, file in versions.items()
        )
        columns = ", ".join(f"coalesce({column}, '{UNKNOWN}')" for column in SEGMENT_COLUMNS)
        rows = duckdb.sql(
            f"""SELECT
              strftime(clicked_at, '%Y-%m-%dT%H:%M:00.000Z'), article_id, {columns}, count(*)
            FROM read_json('{clicks}', format = 'newline_delimited', columns = {_COLUMNS}) AS c
            ASOF LEFT JOIN (SELECT DISTINCT valid_from FROM ({segments})) AS v ON c.clicked_at >= v.valid_from
            LEFT JOIN ({segments}) AS s USING (valid_from, user_id) GROUP BY ALL"""
        ).fetchall()
        assert all(len(row) == len(COUNT_KEY) + 1 for row in rows)
        return {tuple(key): clicks for *key, clicks in rows}

    def put_next_file(self, number: int) -> None:
        size = (
            self.random.randrange(1, 1 + len(self.lines) * 2 // 3) if number < FILES - 1 else len(self.lines)
        )
        lines, self.lines = self.lines[:size], self.lines[size:]
        hidden = self.folder / "clicks" / f".{number}.json"
        hidden.write_text("\n".join(lines) + "\n")
        hidden.rename(hidden.with_name(f"{number}.json"))

    def place_to_restart_from(self) -> Path | None:
        """None: from nothing, as after the loss of all state."""
        complete = sorted(
            (self.folder / "checkpoints").glob("*/chk-*/_metadata"), key=lambda file: file.stat().st_mtime_ns
        )
        kept = [file.parent for file in complete[-CHECKPOINTS_KEPT:]]
        choice = self.random.choice(["last", "older", "nothing"])
        if not kept or choice == "nothing":
            return None
        return kept[-1] if choice == "last" else self.random.choice(kept)

    def options(self) -> dict[str, str]:
        return {
            "parallelism.default": str(self.random.randint(1, MAX_PARALLELISM)),
            "pipeline.max-parallelism": "128",
            "execution.checkpointing.interval": "300 ms",
            "execution.checkpointing.num-retained": str(CHECKPOINTS_KEPT),
        }


def _run_with_kills(case: KilledRun, application: Streaming) -> None:
    """Until every file is put; the application runs at the end. A kill may come while Flink still starts."""
    for number in range(FILES):
        case.put_next_file(number)
        if application.process is None:
            application.start(restore=case.place_to_restart_from(), flink=case.options())
        if case.random.random() < 0.6:
            time.sleep(case.random.uniform(0, LATEST_KILL_SECONDS))
            application.kill()
    if application.process is None:
        application.start(restore=case.place_to_restart_from(), flink=case.options())


@pytest.mark.parametrize("seed", range(RUNS))
def test_counts_equal_one_query_after_kills_at_any_moment(seed: int, tmp_path: Path) -> None:
    with streaming(tmp_path) as application:
        case = KilledRun(seed, tmp_path)
        expected = case.counted_by_duckdb(case.publish_segments())
        assert sum(expected.values()) == len(case.good)
        _run_with_kills(case, application)
        application.wait_until(
            lambda: sum(application.largest().values()) >= len(case.good), f"all counts of seed {seed}"
        )
        assert application.largest() == expected
        application.wait_until(
            lambda: rejected(tmp_path) >= Counter(map(_shown, case.bad)), f"all rejects of seed {seed}"
        )
        assert rejected(tmp_path).keys() == Counter(map(_shown, case.bad)).keys()


def rejected(folder: Path) -> Counter[str]:
    """A reject can be written again after a restart; never another one."""
    return Counter(map(_shown, read_rows(folder / "rejected_clicks")))


def _shown(click: dict[str, Any]) -> str:
    fields = {name: click.get(name) for name in ("clicked_at", "user_id", "article_id")}
    return json.dumps({name: None if value == [] else value for name, value in fields.items()})
