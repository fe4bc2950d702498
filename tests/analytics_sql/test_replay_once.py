"""A replay where repeated click ids are dropped counts what the live path counts, and no more."""

import json
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analytics_sql import main
from analytics_sql.local_flink import JAR
from contract.event_time import format_time
from contract.sink import REJECTS_TABLE, SINKS
from lambdas.replay.click_range import ClickRange
from lambdas.replay.properties import Properties, replay_properties
from tests.analytics_sql.bounded_run import MAIN, TIMEOUT_SECONDS, read_rows

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
END = BEGIN + 3 * HOUR
REMEMBERED_HOURS = 2
ASKED = ClickRange(begin=BEGIN, end=END, arrived_until=END)
Fields = dict[str, str]
Count = tuple[str, str]
"""A minute and an article."""


def click(click_id: object, at: datetime, article_id: str = "a", **fields: str) -> Fields:
    named = {"click_id": str(click_id), "clicked_at": format_time(at), "user_id": "u"}
    return {**named, "article_id": article_id, **fields}


def count(at: datetime, article_id: str = "a") -> Count:
    return format_time(at.replace(second=0, microsecond=0)), article_id


def groups_in(folder: Path) -> Properties:
    return replay_properties(
        ASKED,
        clicks={"path": str(folder / "clicks")},
        segments=str(folder / "segments"),
        counts={sink.table: str(folder / sink.table) for sink in SINKS},
        remembered_hours=REMEMBERED_HOURS,
    )


def replayed(folder: Path) -> Counter[Count]:
    groups = groups_in(folder)
    groups["flink"]["pipeline.jars"] = JAR.as_uri()
    file = folder / "properties.json"
    file.write_text(
        json.dumps([{"PropertyGroupId": name, "PropertyMap": group} for name, group in groups.items()])
    )
    command = [sys.executable, str(MAIN), "--properties", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts: Counter[Count] = Counter()
    for row in read_rows(folder / SINKS[0].table):
        counts[row["minute"], row["article_id"]] += row["clicks"]
    return counts


@pytest.mark.flink
def test_a_replay_of_repeated_click_ids_counts_what_the_live_path_counts(tmp_path: Path) -> None:
    """What the live path rejects as `repeated_click_id` if it reads clicks in the order of `clicked_at`."""
    plain = [click(n, BEGIN + n * 10 * SECOND, f"a{n % 3}") for n in range(60)]
    copies = [*plain, *plain[:30], *({**each, "platform": "app"} for each in plain[:20])]
    of_another = [click("moved", BEGIN + MINUTE, "first"), click("moved", BEGIN + 9 * MINUTE, "second")]
    of_a_reject = [click("mended", BEGIN, user_id=""), click("mended", BEGIN + MINUTE, "mended")]
    one_id = [click("same", BEGIN + n * MINUTE, f"b{n}") for n in range(10)]
    before = [click("before", BEGIN + n * MINUTE, "before") for n in (-1, 1, 2)]
    forgotten = [click("forgotten", BEGIN + n * HOUR / 2, "forgotten") for n in (-5, 0, 5)]
    edge = [click("edge", BEGIN + n * SECOND, "edge") for n in (0, 7_200)]
    gone_by_then = [click("wrong clock", BEGIN - 9_000 * HOUR), click("wrong clock", BEGIN + MINUTE, "clock")]
    nameless = [click("", BEGIN), {"clicked_at": format_time(BEGIN), "user_id": "u", "article_id": "a"}] * 2
    text = [click("null", BEGIN, "null")] * 2
    lists = (
        plain,
        copies,
        of_another,
        of_a_reject,
        one_id,
        before,
        forgotten,
        edge,
        gone_by_then,
        nameless,
        text,
    )
    clicks = [each for some in lists for each in some]
    random.Random(7).shuffle(clicks)
    for folder in ("clicks", "segments"):
        (tmp_path / folder).mkdir()
    for number in range(3):
        lines = [json.dumps(each) + "\n" for each in clicks[number::3]]
        (tmp_path / "clicks" / f"{number}.json").write_text("".join(lines))
    expected = Counter(count(BEGIN + n * 10 * SECOND, f"a{n % 3}") for n in range(60))
    expected += Counter(
        [
            count(BEGIN + MINUTE, "first"),
            count(BEGIN + MINUTE, "mended"),
            count(BEGIN, "b0"),
            count(BEGIN, "forgotten"),
            count(BEGIN + 5 * HOUR / 2, "forgotten"),
            count(BEGIN, "edge"),
            count(BEGIN + MINUTE, "clock"),
            count(BEGIN, "null"),
        ]
    )
    assert replayed(tmp_path) == expected


def test_its_option_is_the_one_that_the_sql_is_chosen_by(tmp_path: Path) -> None:
    groups = groups_in(tmp_path)
    assert main.remembered_seconds(groups) == REMEMBERED_HOURS * 3600
    sql = "\n".join(main.statements(groups, mode="replay"))
    assert "LAG(utc_time) OVER (PARTITION BY click_id" in sql
    assert "clicks_with_digest" not in sql
    assert sql.count("CREATE TEMPORARY VIEW validated_clicks AS") == 1
    assert "${" not in sql
    assert REJECTS_TABLE not in sql
