"""When minutes are final, and what is set aside until then."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from lambdas.reconciliation.differences import GIVEN_UP, WAITING, differences
from lambdas.reconciliation.final import COUNTS_WAIT, NOT_DUE, NOT_KNOWN, NOT_READ, Reading
from tests.lambdas.reconciliation.test_hours import CLICKS, DAY, HOUR, some_clicks
from tests.lambdas.reconciliation.world import DELAYS, MINUTE, NOON, World, click, key_of, record


def test_a_minute_is_provisional_until_its_clicks_may_not_arrive_any_more() -> None:
    world = World()
    some_clicks(world)
    world.back_up()
    found = world.reconcile(now=NOON + 2 * HOUR)
    assert found.unexplained == 0
    assert not any(each.is_final for each in found.windows)
    assert {each.cause for each in differences(found)} == {NOT_DUE}
    assert world.reconcile(now=NOON + 2 * DAY).unexplained == CLICKS


def failed(key: tuple[str, ...], clicks: int, index: str = "click-counts.undated") -> dict[str, Any]:
    """As Firehose writes a count that OpenSearch did not take."""
    fields = dict(zip(("minute", "article_id", "gender", "age_band", "region"), key, strict=True))
    count = {**fields, "clicks": clicks, "published_at": "2026-01-31T12:00:00.000Z"}
    data = base64.b64encode(json.dumps(count).encode()).decode()
    return {"errorCode": "429", "esIndexName": index, "rawData": data}


@pytest.mark.parametrize(
    ("prefix", "cause", "number"),
    [
        ("failed-documents/counts/x/", WAITING, "waiting"),
        ("waiting-documents/counts/", WAITING, "waiting"),
        ("given-up/counts/refused/", GIVEN_UP, "given_up"),
    ],
)
def test_what_is_set_aside_explains_as_much_as_the_index_lacks(prefix: str, cause: str, number: str) -> None:
    world = World()
    some_clicks(world)
    world.send(*(record(click(number, NOON, "article-0")) for number in range(900, 909)))
    world.back_up()
    world.analyse()
    key = key_of(click(0, NOON, "article-0"))
    of_key = world.counts.documents.pop(key)
    world.counts.documents[key] = of_key - 1
    lines = [failed(key, of_key), failed(key, of_key - 1), failed(key, 99, "click-counts-2.undated")]
    content = "".join(map(json.dumps, lines)).encode()
    world.oregon.put("rejected", f"{prefix}1.json", content)
    found = world.reconcile()
    [difference] = differences(found)
    assert (difference.clicks, difference.cause, difference.needs_action) == (-1, cause, False)
    assert difference.objects == (f"{prefix}1.json",)
    assert getattr(found.windows[0], number) == 1
    assert [each.pending for each in found.windows if each.pending] == [COUNTS_WAIT] * (number == "waiting")
    other = key_of(click(0, NOON, "article-4"))
    world.counts.documents[other] -= 1
    [first, *_] = world.reconcile().windows
    assert (first.unexplained, getattr(first, number)) == (1, 1), "of a key that no document holds"


def test_a_minute_is_not_final_before_the_application_has_read_it() -> None:
    world = World()
    some_clicks(world)
    world.lost.add((42, 0))
    world.back_up()
    world.analyse()
    now = NOON + HOUR + DELAYS.until_final
    for behind, pending in ((timedelta(0), []), (30 * MINUTE, [NOT_READ]), (None, [NOT_KNOWN])):
        found = world.reconcile(now=now, reading=Reading(behind=behind))
        assert (found.pending, found.is_final) == (pending, not pending)
        assert (found.unexplained, found.not_known) == (int(not pending), int(behind is None))
        [difference] = differences(found)
        assert difference.needs_action == (not pending)


def test_a_count_that_is_redelivered_meanwhile_is_not_missing() -> None:
    """It is in S3 when the windows are first asked for, and in OpenSearch ever after."""
    world = World()
    some_clicks(world)
    world.back_up()
    world.analyse()
    key = key_of(click(0, NOON, "article-0"))
    clicks = world.counts.documents.pop(key)
    place = ("rejected", "waiting-documents/counts/1.json")
    world.oregon.put(*place, json.dumps(failed(key, clicks)).encode())
    of_windows = world.counts.of_windows

    def then_redelivered(windows: range) -> dict[int, int]:
        found = of_windows(windows)
        world.counts.put(key, clicks)
        world.oregon.objects.pop(place, None)
        return found

    world.counts.of_windows = then_redelivered  # type: ignore[method-assign]
    found = world.reconcile()
    assert (found.unexplained, found.is_final) == (0, True)
