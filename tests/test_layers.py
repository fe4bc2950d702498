"""What a module may load: import-linter sees every folder, and a light module stays light."""

import subprocess
import sys
import tomllib

import pytest

from tests.conftest import PROJECT

LAYERED = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]


def loaded_by(module: str) -> set[str]:
    """The packages that importing `module` alone loads."""
    check = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    outcome = subprocess.run(
        [sys.executable, "-c", check], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return set(outcome.stdout.split())


@pytest.mark.parametrize("package", LAYERED)
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    """import-linter looks into no other, so what a module in one imports would go unchecked."""
    folders = {module.parent for module in (PROJECT / package).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    ("module", "kept_out"),
    [
        ("settings", {"aws_cdk", "boto3", "botocore", "clients", "lambdas"}),
        ("contract.limits", {"boto3", "pydantic"}),
        ("operations.ci.deploying", {"aws_cdk", "stacks"}),
        ("operations.ci.comment", {"aws_cdk", "boto3", "settings"}),
        ("operations.ci.drift", {"aws_cdk", "boto3", "settings"}),
        ("operations.ci.summary", {"aws_cdk", "boto3", "settings"}),
    ],
)
def test_a_light_module_loads_nothing_heavy(module: str, kept_out: set[str]) -> None:
    assert loaded_by(module) & kept_out == set()


@pytest.mark.parametrize("module", sorted(file.stem for file in PROJECT.glob("*.py") if file.stem != "app"))
def test_a_module_at_the_top_is_below_every_layer(module: str) -> None:
    """import-linter looks into packages only."""
    assert loaded_by(module) & set(LAYERED) == set()
