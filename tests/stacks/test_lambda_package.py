"""Packages of Lambda functions: what is in them, and when pip is called."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from stacks.parts import lambda_package
from stacks.parts.lambda_package import PackageError, lambda_zip


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
