"""The declared mean, and the declared clicks of a record: what cannot be is refused, with what can."""

import tomllib
from pathlib import Path

import pytest

from lambdas.forwarder.reading import MAX_CLICKS
from settings import Settings, SettingsError, load, packing

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


def test_records_of_one_click_need_no_web_servers(tmp_path: Path) -> None:
    (tmp_path / "trial.toml").write_text(GOOD)
    peak = load("trial", tmp_path).peak
    assert (peak.web_clicks_per_record, peak.mobile_clicks_per_record, peak.web_servers) == (1, 1, None)


@pytest.mark.parametrize(
    "lines",
    [
        "web_servers = 4\nweb_clicks_per_record = 125",  # 500 clicks/s on 4 servers, a flush a second
        "web_servers = 500\nweb_clicks_per_record = 1",
        "web_servers = 10000\nweb_clicks_per_record = 1",
        "mobile_share = 1\nweb_servers = 3",
        "mobile_clicks_per_record = 1.5",
        "mobile_share = 0\nmobile_clicks_per_record = 1",
        "click_bytes = 1048576",
    ],
)
def test_clicks_of_a_record_that_can_be_gathered_are_accepted(lines: str) -> None:
    settings = Settings.model_validate(tomllib.loads(f"{GOOD}{lines}\n"))
    assert list(packing.problems(settings.peak)) == []


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("web_clicks_per_record = 2", r"without peak\.web_servers: set it to the number of web servers"),
        (
            "web_servers = 4\nweb_clicks_per_record = 125.5",
            r"\(125\.5\) is more than a web server gathers in its flush interval of 1 s at the peak "
            r"\(500 clicks/s on peak\.web_servers = 4\): set it to 125 or less",
        ),
        ("web_servers = 3\nweb_clicks_per_record = 167", r"set it to 166\.6 or less"),
        ("web_servers = 600\nweb_clicks_per_record = 1.1", "set it to 1 or less"),
        ("mobile_share = 1\nweb_servers = 1\nweb_clicks_per_record = 2", "set it to 1 or less"),
        ("mobile_clicks_per_record = 2501", r"all apps together click in 5 s at the peak: set it to 2500"),
        ("mobile_share = 0\nmobile_clicks_per_record = 2", "set it to 1 or less"),
        (
            "clicks_per_second = 100000\nweb_servers = 1\nweb_clicks_per_record = 3496",
            r"web_clicks_per_record \(3496\) x peak\.click_bytes \(300\) is more than the 1 MiB of a record: "
            r"set peak\.web_clicks_per_record to 3495",
        ),
        ("click_bytes = 900000\nmobile_clicks_per_record = 1.5", "set peak.mobile_clicks_per_record to 1"),
        (
            "clicks_per_second = 100000\nclick_bytes = 100\nmobile_clicks_per_record = 5001",
            r"more than the 5,000 clicks of a record that the forwarder takes from an app: set it to 5000 or",
        ),
        ("web_clicks_per_record = 0.5", "greater than or equal to 1"),
        ("web_clicks_per_record = nan", "web_clicks_per_record: Input should be"),
        ("mobile_clicks_per_record = inf", "less than or equal to"),
        ("mobile_clicks_per_record = 0", "greater than or equal to 1"),
        ("web_servers = 0", "greater than or equal to 1"),
    ],
)
def test_clicks_of_a_record_that_nobody_can_gather_are_refused(tmp_path: Path, lines: str, says: str) -> None:
    (tmp_path / "trial.toml").write_text(f"{GOOD}{lines}\n")
    with pytest.raises(SettingsError, match=says):
        load("trial", tmp_path)


def test_an_app_may_pack_what_the_forwarder_takes() -> None:
    assert MAX_CLICKS == packing.MAX_MOBILE_CLICKS_PER_RECORD
    text = f"{GOOD}clicks_per_second = 100000\nclick_bytes = 100\nmobile_clicks_per_record = 5000\n"
    assert list(packing.problems(Settings.model_validate(tomllib.loads(text)).peak)) == []


def test_what_the_message_advises_is_accepted(tmp_path: Path) -> None:
    text = f"{GOOD}web_servers = 3\nweb_clicks_per_record = 166.6\n"
    (tmp_path / "trial.toml").write_text(text)
    assert load("trial", tmp_path).peak.web_clicks_per_record == 166.6
