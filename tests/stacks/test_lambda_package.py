"""Packages of Lambda functions: what is in them, and when pip is called."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from aws_cdk import aws_lambda as lambda_

from stacks.constructs import lambda_package
from stacks.constructs.lambda_package import PackageError, lambda_zip
from tests.conftest import PROJECT

PROVIDED = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")
"""What Lambda's Python runtime has beside the standard library."""
DATA = {"forwarder": {"lambdas/forwarder/rules.toml"}}
"""The files that a function's modules open."""
FUNCTIONS = sorted(file.parent.name for file in lambda_package.LAMBDAS.glob("*/handler.py"))


@pytest.fixture
def lambdas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty lambdas/ folder and an empty cache."""
    folder = tmp_path / "lambdas"
    (folder / "trial").mkdir(parents=True)
    (folder / "trial" / "handler.py").write_text("def handler(event, context): ...")
    monkeypatch.setattr(lambda_package, "ROOT", tmp_path)
    monkeypatch.setattr(lambda_package, "LAMBDAS", folder)
    monkeypatch.setattr(lambda_package, "PACKAGES", tmp_path / "cache")
    return folder


def names_in(package: Path) -> list[str]:
    with zipfile.ZipFile(package) as archive:
        return archive.namelist()


def test_a_function_without_requirements_calls_nothing(
    lambdas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("pip was called"))
    (lambdas / "rules.toml").write_text("")
    package = lambda_zip("trial", data=[lambdas / "rules.toml"])
    assert names_in(package) == ["handler.py", "lambdas/rules.toml"]


def test_a_module_that_nothing_imports_never_gets_in(lambdas: Path) -> None:
    for name in ("__init__.py", "used.py", "used_later.py", "used_by_another.py", "unused.py"):
        (lambdas / name).write_text("")
    (lambdas / "used.py").write_text("import json\nfrom lambdas import used_by_another")
    handler = "from lambdas.used import used_by_another\ndef handler():\n    import lambdas.used_later"
    (lambdas / "trial" / "handler.py").write_text(handler)
    assert names_in(lambda_zip("trial")) == [
        "handler.py",
        "lambdas/__init__.py",
        "lambdas/used.py",
        "lambdas/used_by_another.py",
        "lambdas/used_later.py",
    ]


def test_a_help_text_of_the_command_line_changes_no_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("clients", "contract", "lambdas"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "names.py", tmp_path)
    monkeypatch.setattr(lambda_package, "ROOT", tmp_path)
    monkeypatch.setattr(lambda_package, "LAMBDAS", tmp_path / "lambdas")

    def zips() -> dict[str, str]:
        return {name: lambda_zip(name).name for name in FUNCTIONS}

    before = zips()
    for module in (tmp_path / "clients" / "command_line").glob("*.py"):
        module.write_text(f"{module.read_text()}\n# another help text\n")
    assert zips() == before
    library = tmp_path / "clients" / "batch_server" / "reader.py"
    library.write_text(f"{library.read_text()}\n# another query\n")
    assert {name for name, package in zips().items() if package != before[name]} == {
        "feedback",
        "reconciliation",
    }


def test_packages_are_fetched_once_per_content(lambdas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        target = Path(command[command.index("--target") + 1])
        target.mkdir(parents=True)
        (target / "package.py").write_text("")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    requirements = lambdas / "trial" / "requirements.txt"
    requirements.write_text("package==1.0")
    with zipfile.ZipFile(lambda_zip("trial")) as archive:
        assert "package.py" in archive.namelist()
    lambda_zip("trial")
    assert len(calls) == 1
    assert " ".join(calls[0]).count("--only-binary :all:") == 1
    requirements.write_text("package==1.1")
    lambda_zip("trial")
    assert len(calls) == 2


def test_two_syntheses_may_fill_an_empty_cache_at_the_same_time(
    lambdas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lambdas / "trial" / "requirements.txt").write_text("package==1.0")
    calls = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        target = Path(command[command.index("--target") + 1])
        target.mkdir(parents=True)
        (target / "package.py").write_text("")
        if len(calls) == 1:
            lambda_zip("trial")  # the other one, from its beginning to its end
        (target / "last.py").write_text("")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    with zipfile.ZipFile(lambda_zip("trial")) as archive:
        assert {"package.py", "last.py"} <= set(archive.namelist())
    assert len(calls) == 2
    assert len(list(lambda_package.PACKAGES.iterdir())) == 1, "nothing unfinished is left"


def test_a_package_that_cannot_be_fetched_is_answered_with_its_file(
    lambdas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "No matching distribution found for compiled==1.0")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    (lambdas / "trial" / "requirements.txt").write_text("compiled==1.0")
    with pytest.raises(PackageError, match=r"lambdas/trial/requirements.txt .* pure-Python"):
        lambda_zip("trial")


@pytest.fixture(scope="module")
def packages(assembly: Path) -> dict[str, Path]:
    """The zip of each function of `production`."""
    handlers = {(lambda_package.LAMBDAS / name / "handler.py").read_bytes(): name for name in FUNCTIONS}
    found = {}
    for package in assembly.glob("asset.*.zip"):
        with zipfile.ZipFile(package) as archive:
            if "handler.py" in archive.namelist():
                found[handlers[archive.read("handler.py")]] = package
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_zip_holds_what_its_handler_loads_and_nothing_else(
    packages: dict[str, Path], name: str, tmp_path: Path
) -> None:
    """In an interpreter that has nothing but the zip and what Lambda's runtime provides.

    No function imports later than at its start: one that does needs that module added to `loaded`.
    """
    with zipfile.ZipFile(packages[name]) as archive:
        archive.extractall(tmp_path)
        held = set(archive.namelist())
    site = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    for provided in PROVIDED:
        if not (tmp_path / provided).exists():
            (tmp_path / provided).symlink_to(site / provided)
    loaded_files = (
        "import handler, json, sys\n"
        "files = [getattr(module, '__file__', None) for module in sys.modules.values()]\n"
        "print(json.dumps([file for file in files if file]))"
    )
    outcome = subprocess.run(
        [sys.executable, "-S", "-c", loaded_files],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "POWERTOOLS_DEV": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    files = [Path(file) for file in json.loads(outcome.stdout.splitlines()[-1])]
    assert not [file for file in files if file.is_relative_to(site)]
    loaded = {file.relative_to(tmp_path).as_posix() for file in files if file.is_relative_to(tmp_path)}
    ours = {file for file in held if file == "handler.py" or (PROJECT / file).exists()}
    assert ours == {file for file in loaded if file in ours} | DATA.get(name, set())
    assert not [file for file in held if file.endswith(".so")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_the_same_files(name: str) -> None:
    files = {file.name for file in (lambda_package.LAMBDAS / name).glob("*.py")}
    assert {"__init__.py", "handler.py", "configuration.py"} < files


def test_the_tests_of_the_functions_run_on_the_python_that_is_deployed() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    deployed = lambda_.Runtime.PYTHON_3_14
    assert f"FUNCTIONS_PYTHON := {deployed.name}\n" in makefile
    workflow = (PROJECT / ".github" / "workflows" / "checks.yml").read_text()
    assert f'python-version: "{deployed.name.removeprefix("python")}"' in workflow
    templates = (PROJECT / "tests" / "stacks" / "snapshots").glob("*.yaml")
    runtimes = {found for file in templates for found in re.findall(r"Runtime: (\S+)", file.read_text())}
    assert runtimes == {deployed.name}
