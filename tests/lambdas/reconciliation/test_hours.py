"""Hours of clicks, reconciled."""

import base64
import gzip
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from contract.tally import ErasedTally
from lambdas.reconciliation.differences import differences
from lambdas.reconciliation.result import ReconciledHours
from tests.lambdas.reconciliation.world import LATER, MINUTE, NOON, World, click, key_of, record

CLICKS = 300
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def some_clicks(world: World, *, first: int = 0, clicks: int = CLICKS) -> None:
    """One a record, five a minute."""
    for number in range(first, first + clicks):
        at = NOON + number % 60 * MINUTE
        world.send(record(click(number, at, f"article-{number % 7}")), at=at)


def sums(found: ReconciledHours) -> tuple[int, int, int, int, int]:
    return found.received, found.counted, found.rejected, found.unparseable, found.unexplained


def lost_in(found: ReconciledHours) -> list[datetime]:
    return [each.start for each in found.windows if each.missing]


def test_every_click_is_received_and_counted() -> None:
    world = World()
    some_clicks(world)
    world.back_up()
    world.analyse()
    found = world.reconcile()
    assert sums(found) == (CLICKS, CLICKS, 0, 0, 0)
    assert [each.received for each in found.windows] == [CLICKS // 60] * 60
    assert all(each.is_final for each in found.windows)
    assert not differences(found)


@pytest.mark.parametrize("repeated", [0.0, 0.5, 1.0])
def test_a_lost_click_is_missing_in_its_minute_whatever_is_repeated(repeated: float) -> None:
    world = World()
    some_clicks(world)
    world.lost.add((42, 0))
    world.back_up(repeated=repeated)
    world.analyse(repeated=repeated)
    found = world.reconcile()
    assert (found.unexplained, lost_in(found)) == (1, [NOON + 42 * MINUTE])
    [difference] = differences(found)
    assert (difference.clicks, difference.needs_action) == (-1, True)
    assert difference.objects


def test_a_repeated_object_is_no_loss_and_both_objects_are_named() -> None:
    world = World()
    some_clicks(world)
    world.back_up(an_object=CLICKS)
    first, again = world.deliver("raw/", [each for each, _ in world.stream], NOON, times=2)
    world.analyse()
    found = world.reconcile()
    assert sums(found) == (CLICKS, CLICKS, 0, 0, 0)
    assert (sum(each.least for each in found.windows), sum(each.most for each in found.windows)) == (
        CLICKS,
        3 * CLICKS,
    )
    assert {first, again} <= {key for each in found.repetitions for key in (each.first, each.second)}


def test_a_line_twice_in_one_object_was_sent_twice() -> None:
    world = World()
    pack = record(*(click(number, NOON) for number in range(4)))
    world.send(pack, pack)
    world.back_up()
    world.counts.put(key_of(click(0, NOON)), 4)
    found = world.reconcile()
    assert (found.received, found.counted, found.unexplained) == (8, 4, 4)


def test_a_line_in_two_objects_agrees_with_having_been_sent_once_or_twice() -> None:
    pack = record(*(click(number, NOON) for number in range(4)))
    for counted, unexplained in ((3, 1), (4, 0), (8, 0), (9, 1)):
        world = World()
        world.deliver("raw/", [pack, record(click(10, NOON + MINUTE))], NOON)
        world.deliver("raw/", [pack, record(click(11, NOON + MINUTE))], NOON)
        world.counts.put(key_of(click(0, NOON)), counted)
        world.counts.put(key_of(click(0, NOON + MINUTE)), 2)
        assert world.reconcile().unexplained == unexplained


def test_the_clicks_of_a_pack_belong_to_their_own_minutes_and_days() -> None:
    world = World()
    midnight = NOON + 12 * HOUR
    times = [midnight - MINUTE, midnight, midnight + MINUTE, midnight - 2 * MINUTE]
    world.send(record(*(click(number, at) for number, at in enumerate(times))), at=midnight + MINUTE)
    world.back_up()
    world.analyse()
    found = world.reconcile(midnight - HOUR, midnight + HOUR)
    assert [each.start for each in found.windows] == sorted(times)
    assert [(each.received, each.counted) for each in found.windows] == [(1, 1)] * 4
    only = world.reconcile(midnight, midnight + MINUTE)
    assert [each.received for each in only.windows] == [1]


@pytest.mark.parametrize("escaped", [False, True])
def test_a_click_that_arrived_hours_late_is_found_however_it_is_written(escaped: bool) -> None:
    world = World()
    late = record(click(1, NOON, "\u8a18\u4e8b"))
    if escaped:
        late = late.replace(b"2026-01-31T12", b"\\u0032026-01-31T\\u00312")
    world.send(record(click(0, NOON)), at=NOON)
    world.send(record(click(2, NOON + 20 * HOUR)), late, at=NOON + 20 * HOUR)
    world.back_up()
    world.analyse()
    assert sums(world.reconcile()) == (2, 2, 0, 0, 0)


def with_rejects(world: World) -> Counter[str]:
    """Send clicks of which some cannot be counted. Returns the reasons, of those that have a minute."""
    some_clicks(world)
    bad = [
        click(1000, NOON, user_id=""),
        click(1001, NOON, ""),
        click(None, NOON),
        click({"a": 1}, NOON),
        click("\ud83d", NOON),
        click(1002, NOON, "x" * 600),
        click(1003, NOON, 1.5e300, user_id=None),
    ]
    for each in bad:
        world.send(json.dumps(each).encode(), at=NOON)
    return Counter(
        missing_user_id=2, missing_article_id=1, missing_click_id=2, id_not_unicode=1, id_too_long=1
    )


def test_rejects_have_their_reasons_and_a_lost_one_is_missing() -> None:
    world = World()
    reasons = with_rejects(world)
    world.back_up(repeated=0.5)
    world.analyse(repeated=0.5)
    found = world.reconcile()
    assert sums(found) == (CLICKS + 7, CLICKS, 7, 0, 0)
    assert found.windows[0].rejected == reasons
    for key in [key for key in world.oregon.objects if key[0] == "rejected"]:
        del world.oregon.objects[key]
    found = world.reconcile()
    assert (found.unexplained, lost_in(found)) == (7, [NOON])


@pytest.mark.parametrize("starts", [2, 3])
def test_rejects_that_a_start_repeats_are_no_further_clicks(starts: int) -> None:
    world = World()
    reasons = with_rejects(world)
    world.back_up(repeated=0.3)
    for _ in range(starts):
        world.analyse(repeated=0.3)
    found = world.reconcile()
    assert sums(found) == (CLICKS + 7, CLICKS, 7, 0, 0)
    assert found.windows[0].rejected == reasons
    assert found.windows[0].rejected_again >= 7 * (starts - 1)


def test_a_loss_beside_repeated_rejects_is_not_hidden_by_them() -> None:
    world = World()
    with_rejects(world)
    world.lost.add((0, 0))
    world.back_up()
    for _ in range(4):
        world.analyse()
    assert lost_in(world.reconcile()) == [NOON]


def test_a_counted_click_that_a_later_start_rejects_as_too_old_is_counted() -> None:
    world = World()
    some_clicks(world)
    world.back_up()
    world.analyse()
    world.analyse(late=DAY + MINUTE)
    found = world.reconcile()
    assert sums(found) == (CLICKS, CLICKS, 0, 0, 0)
    assert sum(each.counted_and_rejected for each in found.windows) == CLICKS


def test_it_stays_closed_when_rejected_clicks_are_counted_by_a_replay() -> None:
    world = World()
    some_clicks(world)
    for number in range(20):  # a day and an hour late
        world.send(record(click(5000 + number, NOON, "late")), at=NOON + DAY + HOUR)
    world.send(record(click(6000, NOON + 5 * MINUTE, "ahead")), at=NOON)
    world.back_up(repeated=0.4)
    world.analyse(repeated=0.4)
    before = world.reconcile(arrived_until=NOON + 2 * DAY)
    assert sums(before) == (CLICKS + 21, CLICKS, 21, 0, 0)
    world.replay()
    after = world.reconcile(arrived_until=NOON + 2 * DAY)
    assert sums(after) == (CLICKS + 21, CLICKS + 21, 0, 0, 0)
    assert sum(each.counted_and_rejected for each in after.windows) == 21


def test_a_loss_is_not_hidden_by_rejects_of_other_articles_that_were_counted() -> None:
    world = World()
    some_clicks(world)
    for number in range(20):
        world.send(record(click(5000 + number, NOON, "late")), at=NOON + DAY + HOUR)
    world.lost.add((0, 0))
    world.back_up()
    world.analyse()
    world.counts.put(key_of(click(0, NOON, "late")), 20)
    assert lost_in(world.reconcile(arrived_until=NOON + 2 * DAY)) == [NOON]


def test_units_without_a_time_are_reconciled_by_their_hour_of_delivery() -> None:
    world = World()
    for number in range(8):
        world.send(f"no json {number % 2}".encode(), at=NOON + number * MINUTE)
    world.send(json.dumps(click(1, NOON, clicked_at="yesterday")).encode(), at=NOON)
    world.send(json.dumps(click(2, NOON, clicked_at=None)).encode(), at=NOON)
    world.back_up(repeated=1.0)
    world.analyse(repeated=1.0)
    found = world.reconcile()
    assert sums(found) == (10, 0, 2, 8, 0)
    [hour] = found.hours
    assert (hour.start, hour.is_final) == (NOON, True)
    world.lost.add((8, 0))
    for key in [key for key in world.oregon.objects if key[0] == "rejected"]:
        del world.oregon.objects[key]
    world.analyse()
    assert world.reconcile().unexplained == 1


def test_erased_clicks_are_received_and_gone() -> None:
    world = World()
    some_clicks(world)
    world.back_up(an_object=CLICKS)
    world.analyse()
    [key] = [key for bucket, key in world.oregon.objects if bucket == "raw"]
    kept = [each for each, _ in world.stream][1:]
    tally = ErasedTally(
        object=key,
        etag=world.oregon.etag("raw", key),
        becomes="",
        minute="2026-01-31T12:00:00.000Z",
        received=1,
        rejected=0,
    )
    world.oregon.put("raw", key, gzip.compress(b"\n".join(kept)))
    assert world.reconcile().unexplained == 1
    world.oregon.put("raw", "erased/run/1.json", tally.line())
    assert world.reconcile().unexplained == 1, "of a rewriting that never was"
    done = replace(tally, becomes=world.oregon.etag("raw", key))
    world.oregon.put("raw", "erased/run/2.json", done.line())
    assert sums(world.reconcile()) == (CLICKS, CLICKS, 0, 0, 0)


def test_dead_letters_and_given_up_batches_stand_beside() -> None:
    world = World()
    at = "2026-01-31T12:00:01.000Z"
    letter = {"reason": "not_json", "shard": "1", "sequence_number": "1", "place": None, "arrived_at": at}
    other = {**letter, "arrived_at": "2026-01-31T14:00:01.000Z", "sequence_number": "2"}
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in (letter, letter, other))
    world.tokyo.put("dead-letters", "rejected-records/2026/01/31/1.ndjson", lines)
    data = base64.b64encode(record(click(1, NOON), click(2, NOON))).decode()
    kinesis = {"approximateArrivalTimestamp": NOON.timestamp(), "data": data}
    batch = {"payload": json.dumps({"Records": [{"kinesis": kinesis}]})}
    world.tokyo.put("dead-letters", "aws/lambda/1/2", json.dumps(batch).encode())
    found = world.reconcile()
    assert (found.set_aside, found.left_in_tokyo.dead_letters) == (3, {"not_json": 1})
    assert (found.received, found.unexplained) == (0, 0)


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"payload":"{}"}', b"\x1f\x8b damaged", b"[" * 5000, b'{"shard":1}']
)
def test_a_damaged_object_beside_is_named_and_keeps_no_hour_from_being_reconciled(content: bytes) -> None:
    world = World()
    some_clicks(world)
    world.lost.add((0, 0))
    world.back_up()
    world.analyse()
    keys = ["aws/lambda/1/2", "rejected-records/2026/01/31/1.ndjson"]
    for key in keys:
        world.tokyo.put("dead-letters", key, content)
    given_up = "given-up/counts/unreadable/1-whole.json.gz"
    world.oregon.put("rejected", given_up, b"\x1f\x8b damaged")
    found = world.reconcile()
    assert found.unexplained == 1
    assert sorted(found.unreadable_beside) == sorted([given_up, *keys])
    assert [each.needs_action for each in differences(found)] == [True, False, False, False]


