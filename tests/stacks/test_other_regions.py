"""Another environment beside the first, in regions of its own: what is Tokyo's and Oregon's stands there."""

import json
from pathlib import Path

import pytest

from names import OREGON, TOKYO
from settings import SettingsError, load
from stacks import app as stacks_app

ABROAD = """
environment = "abroad"
account = "111111111111"
[regions]
tokyo = "eu-central-1"
oregon = "eu-north-1"
[alarms]
tokyo_topic_arn = "arn:aws:sns:eu-central-1:111111111111:on-call"
oregon_topic_arn = "arn:aws:sns:eu-north-1:111111111111:on-call"
"""


def written(folder: Path, text: str = ABROAD) -> Path:
    (folder / "abroad.toml").write_text(text)
    return folder


def test_an_environment_in_other_regions_names_no_region_of_the_first(
    tmp_path: Path, no_jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path)
    monkeypatch.setattr(stacks_app, "load", lambda environment: load(environment, folder))
    assembly = stacks_app.build_app("abroad", outdir=tmp_path / "out", jar=no_jar).synth()
    regions = {stack.stack_name: stack.environment.region for stack in assembly.stacks}
    assert regions == {
        "ClickTrends-abroad-OregonStorage": "eu-north-1",
        "ClickTrends-abroad-OregonAnalytics": "eu-north-1",
        "ClickTrends-abroad-TokyoStorage": "eu-central-1",
        "ClickTrends-abroad-TokyoIngest": "eu-central-1",
    }
    for stack in assembly.stacks:
        text = json.dumps(stack.template)
        assert TOKYO not in text
        assert OREGON not in text
        assert "production" not in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("eu-north-1", "eu-central-1"), r"regions\.tokyo and regions\.oregon are both eu-central-1"),
        (('oregon = "eu-north-1"', 'oregon = "cn-north-1"'), r"regions\.oregon \(cn-north-1\) is in another"),
        (('tokyo = "eu-central-1"', 'tokyo = "Frankfurt"'), r"regions\.tokyo: String should match"),
        (("111111111111", "000000000000"), "the twin runs in ap-northeast-1 and us-west-2"),
        (
            ("eu-central-1:111111111111:on-call", "ap-northeast-1:111111111111:on-call"),
            "must be a topic in eu-central-1",
        ),
    ],
)
def test_regions_that_cannot_be_are_refused(tmp_path: Path, changed: tuple[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load("abroad", written(tmp_path, ABROAD.replace(*changed)))


def test_a_delivery_stream_outside_the_large_regions_takes_a_fifth(tmp_path: Path) -> None:
    peak = "[peak]\nclicks_per_second = 2000\n[search]\ninstance_count = 6\n"
    with pytest.raises(SettingsError, match=r"its quota is 1 MiB/s: request 2 MiB/s .* in eu-north-1"):
        load("abroad", written(tmp_path, ABROAD + peak))
    raised = "[delivery]\ndirect_put_mib_per_second = 2\n"
    assert load("abroad", written(tmp_path, ABROAD + peak + raised)).direct_put.records_per_second == 200_000
    large = ABROAD.replace("eu-north-1", "eu-west-1")
    assert load("abroad", written(tmp_path, large + peak)).direct_put.mib_per_second == 5
