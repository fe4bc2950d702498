"""Reconciliation stays closed when a reader is erased, whatever was repeated, late or rejected."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from lambdas.reconciliation.differences import differences
from lambdas.reconciliation.final import ERASED_AGAIN, HALF_ERASED
from names import ERASED_PREFIX
from operations.erasure.erasing import Erasure, places
from operations.erasure.reader import ErasedReader
from operations.erasure.storage import Objects
from tests.lambdas.reconciliation.world import LATER, MINUTE, NOON, World, click, record
from tests.operations.erasure.buckets import WRITTEN, FakeS3, KilledError

CLICKS = 240
READERS = ("hanako", "taro", "jiro")


def with_s3(world: World) -> FakeS3:
    """The world's buckets in S3 that knows conditions."""
    s3 = FakeS3()
    for (bucket, key), body in world.oregon.objects.items():
        s3.add(bucket, key, body)
    world.oregon = s3  # type: ignore[assignment]
    return s3


def erasure(s3: FakeS3, user_id: str, run: str) -> Erasure:
    raw = Objects(s3, "raw")
    return Erasure(
        places=places(raw=raw, rejected=Objects(s3, "rejected"), dead_letters=Objects(s3, "dead-letters")),
        tallies=raw,
        reader=ErasedReader(user_id),
        run=run,
        retention_days=90,
        today=LATER.date(),
    )


def sent(rng: random.Random, *, apart: timedelta = timedelta(0)) -> World:
    """Packs of clicks by three readers, some of them rejected, rests among them. apart: a pack's clicks."""
    world = World(rng=rng)
    for number in range(0, CLICKS, 4):
        at = NOON + number % 60 * MINUTE
        pack = [
            click(each, at + (each - number) * apart, rng.choice("ab"), user_id=rng.choice(READERS))
            for each in range(number, number + 4)
        ]
        if rng.random() < 0.2:
            pack[0]["article_id"] = ""
        if rng.random() < 0.1:
            pack[1]["clicked_at"] = "yesterday"
        line = record(*pack)
        if rng.random() < 0.1:
            line += b'{"user_id":"hanako"'
        world.send(line, at=at)
    return world


def plain(world: World) -> None:
    world.back_up()
    world.analyse()


def repeated(world: World) -> None:
    world.back_up(repeated=0.7)
    world.analyse(repeated=0.7)


def restarted_late(world: World) -> None:
    world.back_up(repeated=0.3)
    world.analyse()
    world.analyse(since=20, late=timedelta(hours=24, minutes=30))


def late_and_replayed(world: World) -> None:
    world.back_up()
    world.analyse(late=timedelta(hours=24, minutes=30))
    world.replay()


@pytest.mark.parametrize("path", [plain, repeated, restarted_late, late_and_replayed])
@pytest.mark.parametrize("seed", range(6))
def test_reconciliation_stays_closed_after_erasures(path: Callable[[World], None], seed: int) -> None:
    world = sent(random.Random(seed))
    path(world)
    before = world.reconcile()
    assert before.unexplained == 0
    s3 = with_s3(world)
    for user_id in ("hanako", "taro"):
        erasure(s3, user_id, user_id).erase()
        after = world.reconcile()
        assert after.unexplained == 0
        assert after.counted == before.counted
        if path is plain:
            assert after.received == before.received


@pytest.mark.parametrize("seed", range(3))
def test_a_click_lost_before_an_erasure_is_still_missing_after_it(seed: int) -> None:
    world = sent(random.Random(seed))
    world.lost.add((30, 2))
    plain(world)
    assert world.reconcile().unexplained == 1
    erasure(with_s3(world), "hanako", "run").erase()
    assert world.reconcile().unexplained == 1


@pytest.mark.parametrize("last", range(1, 60, 3))
def test_reconciliation_is_closed_once_a_stopped_erasure_is_given_again(last: int) -> None:
    world = sent(random.Random(7))
    repeated(world)
    s3 = with_s3(world)

    def kill(number: int, _: str) -> None:
        if number >= last:
            raise KilledError

    s3.before = kill
    with pytest.raises(KilledError):
        erasure(s3, "hanako", "first").erase()
    s3.before = lambda _number, _name: None
    meanwhile = world.reconcile()
    assert meanwhile.unexplained == 0
    assert {each.cause for each in differences(meanwhile)} <= {HALF_ERASED}
    assert not meanwhile.windows or set(meanwhile.pending) <= {HALF_ERASED}
    erasure(s3, "hanako", "second").erase()
    assert world.reconcile().unexplained == 0


@pytest.mark.parametrize("apart", [timedelta(0), MINUTE], ids=["in a minute", "over minutes"])
def test_an_erasure_that_stands_half_done_is_named_where_it_makes_a_difference(apart: timedelta) -> None:
    found = []
    for rewritten in range(1, 8):
        world = sent(random.Random(7), apart=apart)
        repeated(world)
        s3 = with_s3(world)

        def kill(_: int, name: str, *, s3: FakeS3 = s3, rewritten: int = rewritten) -> None:
            written = [key for _, key in s3.writes if not key.startswith(ERASED_PREFIX)]
            if name == "put" and len(written) >= rewritten:
                raise KilledError

        s3.before = kill
        with pytest.raises(KilledError):
            erasure(s3, "hanako", "first").erase()
        s3.before = lambda _number, _name: None
        meanwhile = world.reconcile()
        assert meanwhile.unexplained == 0
        found += meanwhile.pending
        erasure(s3, "hanako", "second").erase()
        assert (world.reconcile().unexplained, world.reconcile().pending) == (0, [])
    assert set(found) == {HALF_ERASED}


def test_clicks_of_an_erased_reader_that_are_delivered_again_are_no_loss() -> None:
    world = sent(random.Random(3))
    plain(world)
    before = world.reconcile()
    as_sent = dict(world.oregon.objects)
    s3 = with_s3(world)
    s3.now = WRITTEN + timedelta(minutes=1)
    erasure(s3, "hanako", "first").erase()
    s3.now = WRITTEN + timedelta(hours=1)
    for (bucket, key), body in as_sent.items():
        if bucket == "raw":
            s3.add(bucket, key.replace(".json.gz", "-again.json.gz"), body)
    again = world.reconcile()
    assert (again.unexplained, again.pending) == (0, [ERASED_AGAIN])
    assert {each.cause for each in differences(again)} == {ERASED_AGAIN}
    s3.now = WRITTEN + timedelta(hours=2)
    erasure(s3, "hanako", "second").erase()
    after = world.reconcile()
    assert (after.unexplained, after.pending, differences(after)) == (0, [], [])
    assert after.counted == before.counted
    count = min(world.counts.documents)
    world.counts.documents[count] -= 1
    lost = world.reconcile()
    assert lost.unexplained == 1, "a loss is still seen"


@pytest.mark.parametrize("seed", range(3))
def test_an_erasure_of_another_reader_hides_no_loss(seed: int) -> None:
    world = sent(random.Random(seed))
    world.lost.add((30, 2))
    plain(world)
    s3 = with_s3(world)
    for minutes, user_id in enumerate(READERS):
        s3.now = WRITTEN + timedelta(minutes=minutes)
        erasure(s3, user_id, user_id).erase()
        assert world.reconcile().unexplained == 1
