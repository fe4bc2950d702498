"""The client and the costs that docs/operate/feedback.md gives."""

import math
import re
import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clients.batch_server import ALL_READERS
from names import TOKYO
from operations.cost.prices import load_prices
from operations.cost.range import exactly
from tests.conftest import PROJECT
from tests.lambdas.feedback.conftest import FEMALE, SETTINGS, Service, counted

PAGE = (PROJECT / "docs" / "operate" / "feedback.md").read_text(encoding="utf-8")
CLIENT = re.compile(r"```python\n(.*?)```", re.DOTALL)
RUNS = 43_800
"""A month of minutes."""


@pytest.mark.usefixtures("as_root")
def test_the_pages_client_reads_falls_back_to_all_readers_and_tells_the_age(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [text] = CLIENT.findall(PAGE)
    assert len([line for line in text.splitlines() if line]) == 10
    file = tmp_path / "client.py"
    file.write_text(text.replace("click-trends-production-trending", service.name), encoding="utf-8")
    trending = runpy.run_path(str(file))["trending"]
    assert (trending("gender=female"), trending("all")) == ([], [])
    now = datetime.now(UTC)
    service.run(counted({FEMALE: {"old": 9}}, now - timedelta(minutes=9)))
    assert trending("gender=female") == ["old"]
    assert "the ranking of gender=female is out of date: counted until" in capsys.readouterr().out
    service.run(counted({ALL_READERS: {"a": 9, "b": 5}, FEMALE: {"b": 3}}, now))
    assert (trending("gender=female"), trending("gender=male")) == (["b"], ["a", "b"])
    assert capsys.readouterr().out == ""


def test_the_cost_of_700_segments_follows_from_formula_and_prices() -> None:
    feedback, prices = SETTINGS.feedback, load_prices()
    item_bytes = 400 + 70 * feedback.articles
    least = feedback.period_minutes / feedback.refresh_minutes
    most_written = 700 * math.ceil(item_bytes / 1024) * RUNS / feedback.period_minutes
    compared = 700 * item_bytes / 4096 * RUNS / feedback.period_minutes

    def usd(price: str, units: float) -> str:
        return f"{prices.price(price, TOKYO).usd(exactly(units), TOKYO).high:.2f} USD"

    told = " ".join(PAGE.split())
    for share, units in ((1, most_written), (least, least * most_written)):
        when = "all change each minute" if share == 1 else "none does"
        assert f"{units / 1e6:.0f} million" in told
        assert f"if {when}, {usd('dynamodb_write', units)}" in told
    assert f"the comparison {usd('dynamodb_read', compared)}" in told
