"""Drills in a run as `make run` starts it."""

import pytest

from twin.drills.rehearsal import rehearse


@pytest.mark.twin
def test_a_run_goes_on_and_accounts_for_every_click_after_its_drills() -> None:
    """Flink's process ends in one of them."""
    for done in rehearse(["flink-killed", "poison"], rate=20):
        assert done.passed, done.said
        assert done.said[-1].startswith("every click is accounted for")
