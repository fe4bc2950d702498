"""Which samples give the longest gap in the output while a version of the segments is loaded."""

from argparse import Namespace
from typing import Any, cast

import pytest

from bench.flink_counts import _NewVersion

SAMPLES = [(0.0, 0), (1.0, 10), (1.1, 20), (1.3, 30), (1.4, 40), (1.8, 50), (1.9, 60), (2.0, 70), (3.0, 70)]


def _version(loaded_at: float | None) -> _NewVersion:
    version = _NewVersion(cast(Any, Namespace(samples=SAMPLES)), Namespace(after=20))
    version.moved_at, version.loaded_at = 1.35, loaded_at
    return version


def test_the_gap_while_loading_excludes_the_start_and_the_end_of_the_job() -> None:
    gaps = _version(loaded_at=1.95).gaps()
    assert gaps["gap_before_seconds"] == pytest.approx(0.2)
    assert gaps["gap_loading_seconds"] == pytest.approx(0.4)
    assert gaps["load_seconds"] == pytest.approx(0.6)


@pytest.mark.parametrize("loaded_at", [None, 2.5])
def test_a_version_loaded_after_the_last_click_gives_no_measurement(
    loaded_at: float | None,
) -> None:
    with pytest.raises(SystemExit, match="give it more clicks"):
        _version(loaded_at).gaps()
