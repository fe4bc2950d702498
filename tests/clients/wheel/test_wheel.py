"""The wheel of `make wheel`, installed where there is nothing but what it depends on."""

import json
import os
import re
import signal
import site
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from datetime import datetime, timedelta
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

from clients import __version__
from clients.wheel.hook import WheelError, modules, rewritten
from tests.clients.batch_server.counts import AddCounts, count
from tests.conftest import PROJECT

NAMES = [
    *("batch_server", "board", "command_line", "contract", "dashboards"),
    *("__init__.py", "interruption.py", "names.py", "py.typed"),
]
DEPENDS_ON = {"boto3", "opensearch-py", "rich", "starlette", "tenacity", "typer", "uvicorn"}
RANGE = re.compile(r"(?P<name>[a-z0-9-]+)(?P<below><\d+),(?P<from>>=[\d.]+)")


def run(*command: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Outside of the tree, so that none of its modules can be imported."""
    return subprocess.run(
        command,
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def built(folder: Path) -> Path:
    build: list[str | Path] = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        folder,
    ]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    [wheel] = folder.iterdir()
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a new environment that has the wheel, and sees the packages of this one."""
    environment = tmp_path_factory.mktemp("environment")
    python = environment / "bin" / "python"
    made = run(sys.executable, "-m", "venv", "--without-pip", environment)
    assert made.returncode == 0, made.stderr
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    installed = run(*pip, "--no-index", "--no-deps", wheel)
    assert installed.returncode == 0, installed.stderr
    [packages] = (environment / "lib").glob("python*/site-packages")
    (packages / "seen.pth").write_text("\n".join(site.getsitepackages()))
    return python.parent


def test_it_holds_one_package_of_what_the_command_needs(wheel: Path) -> None:
    assert wheel.name == f"click_trends-{__version__}-py3-none-any.whl"
    files = [Path(name).parts for name in zipfile.ZipFile(wheel).namelist()]
    assert {parts[0] for parts in files} == {"click_trends", f"click_trends-{__version__}.dist-info"}
    assert {parts[1] for parts in files if parts[0] == "click_trends"} == set(NAMES)
    board = {"/".join(parts[2:]) for parts in files if parts[:2] == ("click_trends", "board")}
    page = {f"page/{file.name}" for file in (PROJECT / "clients" / "board" / "page").iterdir()}
    charts = {"charts/uPlot.esm.js", "charts/uPlot.min.css", "charts/LICENSE"}
    assert {name for name in board if not name.endswith(".py")} == page | charts


def test_each_module_of_the_library_and_the_board_is_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("batch_server", "board", "command_line", "dashboards"):
        for file in (PROJECT / "clients" / folder).glob("*.py"):
            assert f"click_trends/{folder}/{file.name}" in names


def test_the_same_tree_gives_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    assert built(tmp_path).read_bytes() == wheel.read_bytes()


def metadata(wheel: Path, name: str) -> str:
    return zipfile.ZipFile(wheel).read(f"click_trends-{__version__}.dist-info/{name}").decode()


def test_its_dependencies_allow_the_versions_that_are_tested(wheel: Path) -> None:
    told = Parser().parsestr(metadata(wheel, "METADATA"))
    assert (told["Name"], told["Version"], told["Requires-Python"]) == ("click-trends", __version__, ">=3.11")
    assert told["License-Expression"] == "Apache-2.0 AND MIT"
    assert metadata(wheel, "licenses/LICENSE") == (PROJECT / "LICENSE").read_text()
    ranges = [found for each in told.get_all("Requires-Dist", []) if (found := RANGE.fullmatch(each))]
    assert {each["name"] for each in ranges} == DEPENDS_ON
    tested = (PROJECT / "requirements.txt").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==([\d.]+)", tested, re.MULTILINE))
    for each in ranges:
        pinned = [int(number) for number in pins[each["name"]].split(".")]
        assert pinned >= [int(number) for number in each["from"][2:].split(".")], each["name"]
        assert pinned < [int(each["below"][1:])], each["name"]


def test_its_command_is_click_trends(wheel: Path) -> None:
    told = metadata(wheel, "entry_points.txt")
    assert told == "[console_scripts]\nclick-trends = click_trends.command_line.__main__:main\n"
    build = tomllib.loads((PROJECT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert build == [
        line for line in (PROJECT / "requirements.in").read_text().split() if "hatchling" in line
    ]


def test_it_says_its_version_and_its_help(commands: Path) -> None:
    assert run(commands / "click-trends", "--version").stdout == f"click-trends {__version__}\n"
    helped = run(commands / "click-trends", "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.lstrip().startswith("Usage: click-trends ")


def test_nothing_of_the_tree_stands_beside_the_package(commands: Path) -> None:
    for name in ("names", "contract", "clients", "interruption"):
        asked = run(commands / "python", "-c", f"import {name}")
        assert "ModuleNotFoundError" in asked.stderr, name


def credentials(endpoint: str) -> dict[str, str]:
    return {
        "CLICK_TRENDS_ENDPOINT": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }


def test_it_answers_from_opensearch(
    commands: Path, opensearch: str, add_counts: AddCounts, day: datetime
) -> None:
    add_counts([count(day, "記事-1", 5), count(day, "b", 3)])
    asked = ["top", "--last", "1h", "--until", (day + timedelta(hours=1)).isoformat(), "--json"]
    answered = run(commands / "click-trends", *asked, **credentials(opensearch))
    assert answered.returncode == 0, answered.stderr
    rows: list[dict[str, Any]] = json.loads(answered.stdout)["rows"]
    assert [(row["article_id"], row["clicks"]) for row in rows] == [("記事-1", 5), ("b", 3)]


def test_it_is_a_library(commands: Path, opensearch: str, add_counts: AddCounts, day: datetime) -> None:
    add_counts([count(day, "a", 5)])
    program = f"""
from datetime import datetime, timedelta
from click_trends.batch_server import connect
until = datetime.fromisoformat({(day + timedelta(hours=1)).isoformat()!r})
print(connect({opensearch!r}).top(timedelta(hours=1), until=until).top.clicks)
"""
    answered = run(commands / "python", "-c", program, **credentials(opensearch))
    assert (answered.stdout, answered.stderr) == ("5\n", "")


def test_its_board_serves_the_page_and_its_charts(commands: Path) -> None:
    board = subprocess.Popen(
        [commands / "click-trends", "board", "--port", "0"],
        cwd="/",
        env={"PATH": os.environ["PATH"], **credentials("http://127.0.0.1:1")},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert board.stderr is not None
        told = board.stderr.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", told)
        assert address, told
        for path in ("/", "/page/board.js", "/charts/uPlot.esm.js", "/charts/uPlot.min.css"):
            with urllib.request.urlopen(address[0] + path, timeout=30) as answer:
                assert answer.read()
    finally:
        board.send_signal(signal.SIGINT)
        _, rest = board.communicate(timeout=30)
    assert "Traceback" not in rest


def test_no_module_of_the_other_layers_comes_in() -> None:
    layers = {".".join(module.split(".")[:2]) for module in modules(PROJECT)}
    assert not layers & {"clients.web_servers", "clients.mobile_app", "clients.wheel"}
    assert {layer.partition(".")[0] for layer in layers} == {"clients", "contract", "interruption", "names"}


def test_every_way_to_import_is_rewritten_or_refused() -> None:
    file = Path("x.py")
    text = (
        "from names import A\nif A:\n    from clients.board import (\n        b,\n    )\nfrom nam import c\n"
    )
    assert rewritten(text, file) == (
        "from click_trends.names import A\nif A:\n    from click_trends.board import (\n        b,\n    )\n"
        "from nam import c\n"
    )
    assert rewritten("from clients import board\n", file) == "from click_trends import board\n"
    for refused in (
        "import names",
        "import contract.count as c",
        "from . import a",
        "from \\\n    names import b",
    ):
        with pytest.raises(WheelError, match=r"x\.py, line 1"):
            rewritten(refused, file)
