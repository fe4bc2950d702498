"""The made input of the benchmark of reconciliation adds up, and a lost object of it does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import reconcile_clicks
from bench.reconcile_clicks import main, write_delivered
from bench.sections.reconciliation import SECTION

CLICKS = 6_000


@pytest.fixture(autouse=True)
def small_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile_clicks, "CLICKS_AN_OBJECT", 500)


@pytest.mark.parametrize("hours", [1, 24])
def test_made_clicks_add_up_and_a_lost_object_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], hours: int
) -> None:
    write_delivered(tmp_path, hours=hours, clicks=CLICKS)

    def measured() -> dict[str, Any]:
        main(tmp_path, hours, CLICKS, CLICKS)
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    answer = measured()
    assert (answer["received"], answer["counted"], answer["unexplained"]) == (CLICKS, CLICKS, 0)
    assert answer["repeated"] == 500
    (tmp_path / "clicks" / "0000002000.json.gz").unlink()
    assert measured()["unexplained"] > 0


def test_a_day_that_was_not_run_is_told_as_a_slope() -> None:
    one = {
        "clicks": 2_000_000,
        "later": 0,
        "cpu_seconds": 10.0,
        "seconds": 10.0,
        "peak_mib": 200.0,
        "disk_mib": 50.0,
    }
    ten = {**one, "clicks": 10_000_000, "cpu_seconds": 50.0, "peak_mib": 208.0, "disk_mib": 250.0}
    text = " ".join(str(block) for block in SECTION.report({"days": [one, ten], "hours": [ten]}))
    assert "100,000,000 clicks take 8 minutes of a core, 298 MiB of memory and 2.4 GiB" in text
    assert "was not run" in text
