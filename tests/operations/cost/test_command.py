"""The command prints tables and JSON, and what it wrote into the docs is what it would write today."""

import io
import json
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cloudformation import Resource
from operations.cost import command, page, report
from operations.cost.cheapest import Cheapest
from operations.cost.command import app, generated, grown
from operations.cost.estimate import estimate_resources
from operations.cost.prices import Prices
from settings import Settings


@pytest.fixture(scope="module")
def found(resources: tuple[Resource, ...], production: Settings, prices: Prices) -> list[Cheapest]:
    return grown(resources, production, prices)


def test_the_tables_in_the_docs_are_those_of_today(
    resources: tuple[Resource, ...], production: Settings, prices: Prices, found: list[Cheapest]
) -> None:
    now = estimate_resources(resources, production, prices)
    assert page.blocks(page.PAGE.read_text()) == generated(resources, production, prices, now, found), (
        "run `make docs` and read the diff of docs/operate/cost.md"
    )


def test_programs_read_json(assembly: Path) -> None:
    ran = CliRunner().invoke(app, ["--environment", "production", "--assembly", str(assembly), "--json"])
    assert ran.exit_code == 0
    plain = json.loads(ran.stdout)
    assert plain["environment"] == "production"
    assert plain["total"]["low"] < plain["total"]["high"]


def test_what_has_no_price_is_named_once_and_ends_no_command(
    assembly: Path, prices: Prices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load_prices", lambda: prices.model_copy(update={"prices": {}}))
    ran = CliRunner().invoke(app, ["--environment", "production", "--assembly", str(assembly)])
    assert ran.exit_code == 0, ran.output
    not_known = [line for line in ran.stderr.splitlines() if line.startswith("not known: ")]
    assert len(not_known) == len(set(not_known)) > 1
    assert "the total is not known" in ran.stderr


def test_people_read_tables(assembly: Path) -> None:
    ran = CliRunner().invoke(app, ["--environment", "production", "--assembly", str(assembly)])
    assert ran.exit_code == 0
    for title in ("USD a month by part", "cheapest settings"):
        assert title in ran.stdout


def test_what_is_not_known_stands_in_the_tables_and_the_rest_is_still_told(
    assembly: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "assembly"
    shutil.copytree(assembly, damaged)
    for file in damaged.glob("*-OregonStorage.template.json"):
        template = json.loads(file.read_text())
        for resource in template["Resources"].values():
            resource["Properties"].pop("EBSOptions", None)
        file.write_text(json.dumps(template))
    arguments = ["--environment", "production", "--assembly", str(damaged)]
    people = CliRunner().invoke(app, arguments)
    assert people.exit_code == 0
    assert re.search(r"click-trends-production +not known +not known", people.stdout)
    assert "total of what is known" in people.stdout
    assert "`EBSOptions.VolumeSize` is left out" in people.output
    programs = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert programs["total"] is None
    assert [one["named"] for one in programs["not_known"]] == ["click-trends-production"]


def test_a_terminal_of_eighty_columns_shows_every_price_in_full(
    resources: tuple[Resource, ...], production: Settings, prices: Prices, found: list[Cheapest]
) -> None:
    now = estimate_resources(resources, production, prices)
    for table in (report.by_part(now), report.by_dimension(now), report.growth(found)):
        console = Console(width=80, record=True, file=io.StringIO())
        console.print(report.shown([table], console.width))
        text = console.export_text()
        assert "…" not in text
        usd = [index for index, title in enumerate(table.titles) if title in {"low", "high"}]
        assert [row for row in table.rows if not all(row[index] in text.split() for index in usd)] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--environment", "nowhere"], "no environment 'nowhere'"),
        (["--environment", "production", "--assembly", "/nowhere"], "is no cloud assembly"),
    ],
)
def test_what_cannot_be_reckoned_is_answered_in_a_sentence(arguments: list[str], says: str) -> None:
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 1
    assert says in str(ran.exception or "") + ran.output


def test_a_damaged_assembly_is_answered_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    ran = CliRunner().invoke(app, ["--environment", "production", "--assembly", str(tmp_path)])
    assert ran.exit_code == 1
    assert isinstance(ran.exception, SystemExit)
    assert "synthesise again" in ran.output


def test_a_generated_part_of_the_docs_is_replaced_and_the_rest_stays() -> None:
    text = "before\n<!-- one -->\nold\n<!-- end one -->\nafter\n"
    assert page.blocks(text) == {"one": "old"}
    assert page.filled(text, {"one": "new"}) == "before\n<!-- one -->\nnew\n<!-- end one -->\nafter\n"
