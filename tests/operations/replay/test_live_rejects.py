"""The clicks that a replay counts though the live path rejected them are told, each once."""

import json
from datetime import UTC, datetime, timedelta

from contract.click import MAX_ID_BYTES
from contract.event_time import format_time
from lambdas.replay.click_range import ClickRange
from operations.replay.live_rejects import LiveRejects

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
END = BEGIN + timedelta(minutes=1)


def reject(click_id: str, reason: str, at: datetime = BEGIN, user_id: str = "u") -> bytes:
    row = {
        "click_id": click_id,
        "clicked_at": format_time(at),
        "user_id": user_id,
        "article_id": "a",
        "reason": reason,
    }
    return json.dumps(row).encode() + b"\n"


def rejects() -> LiveRejects:
    return LiveRejects(ClickRange(begin=BEGIN, end=END, arrived_until=END))


def test_a_repeated_reject_is_one_click() -> None:
    found = rejects()
    found.read([reject("1", "too_old"), reject("2", "too_old")])
    found.read([reject("1", "too_old"), reject("3", "clock_ahead")])
    assert str(found) == "of them the live path had rejected 1 as clock_ahead and 2 as too_old"


def test_what_a_replay_does_not_count_is_not_told() -> None:
    found = rejects()
    found.read(
        [
            reject("1", "id_too_long"),
            reject("2", "too_old", BEGIN - timedelta(milliseconds=1)),
            reject("3", "too_old", END),
            reject("4", "too_old", user_id="日" * (MAX_ID_BYTES // 3 + 1)),
            reject("too_old", "unparseable"),
            b"too_old\n",
            b'["too_old"]\n',
            b'{"reason":"too_old"}\n',
        ]
    )
    assert str(found) == "the live path had rejected none of them by its clock"
