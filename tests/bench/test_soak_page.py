"""The page of the soak that is kept with the project."""

import json
from dataclasses import replace
from pathlib import Path

from bench.soak.page import FILE, keep, kept, page
from bench.soak.series import SERIES
from tests.bench.test_soak import CLOSED, RATE, drill, record, samples

START = {
    "kind": "start",
    "hours": 2.0,
    "rate": RATE,
    "seed": 1,
    "shape": "a made day",
    "machine": {"cores": 2, "processor": "one", "memory_gib": 24, "measured_at": "2026-01-31 10:00 UTC"},
}
MIB = 300.0


def test_the_committed_page_is_made_from_the_committed_record() -> None:
    found = json.loads(FILE.read_text(encoding="utf-8"))
    assert FILE.with_suffix(".md").read_text(encoding="utf-8") == page(found), "run `make docs`"


def test_the_committed_soak_ran_two_hours_and_each_click_is_accounted_for() -> None:
    found = json.loads(FILE.read_text(encoding="utf-8"))
    assert found["whole"]
    assert found["seconds"] >= found["start"]["hours"] * 3600 >= 2 * 3600
    assert found["clicks"].startswith("every click is accounted for")
    assert found["faults"] == []
    assert {each["name"] for each in found["series"]} == {series.name for series in SERIES}


def test_a_record_is_kept_as_json_page_and_picture(tmp_path: Path) -> None:
    seen = record(samples(lambda _: MIB), [drill(600, 630), drill(900, 960, passed=False)], CLOSED)
    seen = replace(seen, start=START, end=None)
    file = tmp_path / "soak.json"
    remark = "It was a quiet day."
    keep(seen, file, remark=remark)
    made = file.with_suffix(".md").read_text(encoding="utf-8")
    assert made == page(json.loads(file.read_text(encoding="utf-8"))) == page(kept(seen, remark))
    assert file.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert "ran not to its end" in made
    assert f"\n{remark}\n" in made
    assert "every click is accounted for" in made
    assert "| 15 min | 60 s | failed |" in made
    assert all(f"| {series.name} |" in made for series in SERIES)


def test_a_soak_that_grew_says_so_on_its_page() -> None:
    seen = replace(record(samples(lambda hours: MIB + 500 * hours)), start=START)
    [row] = [line for line in page(kept(seen)).splitlines() if "twin's own process" in line]
    assert "| grows |" in row
