"""Clicks sent twice, where repeated click ids are dropped."""

import pytest

from contract.sink import REPEATED_CLICK_ID
from tests.lambdas.reconciliation.world import MINUTE, NOON, World, click, record

CLICKS = 60


@pytest.mark.parametrize("starts", [1, 2, 3])
@pytest.mark.parametrize("repeated", [0.0, 0.5])
def test_a_repeated_click_id_is_rejected_and_leaves_nothing_unexplained(starts: int, repeated: float) -> None:
    """Each click is sent alone and in a pack. A start without state reads all again, and rejects again."""
    world = World()
    for minute in range(0, CLICKS, 2):
        at = NOON + minute * MINUTE
        pair = click(minute, at), click(minute + 1, at)
        for records in (map(record, pair), [record(*pair)]):
            world.send(*records, at=at)
    world.back_up(repeated=repeated)
    for _ in range(starts):
        world.analyse(once=True, repeated=repeated)
    found = world.reconcile()
    assert (found.counted, found.unexplained) == (CLICKS, 0)
    assert all(each.missing == each.surplus == 0 for each in found.windows)
    if not repeated:
        assert found.received == 2 * CLICKS
        assert sum(each.rejected[REPEATED_CLICK_ID] for each in found.windows) == CLICKS
