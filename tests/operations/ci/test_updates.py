"""Versions that stand in several places are the same ones, and Renovate finds each place."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.conftest import PROJECT

RENOVATE: dict[str, Any] = json.loads((PROJECT / "renovate.json").read_text(encoding="utf-8"))
FUNCTIONS = ("feedback", "forwarder", "reconciliation", "redelivery", "segments_publisher")
REQUIREMENTS = (
    "requirements.txt",
    "bench/requirements.txt",
    *(f"lambdas/{function}/requirements.txt" for function in FUNCTIONS),
)
NAME = re.compile(r"^([A-Za-z0-9._-]+)")


def pins(file: str) -> dict[str, str]:
    """Package -> its version, of a requirements file with hashes."""
    text = (PROJECT / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)", text, re.MULTILINE))


def test_the_hooks_use_the_versions_of_the_requirements() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0][
        "hooks"
    ]
    named = [one.split("==") for hook in hooks for one in hook.get("additional_dependencies", [])]
    assert {name for name, _ in named} == {"ruff", "zizmor", "check-jsonschema"}
    assert dict(named) == {name: pins("requirements.txt")[name] for name, _ in named}
    assert all("additional_dependencies" in hook or hook["language"] == "system" for hook in hooks)


def test_every_package_of_python_has_the_hashes_of_its_files() -> None:
    """pip then refuses a file that is not the one that was chosen, and a package that is not named."""
    for file in (PROJECT / name for name in REQUIREMENTS):
        text = file.read_text(encoding="utf-8").replace("\\\n", " ")
        packages = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert packages
        assert all(re.search(r" --hash=sha256:[0-9a-f]{64}", line) for line in packages), file


def test_renovate_repeats_the_command_that_makes_the_requirements() -> None:
    """It reads the command in the first lines: docs.renovatebot.com/modules/manager/pip-compile/."""
    [pattern] = RENOVATE["pip-compile"]["managerFilePatterns"]
    assert re.search(pattern.strip("/"), "requirements.txt")
    command = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()[1].removeprefix("#    ")
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert command.replace("compile ", "compile --quiet ", 1) in " ".join(
        makefile.replace("\\\n", " ").split()
    )
    lines = (PROJECT / "requirements.in").read_text(encoding="utf-8").splitlines()
    imported = {found[1].lower() for line in lines if (found := NAME.match(line))}
    assert imported <= set(pins("requirements.txt"))


@pytest.mark.parametrize(
    ("manager", "expected"),
    [
        (
            0,
            {
                "org.opensearch.distribution.integ-test-zip:opensearch",
                "org.jruby:jruby-complete",
                "org.apache.maven.plugins:maven-dependency-plugin",
                "github.com/rhysd/actionlint",
                "awscli",
                "uv",
            },
        ),
        (1, {"ruff", "zizmor", "check-jsonschema"}),
    ],
)
def test_renovate_finds_the_versions_that_no_manager_of_its_own_knows(
    manager: int, expected: set[str]
) -> None:
    rule = RENOVATE["customManagers"][manager]
    [pattern] = rule["managerFilePatterns"]
    file = "Makefile" if manager == 0 else ".pre-commit-config.yaml"
    assert re.search(pattern.strip("/"), file)
    expression = re.compile(rule["matchStrings"][0].replace("(?<", "(?P<"))
    found = [match.groupdict() for match in expression.finditer((PROJECT / file).read_text(encoding="utf-8"))]
    assert {one["depName"] for one in found} == expected
    assert all(re.fullmatch(r"v?\d+(\.\d+)+", one["currentValue"]) for one in found)


def test_each_version_in_the_makefile_is_one_that_renovate_finds() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assigned = re.findall(r"^\w+ := .*\d+\.\d+\.\d+$", makefile, re.MULTILINE)
    assert len(assigned) == makefile.count("# renovate: ") == 6


def test_peers_move_together_and_npm_s_accidental_latest_is_refused() -> None:
    rules = {rule["groupName"]: rule for rule in RENOVATE["packageRules"] if "groupName" in rule}
    assert {"aws-cdk-lib", "aws-cdk", "@aws-cdk/cloudformation-diff"} <= set(
        rules["AWS CDK"]["matchPackageNames"]
    )
    assert {"apache-flink", "org.apache.flink:**"} <= set(rules["Flink"]["matchPackageNames"])
    assert rules["Flink"]["dependencyDashboardApproval"]
    [cli] = [rule for rule in RENOVATE["packageRules"] if rule.get("matchPackageNames") == ["aws-cdk"]]
    assert cli["allowedVersions"] == "<3"


def test_npm_installs_what_the_lock_file_names_and_renovate_keeps_it() -> None:
    lock = json.loads((PROJECT / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((PROJECT / "package.json").read_text(encoding="utf-8"))
    whole = lock["packages"].pop("")
    assert {key: whole[key] for key in ("dependencies", "devDependencies")} == {
        key: wanted[key] for key in ("dependencies", "devDependencies")
    }
    assert all(package["integrity"] for package in lock["packages"].values())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert "omit-lockfile-registry-resolved=true" in (PROJECT / ".npmrc").read_text(encoding="utf-8")
    assert "npm ci" in (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert RENOVATE["lockFileMaintenance"]["enabled"]
