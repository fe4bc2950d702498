"""Packages of Lambda functions: what is in them, and when pip is called."""

import os
import re
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


def test_a_function_without_requirements_calls_nothing(
    lambdas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("pip was called"))
    (lambdas / "answering.py").write_text("")
    with zipfile.ZipFile(lambda_zip("trial", "answering.py")) as archive:
        assert archive.namelist() == ["handler.py", "lambdas/answering.py", "lambdas/trial/handler.py"]


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


def test_each_function_can_be_imported_from_its_package_alone(assembly: Path, tmp_path: Path) -> None:
    site = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    packages = {}
    for package in assembly.glob("asset.*.zip"):
        with zipfile.ZipFile(package) as archive:
            for name in FUNCTIONS:
                if f"lambdas/{name}/handler.py" in archive.namelist():
                    packages[name] = tmp_path / name
                    archive.extractall(packages[name])
    assert packages.keys() == set(FUNCTIONS)
    for folder in packages.values():
        for name in PROVIDED:
            if not (folder / name).exists():
                (folder / name).symlink_to(site / name)
        outcome = subprocess.run(
            [sys.executable, "-S", "-c", "import handler"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "POWERTOOLS_DEV": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcome.returncode == 0, f"{folder.name}: {outcome.stderr}"


def test_the_tests_of_the_functions_run_on_the_python_that_is_deployed() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    deployed = lambda_.Runtime.PYTHON_3_14
    assert f"FUNCTIONS_PYTHON := {deployed.name}\n" in makefile
    workflow = (PROJECT / ".github" / "workflows" / "checks.yml").read_text()
    assert f'python-version: "{deployed.name.removeprefix("python")}"' in workflow
    templates = (PROJECT / "tests" / "stacks" / "snapshots").glob("*.yaml")
    runtimes = {found for file in templates for found in re.findall(r"Runtime: (\S+)", file.read_text())}
    assert runtimes == {deployed.name}
