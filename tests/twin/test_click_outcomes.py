"""The reconciliation of clicks that were read more than once."""

import json
from datetime import UTC, datetime
from typing import Any

from contract.count import start_of_count
from contract.event_time import format_time
from twin.click_outcomes import outcomes_of_clicks

CLICKED_AT = datetime(2026, 1, 31, 9, 15, 30, tzinfo=UTC)
MINUTE = format_time(start_of_count(CLICKED_AT))


def click(click_id: str | None, **fields: Any) -> dict[str, Any]:
    return {
        "click_id": click_id,
        "clicked_at": format_time(CLICKED_AT),
        "user_id": "hanako",
        "article_id": "a",
        **fields,
    }


def lines(*clicks: dict[str, Any]) -> list[bytes]:
    return [json.dumps(click).encode() for click in clicks]


def counts(**clicks: int) -> Any:
    return lambda key: clicks.get(key[1], 0) if key[0] == MINUTE else 0


def test_rejected_and_unparseable_records_are_counted_apart() -> None:
    bad = click("2", user_id="")
    found = outcomes_of_clicks(
        [*lines(click("1"), bad), b"no json"], lines({**bad, "reason": "missing_user_id"}), counts(a=1)
    )
    assert (found.unparseable, found.rejected) == (1, {"missing_user_id": 1})
    assert (found.rejected_again, found.counted_and_rejected) == (0, 0)


def test_a_counted_click_too_old_when_read_again_is_only_counted() -> None:
    read_again = [{**click(str(number)), "reason": "too_old"} for number in range(3)]
    found = outcomes_of_clicks(
        lines(*(click(str(number)) for number in range(3))), lines(*read_again), counts(a=3)
    )
    assert not found.rejected
    assert found.counted_and_rejected == 3


def test_only_as_many_clicks_are_taken_as_counted_as_the_count_has() -> None:
    late = {**click("late"), "reason": "too_old"}
    read_again = {**click("1"), "reason": "too_old"}
    arrived = lines(click("late"), click("1"), click("2"))
    found = outcomes_of_clicks(arrived, lines(late, read_again), counts(a=2))
    assert (found.rejected, found.counted_and_rejected) == ({"too_old": 1}, 1)


def test_a_click_from_a_clock_ahead_counted_later_is_only_counted() -> None:
    ahead = click("1")
    found = outcomes_of_clicks(lines(ahead), lines({**ahead, "reason": "clock_ahead"}), counts(a=1))
    assert (found.rejected.total(), found.counted_and_rejected) == (0, 1)


def test_a_late_click_beside_counted_ones_of_other_articles_stays_rejected() -> None:
    late = click("1")
    found = outcomes_of_clicks(
        lines(late, click("2", article_id="b")), lines({**late, "reason": "too_old"}), counts(b=1)
    )
    assert (found.rejected, found.counted_and_rejected) == ({"too_old": 1}, 0)


def test_a_click_rejected_at_each_reading_is_rejected_once() -> None:
    without_id = click(None)
    bad = [{**click("1", article_id=""), "reason": "missing_article_id"}]
    bad.append({**without_id, "reason": "missing_click_id"})
    found = outcomes_of_clicks(
        lines(click("1", article_id=""), without_id), lines(*bad, *bad, *bad), counts()
    )
    assert found.rejected == {"missing_article_id": 1, "missing_click_id": 1}
    assert found.rejected_again == 4


def test_a_click_sent_twice_is_rejected_twice() -> None:
    bad = click("1", user_id="")
    reject = {**bad, "reason": "missing_user_id"}
    found = outcomes_of_clicks(lines(bad, bad), lines(reject, reject), counts())
    assert (found.rejected, found.rejected_again) == ({"missing_user_id": 2}, 0)


def test_an_id_that_was_no_text_or_was_cut_is_recognised() -> None:
    number, long = click("7"), click("x" * 5000)
    arrived = lines({**number, "click_id": 7, "user_id": ""}, {**long, "user_id": ""})
    rejects = lines(
        {**number, "reason": "missing_user_id"},
        {**long, "click_id": "x" * 4096, "reason": "missing_user_id"},
    )
    found = outcomes_of_clicks(arrived, [*rejects, *rejects], counts())
    assert (found.rejected, found.rejected_again) == ({"missing_user_id": 2}, 2)


def test_rejects_with_half_a_surrogate_pair_are_recognised() -> None:
    bad = click("\ud83d")
    reject = {**click("\ufffd"), "reason": "id_not_unicode"}
    found = outcomes_of_clicks(lines(bad), lines(reject, reject), counts())
    assert (found.rejected, found.rejected_again) == ({"id_not_unicode": 1}, 1)
