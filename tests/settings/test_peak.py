"""Low and high estimates of the mean click rate as a share of the declared peak."""

from pathlib import Path

import pytest

from settings import SettingsError, load

GOOD = 'environment = "trial"\naccount = "111111111111"\n[peak]\n'


def test_a_mean_between_two_shares_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "trial.toml").write_text(GOOD + "mean_to_peak_min = 0.05\nmean_to_peak_max = 0.05\n")
    peak = load("trial", tmp_path).peak
    assert peak.mean_to_peak_min == peak.mean_to_peak_max == 0.05


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("mean_to_peak_min = 0.5", r"mean_to_peak_min \(0.5\) must not exceed .* set it to 0.4 or less"),
        ("mean_to_peak_min = 0.0", "greater than 0"),
        ("mean_to_peak_max = 1.5", "less than or equal to 1"),
    ],
)
def test_a_mean_that_cannot_be_is_refused(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "trial.toml").write_text(f"{GOOD}{line}\n")
    with pytest.raises(SettingsError, match=says):
        load("trial", tmp_path)
