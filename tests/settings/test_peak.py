"""The declared peak says how a mean second compares with it, at least and at most."""

from pathlib import Path

import pytest

from settings import SettingsError, load

GOOD = 'environment = "trial"\naccount = "111111111111"\n[peak]\nmean_to_peak = '


def test_a_mean_between_two_shares_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "trial.toml").write_text(GOOD + "[0.05, 0.5]\n")
    assert load("trial", tmp_path).peak.mean_to_peak == (0.05, 0.5)


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ("[0.5, 0.2]", r"write \[0.2, 0.5\]"),
        ("[0.0, 0.2]", "greater than 0"),
        ("[0.5, 1.5]", "less than or equal to 1"),
        ("0.5", "mean_to_peak"),
        ("[0.1, 0.2, 0.3]", "mean_to_peak"),
    ],
)
def test_a_mean_that_cannot_be_is_refused(tmp_path: Path, shares: str, says: str) -> None:
    (tmp_path / "trial.toml").write_text(f"{GOOD}{shares}\n")
    with pytest.raises(SettingsError, match=says):
        load("trial", tmp_path)