def test_what_was_counted_and_not_received_is_a_surplus() -> None:
    world = World()
    some_clicks(world)
    world.back_up()
    world.analyse()
    world.counts.put(key_of(click(0, NOON, "made-up")), 3)
    found = world.reconcile()
    assert (found.unexplained, found.windows[0].surplus) == (3, 3)


def test_a_click_that_no_count_can_contain_leaves_no_room_for_one_counted_twice() -> None:
    world = World()
    with_rejects(world)
    world.back_up()
    world.analyse()
    world.counts.put(key_of(click(0, NOON, "made-up")), 1)
    assert world.reconcile().windows[0].surplus == 1


def test_a_damaged_object_is_named() -> None:
    world = World()
    some_clicks(world)
    world.back_up(an_object=CLICKS)
    world.analyse()
    [key] = [key for bucket, key in world.oregon.objects if bucket == "raw"]
    world.oregon.put("raw", key, world.oregon.objects["raw", key][:-20])
    found = world.reconcile()
    assert found.unreadable == [key]
    assert found.unexplained >= 1


@pytest.mark.parametrize("seed", range(12))
def test_any_packing_repetition_and_restart_closes_and_a_loss_never_does(seed: int) -> None:
    rng = random.Random(seed)
    world = World(rng=rng)
    sent: list[tuple[int, int]] = []
    for number in range(120):
        arrived = NOON + rng.randrange(0, 70) * MINUTE
        clicks = []
        for place in range(rng.randint(1, 6)):
            ago = rng.choice([0, 0, 0, 1, 3, 59, 60 * 23, 60 * 25]) * MINUTE
            changed: dict[str, Any] = rng.choice([{}, {}, {}, {"user_id": ""}, {"clicked_at": "no"}])
            clicks.append(click(number * 10 + place, arrived - ago, f"a-{rng.randrange(3)}", **changed))
            sent.append((number, place))
        pack = rng.choice([record(*clicks), json.dumps(clicks).encode()])
        world.send(pack + rng.choice([b"", b"", f" cut {number}".encode()]), at=arrived)
    world.stream.sort(key=lambda each: each[1])
    world.back_up(an_object=rng.randint(1, 40), repeated=0.3)
    for start in (0, rng.randrange(120), rng.randrange(120)):
        world.analyse(since=start, an_object=rng.randint(1, 9), repeated=0.3)
    found = world.reconcile()
    assert found.unexplained == 0
    assert not differences(found)
    key = rng.choice([key for key in world.counts.documents if key[0].startswith("2026-01-31T12")])
    world.counts.documents[key] -= 1
    least = world.reconcile()
    # Only a click that the clock rejected as well may be told as rejected.
    watched = sum(each.rejected["too_old"] for each in least.windows)
    assert least.unexplained == 1 or watched > sum(each.rejected["too_old"] for each in found.windows)


def test_nothing_received_and_nothing_counted_closes() -> None:
    found = World().reconcile(now=LATER)
    assert sums(found) == (0, 0, 0, 0, 0)
