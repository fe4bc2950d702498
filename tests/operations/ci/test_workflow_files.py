"""The workflows name what exists, hold no more permissions than they use, and take actions by digest."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import ENVIRONMENTS, load
from tests.conftest import PROJECT

FOLDER = PROJECT / ".github"
FILES = sorted([*FOLDER.glob("workflows/*.yml"), *FOLDER.glob("actions/*/action.yml")])
WORKFLOWS = [file for file in FILES if file.parent.name == "workflows"]
PINNED = re.compile(r"uses: ([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$")
MAKE = re.compile(r"\bmake ([a-z-]+)((?: [A-Z_]+=\S+)*)")
EVERY_ENVIRONMENT = {file.stem for file in ENVIRONMENTS.glob("*.toml")}
ON_AWS = {name for name in EVERY_ENVIRONMENT if not load(name).is_twin}

# What a job may write, and why it must; everything else may read the code at most.
WRITES = {
    ("review-comment", "comment"): {"pull-requests": "write", "actions": "read"},
    ("deploy", "plan"): {"id-token": "write"},
    ("deploy", "deploy"): {"id-token": "write"},
    ("drift", "detect"): {"id-token": "write", "issues": "write"},
}


def content(file: Path) -> dict[Any, Any]:
    return yaml.safe_load(file.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def workflow(name: str) -> dict[Any, Any]:
    return content(FOLDER / "workflows" / f"{name}.yml")


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for file in WORKFLOWS:
        for name, job in content(file)["jobs"].items():
            yield file.stem, name, job


def steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    return list(job["steps"])


def test_each_action_is_pinned_by_one_digest_everywhere_with_its_version() -> None:
    taken: dict[str, set[tuple[str, str]]] = {}
    for file in FILES:
        for line in file.read_text(encoding="utf-8").splitlines():
            if "uses:" not in line or "uses: ./" in line:
                continue
            pinned = PINNED.search(line)
            assert pinned, f"{file.name}: {line.strip()}"
            taken.setdefault(pinned[1], set()).add((pinned[2], pinned[3]))
    assert taken
    assert {action: len(digests) for action, digests in taken.items()} == dict.fromkeys(taken, 1)


def test_local_actions_exist_with_the_inputs_they_are_given() -> None:
    for _, name, job in jobs():
        for step in steps(job):
            if step.get("uses", "").startswith("./"):
                action = content(PROJECT / step["uses"] / "action.yml")
                assert set(step.get("with", {})) <= set(action["inputs"]), name


def test_every_make_target_and_variable_that_a_workflow_names_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))
    named = [found for file in FILES for found in MAKE.findall(_runs(file))]
    assert {"lint", "lint-workflows", "synth", "test", "review", "deploy", "drift"} <= {
        target for target, _ in named
    }
    for target, given in named:
        assert target in targets
        assert set(re.findall(r"([A-Z_]+)=", given)) <= variables


def test_every_module_and_file_that_a_workflow_names_exists() -> None:
    for file in FILES:
        for module in re.findall(r"-m ([a-z_.]+)", _runs(file)):
            place = PROJECT / module.replace(".", "/")
            assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file(), module
        for path in re.findall(
            r"(?<![\w./-])[\w-]+/[\w/-]+\.(?:py|md|xml|toml)", file.read_text(encoding="utf-8")
        ):
            assert (PROJECT / path).is_file(), f"{file.name}: {path}"
        for action in re.findall(r"uses: \./(\S+)", file.read_text(encoding="utf-8")):
            assert (PROJECT / action / "action.yml").is_file()


def test_a_step_waits_for_a_file_that_the_tree_holds_or_the_job_keeps() -> None:
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        for name in re.findall(r"hashFiles\('([^']+)'\)", text):
            kept = re.search(rf"^ +{re.escape(name)}$", text, re.MULTILINE)  # a path of upload-artifact
            assert kept or (PROJECT / name).is_file(), f"{file.name}: {name}"


def test_the_comment_checks_out_the_folder_of_the_module_it_runs() -> None:
    checkout, *_, comment = steps(workflow("review-comment")["jobs"]["comment"])
    [module] = re.findall(r"-m (\S+)\.\w+", comment["run"])
    assert checkout["with"]["sparse-checkout"] == module.replace(".", "/")


def test_every_environment_is_synthesised_and_reviewed() -> None:
    assert set(workflow("checks")["jobs"]["synth"]["strategy"]["matrix"]["environment"]) == EVERY_ENVIRONMENT
    assert set(workflow("review")["jobs"]["review"]["strategy"]["matrix"]["environment"]) == EVERY_ENVIRONMENT
    posted = re.search(r"--environments (\S+)", _runs(FOLDER / "workflows" / "review-comment.yml"))
    assert posted
    assert set(posted[1].split(",")) == EVERY_ENVIRONMENT


def test_every_environment_on_aws_has_its_deployment_and_its_drift_detection() -> None:
    # True is what YAML 1.1 makes of the key `on`.
    choice = workflow("deploy")[True]["workflow_dispatch"]["inputs"]["environment"]
    assert set(choice["options"]) == ON_AWS
    assert set(workflow("drift")["jobs"]["detect"]["strategy"]["matrix"]["environment"]) == ON_AWS
    # Its subject on GitHub would be that of another environment's reading role.
    assert not {name for name in EVERY_ENVIRONMENT if name.endswith("-read")}


def test_checks_run_what_the_script_for_one_machine_runs() -> None:
    script = {target for target, _ in MAKE.findall((PROJECT / ".ci" / "run").read_text(encoding="utf-8"))}
    checks = {target for target, _ in MAKE.findall(_runs(FOLDER / "workflows" / "checks.yml"))}
    assert script <= checks
    needed = set(workflow("checks")["jobs"]["checks"]["needs"])
    assert needed == set(workflow("checks")["jobs"]) - {"checks"}


def test_each_page_is_fetched_by_its_name_into_the_folder_that_is_read() -> None:
    """One artifact alone that fits a pattern is unpacked without a folder (download-artifact v5)."""
    fetched = {
        step["with"]["name"]: step["with"]["path"]
        for step in steps(workflow("review-comment")["jobs"]["comment"])
        if "download-artifact@" in step.get("uses", "")
    }
    assert fetched == {
        f"review-{environment}": f"${{{{ runner.temp }}}}/pages/review-{environment}"
        for environment in EVERY_ENVIRONMENT
    }


def test_a_run_that_waits_for_approval_is_not_said_to_have_no_page() -> None:
    condition = workflow("review-comment")["jobs"]["comment"]["if"]
    [conclusions] = re.findall(r"fromJSON\('(.*?)'\)", condition)
    assert json.loads(conclusions) == ["success", "failure", "timed_out"]


def test_every_required_check_runs_in_a_merge_queue() -> None:
    """Else the queue waits for it forever."""
    required = re.search(
        r"require the checks (.*?), and",
        (PROJECT / "docs" / "operate" / "ci.md").read_text("utf-8"),
    )
    assert required
    names = {name.split()[0] for name in re.findall(r"`([^`]+)`", required[1])}
    assert names == {"checks", "review"}
    for name in names:
        assert "merge_group" in workflow(name)[True]


def test_what_the_account_lacks_is_said_before_anybody_approves() -> None:
    """By the role that may read: the one that deploys may not, and `make deploy` then goes on."""
    jobs = workflow("deploy")["jobs"]
    plan = [step.get("run", step.get("uses", "")) for step in steps(jobs["plan"])]
    [doctor] = [index for index, run in enumerate(plan) if "-m operations.doctor" in run]
    [credentials] = [index for index, run in enumerate(plan) if "configure-aws-credentials@" in run]
    assert credentials < doctor
    assert plan[doctor].split(" #")[0].endswith("|| test $? -eq 2")
    assert jobs["deploy"]["needs"] == "plan"


def test_credentials_last_as_long_as_the_deployment_may() -> None:
    job = workflow("deploy")["jobs"]["deploy"]
    [lasting] = [
        s["with"]["role-duration-seconds"] for s in steps(job) if "credentials@" in s.get("uses", "")
    ]
    assert lasting == job["timeout-minutes"] * 60
    roles = (PROJECT / "operations" / "ci" / "roles.yaml").read_text(encoding="utf-8")
    assert f"MaxSessionDuration: {lasting}" in roles


def test_the_review_compares_with_the_branch_it_is_started_for() -> None:
    [branch] = workflow("review")[True]["pull_request"]["branches"]
    assert f"BASE=origin/{branch}" in _runs(FOLDER / "workflows" / "review.yml")
    [named] = workflow("review-comment")[True]["workflow_run"]["workflows"]
    assert named == workflow("review")["name"]


def test_no_workflow_runs_a_stranger_s_code_with_permissions() -> None:
    for file in WORKFLOWS:
        triggers = content(file)[True]
        assert "pull_request_target" not in triggers
        if "workflow_run" in triggers:
            for step in steps(content(file)["jobs"]["comment"]):
                assert "ref" not in step.get("with", {})
                assert "make" not in step.get("run", "")
                assert "setup" not in step.get("uses", "")


def test_jobs_have_only_the_permissions_they_use_and_an_end() -> None:
    for file in WORKFLOWS:
        assert content(file)["permissions"] == {}, file.name
        assert "concurrency" in content(file), file.name
    for name, job_name, job in jobs():
        permissions = {what: how for what, how in job["permissions"].items() if what != "contents"}
        assert permissions == WRITES.get((name, job_name), {}), f"{name}/{job_name}"
        assert job["permissions"].get("contents", "read") == "read"
        assert job["timeout-minutes"] <= (360 if (name, job_name) == ("deploy", "deploy") else 120)
        for step in steps(job):
            if "checkout@" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_no_script_has_an_expression_pasted_into_it() -> None:
    for file in FILES:
        assert "${{" not in _runs(file), file.name


def test_credentials_of_aws_need_an_environment_of_github_and_come_without_caches() -> None:
    for name, job_name, job in jobs():
        uses = [step.get("uses", "") for step in steps(job)]
        if not any("configure-aws-credentials" in use for use in uses):
            assert "environment" not in job
            continue
        assert job["environment"]["name"].startswith("${{ ")
        expected = "" if (name, job_name) == ("deploy", "deploy") else "-read"
        assert job["environment"]["name"].partition("}}")[2] == expected
        for step in steps(job):
            if "credentials" in step.get("uses", ""):
                assert "aws-secret-access-key" not in step["with"]
            if step.get("uses", "").endswith("/setup"):
                assert step["with"]["cache"] == "false"
    deployment = workflow("deploy")
    assert deployment["concurrency"]["cancel-in-progress"] is False
    assert deployment["jobs"]["deploy"]["needs"] == "plan"


def test_actionlint_finds_nothing() -> None:
    if not (actionlint := shutil.which("actionlint")):
        pytest.skip("actionlint is not installed; `make lint-workflows` runs it")
    done = subprocess.run([actionlint], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def _runs(file: Path) -> str:
    parts = content(file)
    every = (
        parts["runs"]["steps"] if "runs" in parts else [s for j in parts["jobs"].values() for s in steps(j)]
    )
    return "\n".join(step["run"] for step in every if "run" in step)
