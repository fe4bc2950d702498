"""A replay over files: of a range, each distinct click once, whatever its age."""

import gzip
import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analytics_sql.local_flink import JAR
from analytics_sql.main import statements
from contract.click import Click, read_line
from contract.count import start_of_count
from contract.event_time import format_time, parse_time
from contract.sink import REJECTS_TABLE, SINKS
from lambdas.replay.click_range import ClickRange
from lambdas.replay.properties import replay_properties
from tests.analytics_sql import contract, malformed_records
from tests.analytics_sql.bounded_run import MAIN, TIMEOUT_SECONDS, read_rows

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
END = BEGIN + timedelta(minutes=2)
MILLISECOND = timedelta(milliseconds=1)


def properties(folder: Path, asked: ClickRange) -> dict[str, dict[str, str]]:
    return replay_properties(
        asked,
        clicks={"path": str(folder / "clicks")},
        segments=str(folder / "segments"),
        counts={sink.table: str(folder / sink.table) for sink in SINKS},
    )


def click(number: int, at: datetime) -> bytes:
    fields = {"click_id": str(number), "clicked_at": format_time(at), "user_id": "u", "article_id": "a"}
    return json.dumps(fields).encode()


def written(folder: Path, asked: ClickRange) -> Counter[str]:
    """Clicks by minute."""
    groups = properties(folder, asked)
    groups["flink"]["pipeline.jars"] = JAR.as_uri()
    file = folder / "properties.json"
    file.write_text(
        json.dumps([{"PropertyGroupId": name, "PropertyMap": group} for name, group in groups.items()])
    )
    command = [sys.executable, str(MAIN), "--properties", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: Counter[str] = Counter()
    for row in read_rows(folder / SINKS[0].table):
        found[row["minute"]] += row["clicks"]
    return found


@pytest.mark.flink
def test_a_replay_counts_each_distinct_click_of_its_range_once(tmp_path: Path) -> None:
    """Beside plain clicks at the range's ends, every malformed record of the contract's tests, moved into it:
    all are in two files, in another order and packed in another way."""
    far = start_of_count(datetime.now(UTC) + timedelta(days=400))
    asked = ClickRange(begin=BEGIN, end=far, arrived_until=far)
    inside = [BEGIN, BEGIN + MILLISECOND, END, far - MILLISECOND]
    outside = [BEGIN - MILLISECOND, far]
    lines = [click(number, at) for number, at in enumerate([*inside, *outside])]
    lines += [click(0, BEGIN), click(0, BEGIN).replace(b": ", b":")]  # equal bytes, and others
    lines += [*malformed_records.KNOWN, *malformed_records.generated(300)]
    for folder in ("clicks", "segments"):
        (tmp_path / folder).mkdir()
    glued = b" ".join(lines[:4]) + b"\n[" + b",".join(lines[4:8]) + b"]\n"
    (tmp_path / "clicks" / "one.json").write_bytes(b"\n".join(lines) + b"\n")
    (tmp_path / "clicks" / "two.json.gz").write_bytes(gzip.compress(glued + b"\n".join(lines[::-1])))
    at_any_time = datetime(9000, 1, 1, tzinfo=UTC)
    distinct = {
        unit.json: unit.fields
        for line in (*lines, *glued.splitlines())
        for unit in read_line(line)
        if isinstance(unit, Click) and contract.reason(unit.fields, now=at_any_time) is None
    }
    times = [parse_time(str(fields["clicked_at"])) for fields in distinct.values()]
    expected = Counter(
        format_time(start_of_count(at)) for at in times if at and asked.begin <= at < asked.end
    )
    assert written(tmp_path, asked) == expected
    assert expected[format_time(BEGIN)] >= 3
    assert sum(expected.values()) < len(distinct)  # some are out of the range
    assert (tmp_path / SINKS[0].table / "_SUCCESS").is_file()


def test_a_replay_takes_its_own_form_of_a_file_and_else_that_of_a_bounded_run(tmp_path: Path) -> None:
    asked = ClickRange(begin=BEGIN, end=END, arrived_until=END)
    sql = "\n".join(statements(properties(tmp_path, asked), mode="replay"))
    assert "SELECT DISTINCT *\nFROM clicks_with_digest" in sql
    assert f"event_time < TO_TIMESTAMP_LTZ({int(END.timestamp())}, 0)" in sql
    assert "TO_CHANGELOG(" not in sql
    assert sql.count("CREATE TEMPORARY VIEW validated_clicks AS") == 1
    assert sql.count("INSERT INTO") == len(SINKS)
    assert REJECTS_TABLE not in sql


@pytest.mark.parametrize("mode", ["streaming", "batch"])
def test_no_other_run_drops_equal_clicks(mode: str, tmp_path: Path) -> None:
    asked = ClickRange(begin=BEGIN, end=END, arrived_until=END)
    groups = {**properties(tmp_path, asked), REJECTS_TABLE: {"connector": "blackhole"}}
    assert "DISTINCT" not in "\n".join(statements(groups, mode=mode))
