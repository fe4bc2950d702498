"""Broken, hostile and late records among good clicks: nothing stops, nothing is lost, each has its reason."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from tests.end_to_end.conftest import Pipeline, as_record, click
from twin.traffic.record import EntryPoint

ARTICLE = "poison-test"
GOOD_CLICKS = 500
LONG_ID = "記" * 333 + "x"  # 1,000 bytes in UTF-8, in 334 characters


def _poison(now: datetime) -> list[tuple[bytes, str]]:
    """(record, reason) of every bad record."""
    good = click(0, article_id=ARTICLE, clicked_at=now)

    def changed(**fields: Any) -> bytes:
        return as_record({**good, **fields})

    def without(field: str) -> bytes:
        return as_record({name: value for name, value in good.items() if name != field})

    return [
        (b'{"click_id": "broken\n', "unparseable"),
        (b"not json at all\n", "unparseable"),
        (b"\xff\xfe\x00\n", "unparseable"),
        (without("user_id"), "missing_user_id"),
        (without("article_id"), "missing_article_id"),
        (without("click_id"), "missing_click_id"),
        (without("clicked_at"), "missing_clicked_at"),
        (changed(user_id=None), "missing_user_id"),
        (changed(user_id=""), "missing_user_id"),
        (changed(article_id={"nested": True}), "missing_article_id"),
        (changed(article_id=["list"]), "missing_article_id"),
        (changed(clicked_at="yesterday"), "invalid_clicked_at"),
        (changed(clicked_at="2099-01-01T00:00:00.000Z"), "clock_ahead"),
        (changed(clicked_at="1970-01-01T00:00:00.000Z"), "too_old"),
        (changed(article_id=LONG_ID), "id_too_long"),
        (changed(user_id=LONG_ID), "id_too_long"),
        (changed(article_id="x" * 1_000_000), "id_too_long"),
        (b"{}\n", "missing_click_id"),
    ]


def test_bad_records_are_rejected_with_a_reason_and_good_clicks_counted(
    pipeline: Pipeline,
) -> None:
    now = datetime.now(UTC)
    before = pipeline.twin.reconciliation()
    poison = _poison(now)
    rejects = pipeline.twin.delivery_streams[pipeline.twin.names.rejects_delivery_stream]
    expected = Counter(reason for _, reason in poison)
    received, bad = rejects.received, expected.total()
    unparseable = expected.pop("unparseable")
    good = [
        as_record(click(number, article_id=ARTICLE, clicked_at=now)) for number in range(1, GOOD_CLICKS + 1)
    ]
    mixed = list(good)
    for position, (record, _) in enumerate(poison):
        mixed.insert(position * 25, record)
    pipeline.send(EntryPoint.WEB, mixed)

    pipeline.wait_until(lambda: pipeline.clicks_counted(ARTICLE) >= GOOD_CLICKS, "good clicks counted")
    pipeline.wait_until(lambda: rejects.received >= received + bad, "every reject delivered")

    after = pipeline.twin.reconciliation()
    assert after.rejected - before.rejected == expected
    assert after.unparseable - before.unparseable == unparseable
    assert after.accounted_for - before.accounted_for == len(mixed)
    assert pipeline.clicks_counted(ARTICLE) == GOOD_CLICKS


def test_what_a_mobile_app_sends_wrong_is_a_dead_letter_and_spares_its_neighbours(pipeline: Pipeline) -> None:
    before, now = pipeline.twin.reconciliation(), datetime.now(UTC)
    article = f"{ARTICLE}-mobile"
    good = [as_record(click(number, article_id=article, clicked_at=now)) for number in range(3)]
    too_long = as_record(click(3, article_id=article, clicked_at=now, user_id=LONG_ID))
    wrong = [b"{ no json\n", json.dumps({"click_id": "1"}).encode(), b"{}" * 1_000]
    pack = good[1] + too_long + good[2].rstrip()
    pipeline.send(EntryPoint.MOBILE, [wrong[0], good[0], *wrong[1:], pack])
    pipeline.wait_until(
        lambda: pipeline.twin.reconciliation().accounted_for - before.accounted_for >= 7,
        "three clicks counted, one rejected, and three dead letters",
    )
    after = pipeline.twin.reconciliation()
    assert pipeline.clicks_counted(article) == len(good)
    assert after.rejected - before.rejected == {"id_too_long": 1}
    letters = after.rejected_by_forwarder - before.rejected_by_forwarder
    assert (letters.total(), letters["too_dense"]) == (len(wrong), 1)
    assert after.accounted_for - before.accounted_for == 7
