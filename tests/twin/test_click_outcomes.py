"""The reconciliation of clicks that were read more than once."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.click import Click, Unread, read
from contract.event_time import format_time
from contract.sink import REPEATED_CLICK_ID
from tests.aggregated import aggregated
from tests.lambdas.reconciliation.world import Counted, key_of
from twin.click_outcomes import ClickOutcomes, outcomes_of_clicks
from twin.delivery_stream import delivered_parts

CLICKED_AT = datetime(2026, 1, 31, 9, 15, 30, tzinfo=UTC)


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


def counts(**clicks: int) -> Counted:
    """By article, of the minute of CLICKED_AT."""
    counted = Counted()
    for article, number in clicks.items():
        counted.put(key_of(click("", article_id=article)), number)
    return counted


def outcomes(raw: list[bytes], rejects: list[bytes], counted: Counted) -> ClickOutcomes:
    """Of one object each."""
    return outcomes_of_clicks([raw], [rejects], counted)


def unparseable(*texts: str) -> list[bytes]:
    """The rejects of unread rests."""
    return lines(
        *(dict.fromkeys(click(""), None) | {"unparseable": text, "reason": "unparseable"} for text in texts)
    )


def test_rejected_clicks_and_unread_rests_are_counted_apart() -> None:
    bad = click("2", user_id="")
    found = outcomes(
        [*lines(click("1"), bad), b"no json"],
        [*lines({**bad, "reason": "missing_user_id"}), *unparseable("no json")],
        counts(a=1),
    )
    assert (found.unparseable, found.rejected) == (1, {"missing_user_id": 1})
    assert (found.rejected_again, found.counted_and_rejected) == (0, 0)


def test_a_counted_click_too_old_when_read_again_is_only_counted() -> None:
    read_again = [{**click(str(number)), "reason": "too_old"} for number in range(3)]
    found = outcomes(lines(*(click(str(number)) for number in range(3))), lines(*read_again), counts(a=3))
    assert not found.rejected
    assert found.counted_and_rejected == 3


def test_only_as_many_clicks_are_taken_as_counted_as_the_count_has() -> None:
    late = {**click("late"), "reason": "too_old"}
    read_again = {**click("1"), "reason": "too_old"}
    arrived = lines(click("late"), click("1"), click("2"))
    found = outcomes(arrived, lines(late, read_again), counts(a=2))
    assert (found.rejected, found.counted_and_rejected) == ({"too_old": 1}, 1)


def test_a_click_from_a_clock_ahead_counted_later_is_only_counted() -> None:
    ahead = click("1")
    found = outcomes(lines(ahead), lines({**ahead, "reason": "clock_ahead"}), counts(a=1))
    assert (found.rejected.total(), found.counted_and_rejected) == (0, 1)


@pytest.mark.parametrize("starts", [1, 2])
def test_a_repeated_click_id_is_rejected_once_for_each_copy_beyond_the_first(starts: int) -> None:
    """A start without state reads all copies again, and rejects all but one of them again."""
    copies = [click("1")] * 3
    rejects = [{**click("1"), "reason": REPEATED_CLICK_ID}] * 2 * starts
    found = outcomes(lines(*copies), lines(*rejects), counts(a=1))
    assert found.rejected == {REPEATED_CLICK_ID: 2}


def test_a_late_click_beside_counted_ones_of_other_articles_stays_rejected() -> None:
    late = click("1")
    found = outcomes(
        lines(late, click("2", article_id="b")), lines({**late, "reason": "too_old"}), counts(b=1)
    )
    assert (found.rejected, found.counted_and_rejected) == ({"too_old": 1}, 0)


def test_a_click_rejected_at_each_reading_is_rejected_once() -> None:
    without_id = click(None)
    bad = [{**click("1", article_id=""), "reason": "missing_article_id"}]
    bad.append({**without_id, "reason": "missing_click_id"})
    found = outcomes(lines(click("1", article_id=""), without_id), lines(*bad, *bad, *bad), counts())
    assert found.rejected == {"missing_article_id": 1, "missing_click_id": 1}
    assert found.rejected_again == 4


def test_a_click_sent_twice_is_rejected_twice() -> None:
    bad = click("1", user_id="")
    reject = {**bad, "reason": "missing_user_id"}
    found = outcomes(lines(bad, bad), lines(reject, reject), counts())
    assert (found.rejected, found.rejected_again) == ({"missing_user_id": 2}, 0)


def test_an_id_that_was_no_text_or_was_cut_is_recognised() -> None:
    number, long = click("7"), click("x" * 5000)
    arrived = lines({**number, "click_id": 7, "user_id": ""}, {**long, "user_id": ""})
    rejects = lines(
        {**number, "user_id": "", "reason": "missing_user_id"},
        {**long, "click_id": "x" * 4096, "user_id": "", "reason": "missing_user_id"},
    )
    found = outcomes(arrived, [*rejects, *rejects], counts())
    assert (found.rejected, found.rejected_again) == ({"missing_user_id": 2}, 2)


def test_clicks_without_an_id_and_with_an_object_for_one_are_both_rejected() -> None:
    arrived = lines(click(None), {**click(None), "click_id": {"a": 1}}, {**click(None), "click_id": [2]})
    rejects = lines({**click(None), "reason": "missing_click_id"}) * 3
    found = outcomes(arrived, rejects, counts())
    assert (found.rejected, found.rejected_again) == ({"missing_click_id": 3}, 0)


def test_rejects_with_half_a_surrogate_pair_are_recognised() -> None:
    bad = click("\ud83d")
    reject = {**click("\ufffd"), "reason": "id_not_unicode"}
    found = outcomes(lines(bad), lines(reject, reject), counts())
    assert (found.rejected, found.rejected_again) == ({"id_not_unicode": 1}, 1)


ONE = lines(click("1"))[0]
BAD = lines(click("2", user_id=""))[0]
BAD_REJECT = lines({**click("2", user_id=""), "reason": "missing_user_id"})[0]


@pytest.mark.parametrize(
    ("record", "rests"),
    [
        (ONE + BAD, []),
        (ONE + b"\r" + BAD + b"\r", []),
        (b"  [" + BAD + b", " + ONE + b"]\t", []),
        (b"\xef\xbb\xbf" + ONE + BAD, []),
        (b'{"click_id":\n"1"}\n' + ONE + BAD, ['{"click_id":', '"1"}']),
        (ONE + BAD + b" no json " + ONE, ["no json " + ONE.decode()]),
        (ONE + BAD + b"\xef\xbb\xbf" + ONE, ["\ufeff" + ONE.decode()]),
        (ONE + BAD + b"\0" + ONE, ["\0" + ONE.decode()]),
        (ONE + BAD + ONE[:20] + b"\n" + ONE[20:], [ONE[:20].decode(), ONE[20:].decode()]),
        (b"7\n" + ONE + BAD + b"7\n[" + ONE + b",7]", ["7", "7", "[" + ONE.decode() + ",7]"]),
        (aggregated([ONE + b"7", BAD, b"\r"]), ["7"]),
    ],
)
def test_every_unit_of_glued_parted_indented_and_cut_input_is_accounted_for(
    record: bytes, rests: list[str]
) -> None:
    units = read(record)
    unread = [unit.data.decode() for unit in units if isinstance(unit, Unread)]
    assert unread == rests
    ids = [unit.fields["click_id"] for unit in units if isinstance(unit, Click)]
    found = outcomes(
        [line for part in delivered_parts(record) for line in part.split(b"\n")],
        [*[BAD_REJECT] * ids.count("2"), *unparseable(*unread)],
        counts(a=ids.count("1")),
    )
    assert ids.count("1") + found.rejected.total() + found.unparseable == len(units)


@pytest.mark.parametrize("starts", [1, 2, 3])
def test_an_unread_rest_rejected_at_each_start_is_counted_once(starts: int) -> None:
    raw = [b"no json", b"no json", b"{} cut", b"\xff\xfe"]
    reported = unparseable("no json", "no json", "cut", "\ufffd\ufffd")
    found = outcomes(raw, reported * starts, counts())
    assert (found.unparseable, found.rejected_again) == (4, 4 * (starts - 1))
    assert not found.rejected


@pytest.mark.parametrize("starts", [1, 2, 3])
def test_an_unread_rest_that_no_start_rejected_is_missing(starts: int) -> None:
    found = outcomes([b"first", b"lost"], unparseable("first") * starts, counts())
    assert found.unparseable == 1


def test_an_unread_rest_that_never_arrived_is_one_too_many() -> None:
    found = outcomes([b"first"], unparseable("first", "made up"), counts())
    assert found.unparseable == 2


@pytest.mark.parametrize(
    ("rest", "shown"),
    [
        (b"x" * 5_000, "x" * 4096),
        ("日".encode() * 5_000, "日" * 4096),
        (b"a\xed\xa0\x80b", "a\ufffdb"),
        (b"a\xed\xa0\x80b", "a\ufffd\ufffd\ufffdb"),
        (b"no json\r", "no json"),
        (b"\xff" * 9_000, "\ufffd" * 4096),
        ("😀".encode() * 3_000, "😀" * 2048),
    ],
)
def test_a_rest_is_recognised_in_its_reject(rest: bytes, shown: str) -> None:
    found = outcomes([rest], unparseable(shown) * 2, counts())
    assert (found.unparseable, found.rejected_again) == (1, 1)
