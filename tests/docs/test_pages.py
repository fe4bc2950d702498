"""The pages are true of the tree: links lead somewhere, named files exist, generated pages are current."""

import re
from pathlib import Path
from typing import get_args

import pytest

from analytics_sql.main import SQL_FOLDER
from clients.batch_server.text import length_text
from contract.count import COUNT_COLUMNS, SEGMENT_FILE_HEADER, WINDOW
from lambdas.feedback.rankings import Unfit
from names import Names
from operations.metrics_page import METRICS_MODULES, metrics_in
from operations.metrics_page import page as metrics_page
from settings.forwarder import ForwarderSettings
from settings.page import page as settings_page
from tests.conftest import PROJECT

DOCS = PROJECT / "docs"
PAGES = [*sorted(PROJECT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")
TO_ANCHOR = re.compile(r"\]\(([^)#\s]*)#([^)\s]+)\)")
ANCHOR = re.compile(r"^#+ (?P<heading>.+)$|<a id=\"(?P<id>[^\"]+)\">", re.MULTILINE)
# A path in backticks that begins with a folder of the tree; `<...>`, `*` and `{a,b}` stand for several names.
NAMED_FILE = re.compile(r"`([a-z_]+/[^`\s]*)`")
ANY = re.compile(r"<[^>]*>|\{[^}]*\}")
# "counts per minute", "counts clicks per 10 seconds"; the page of changes tells of other windows too.
SAID_WINDOW = re.compile(
    r"counts? (?:clicks |are )?per ((?:\d+ )?(?:second|minute|hour|day)s?)\b", re.IGNORECASE
)
OTHER_WINDOWS = DOCS / "start" / "changing_the_query.md"
MADE_HERE = ("clients/web_servers/made/", "cdk.out/", "connectors/target/", ".cache/")


def in_docs(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=in_docs)
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    broken = [link for link in targets if "://" not in link and not (page.parent / link).exists()]
    assert not broken


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings, and those that are written out."""
    found = ANCHOR.finditer(re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S))
    return {
        each["id"] or re.sub(r"[^\w\- ]", "", each["heading"]).lower().replace(" ", "-") for each in found
    }


@pytest.mark.parametrize("page", PAGES, ids=in_docs)
def test_every_link_to_a_part_of_a_page_leads_to_its_heading(page: Path) -> None:
    links = TO_ANCHOR.findall(page.read_text(encoding="utf-8"))
    within = [
        (page.parent / target if target else page, anchor) for target, anchor in links if "://" not in target
    ]
    assert [f"{target}#{anchor}" for target, anchor in within if anchor not in anchors(target)] == []


@pytest.mark.parametrize("page", PAGES, ids=in_docs)
def test_every_file_that_a_page_names_exists(page: Path, tree: list[Path]) -> None:
    folders = {file.parts[0] for file in tree if len(file.parts) > 1}
    named = {
        path for path in NAMED_FILE.findall(page.read_text("utf-8")) if path.partition("/")[0] in folders
    }
    missing = {
        path
        for path in named
        if not path.startswith(MADE_HERE) and not any(PROJECT.glob(ANY.sub("*", path).rstrip("/")))
    }
    assert not missing


def test_the_map_names_every_page_and_the_index_every_decision() -> None:
    for folder, below in ((DOCS, "[!d]*/*.md"), (DOCS / "decisions", "*.md")):
        linked = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
        pages = {page.relative_to(folder).as_posix() for page in folder.glob(below)} - {"README.md"}
        assert pages
        assert pages <= linked, f"{folder.name}/README.md lacks {pages - linked}"


def test_the_index_gives_each_decision_its_title() -> None:
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    for page in (DOCS / "decisions").glob("*.md"):
        if page.name != "README.md":
            title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
            assert f"[{title}]({page.name})" in index


def test_what_a_count_spans_is_said_as_it_is(tree: list[Path]) -> None:
    files = [PROJECT / file for file in tree if file.suffix in {".md", ".py"} and file.parts[0] != "tests"]
    said = {
        (in_docs(file), window)
        for file in files
        if file != OTHER_WINDOWS
        for window in SAID_WINDOW.findall(file.read_text(encoding="utf-8"))
    }
    assert ("README.md", length_text(WINDOW)) in said
    assert {one for one in said if one[1] != length_text(WINDOW)} == set()


def test_the_contract_says_what_a_count_spans() -> None:
    page = (DOCS / "reference" / "contracts.md").read_text(encoding="utf-8")
    assert f"| `minute` | start of the {length_text(WINDOW)}, ISO-8601, UTC |" in page


def test_the_page_of_the_settings_is_made_from_the_code() -> None:
    assert (DOCS / "reference" / "settings.md").read_text(encoding="utf-8") == settings_page(), (
        "run `make docs`"
    )


def test_the_page_of_the_metrics_is_made_from_the_code() -> None:
    assert (DOCS / "reference" / "metrics.md").read_text(encoding="utf-8") == metrics_page(), (
        "run `make docs`"
    )


def test_the_page_of_the_metrics_gives_the_value_of_the_dimension() -> None:
    names = Names(environment="<environment>", account="")
    headings = re.findall(
        r"^## `service` `(.*)`$", (DOCS / "reference" / "metrics.md").read_text("utf-8"), re.MULTILINE
    )
    assert headings == [
        names.feedback,
        names.forwarder,
        names.reconciliation,
        names.redelivery,
        names.replay,
        names.segments_publisher,
    ]


def test_the_forwarders_window_is_that_of_the_settings_where_minutes_become_complete() -> None:
    window = ForwarderSettings().batching_window_seconds
    assert f"gathers for {window} s)" in (DOCS / "start" / "batch_server.md").read_text(encoding="utf-8")


def test_every_metric_that_a_function_publishes_is_explained() -> None:
    for module in METRICS_MODULES:
        published = set(re.findall(r"^([A-Z_]+) = \"[A-Z]\w+\"$", module.read_text("utf-8"), re.MULTILINE))
        assert len(list(metrics_in(module))) == len(published), module


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")))
        assert named <= targets, page.name


def test_the_contracts_name_every_column_of_a_version_and_of_a_count() -> None:
    page = (DOCS / "reference" / "contracts.md").read_text(encoding="utf-8")
    assert f"`{','.join(SEGMENT_FILE_HEADER)}`" in page
    count = page.partition("## Count")[2].partition("\n## ")[0]
    assert {*COUNT_COLUMNS} <= set(re.findall(r"`(\w+)`", count))


def test_the_contracts_give_the_reasons_of_a_reject_in_the_order_of_the_sql() -> None:
    page = (DOCS / "reference" / "contracts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page.partition("## Rejected click")[2], re.MULTILINE)
    files = ("30_checked_clicks.sql", "35_validated_clicks.once.sql")
    checks = "".join((SQL_FOLDER / name).read_text(encoding="utf-8") for name in files)
    assert re.findall(r"`(\w+)`", " ".join(rows)) == re.findall(r"THEN '(\w+)'", checks)


@pytest.mark.parametrize("page", ["feedback.md", "runbook.md"])
def test_a_page_explains_each_reason_why_rankings_are_not_replaced(page: str) -> None:
    text = (DOCS / "operate" / page).read_text(encoding="utf-8")
    rows = text.partition("\n| the log says |")[2].partition("\n\n")[0]
    first_cells = " ".join(re.findall(r"^\|([^|]+)\|", rows, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", first_cells)) == set(get_args(Unfit))


RUNBOOK_PARTS = re.split(
    r"^## ", (DOCS / "operate" / "runbook.md").read_text(encoding="utf-8"), flags=re.MULTILINE
)[1:]


@pytest.mark.parametrize("part", RUNBOOK_PARTS, ids=lambda part: part.partition("\n")[0])
def test_each_part_of_the_runbook_leads_to_the_variables_of_its_commands(part: str) -> None:
    title, _, text = part.partition("\n")
    assert title == "Start here" or text.startswith("\nSet the [variables](#start-here)")


def test_the_readme_says_what_production_costs_as_the_page_of_the_cost_does() -> None:
    total = re.search(
        r"^\| total \| ([\d,]+) \| ([\d,]+) \|$", (DOCS / "operate" / "cost.md").read_text("utf-8"), re.M
    )
    assert total
    low, high = (f"{round(int(number.replace(',', '')), -2):,}" for number in total.groups())
    assert f"about {low} to {high} USD" in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_readme_says_what_each_folder_is(tree: list[Path]) -> None:
    layout = (PROJECT / "README.md").read_text(encoding="utf-8").partition("## Layout")[2]
    folders = {file.parts[0] for file in tree if len(file.parts) > 1 and not file.parts[0].startswith(".")}
    assert folders <= set(re.findall(r"`(\w+)/`", layout))
