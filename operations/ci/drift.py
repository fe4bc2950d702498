"""Keeps one issue an environment about what `make drift` found: opened, updated, closed when it is over.

  python -m operations.ci.drift --environment production --output drift.txt --status 1 \
      --deploying deploying.txt

Ends with 1 if something drifted or was not compared, so that the job is red as well. While stacks are being
deployed (operations/ci/deploying.py says which) nothing is known of them: the issue is left as it is.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from operations.ci.github import MAX_BODY_CHARACTERS, GitHub, GitHubError, is_ours, of_workflow

SUMMARY = re.compile(r"Number of resources with drift: (\d+)(?: \((\d+) unchecked\))?")
"""The last line of `cdk drift`; its exit code is 1 for drift and for an error alike. Unchecked are those of
which CloudFormation told nothing, or UNKNOWN, as without the permission to read them."""
UNAVAILABLE = "No drift results available"
"""What `cdk drift` says of a stack that it could not compare, and then sums up the others."""
NEVER_COMPARED = ("Custom::",)
"""Beginnings of the types that CloudFormation cannot compare, whatever the permissions. `npx cdk drift
--verbose` names the unchecked resources: add a type here once its page says that drift detection skips it."""
ASSEMBLY = Path("cdk.out")
"""Where `cdk drift` has synthesised the templates that it compared."""
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class DriftState(StrEnum):
    CLEAN = "clean"
    DRIFTED = "drifted"
    FAILED = "failed"


def never_compared(assembly: Path) -> int:
    """Resources of the templates whose drift CloudFormation cannot detect."""
    return sum(
        resource["Type"].startswith(NEVER_COMPARED)
        for template in assembly.glob("*.template.json")
        for resource in json.loads(template.read_text(encoding="utf-8")).get("Resources", {}).values()
    )


def outcome(output: str, status: int, *, expected_unchecked: int) -> DriftState:
    """What a run of `make drift` says. Without its last line nothing is known, whatever the exit code; nor is
    it of a resource that was not checked though it could be."""
    found = [] if UNAVAILABLE in output else SUMMARY.findall(output)
    if not found:
        return DriftState.FAILED
    drifted, unchecked = (int(number or 0) for number in found[-1])
    if drifted:
        return DriftState.DRIFTED
    return DriftState.CLEAN if status == 0 and unchecked <= expected_unchecked else DriftState.FAILED


def marker(environment: str) -> str:
    return f"<!-- click-trends drift: {environment} -->"


def body(environment: str, found: DriftState, output: str, address: str) -> str:
    """The issue's text, at most MAX_BODY_CHARACTERS; of a long output the end, which has the summary."""
    says = {
        DriftState.DRIFTED: f"Resources of `{environment}` differ from what was deployed: somebody changed "
        "them outside CloudFormation. `npx cdk deploy --all --revert-drift -c environment="
        f"{environment}` puts them back, or write the change into the code; a deployment of an unchanged "
        "template does nothing.",
        DriftState.FAILED: f"Drift of `{environment}` could not be detected, or not of every resource, so "
        "whether it differs from what was deployed is not known.",
        DriftState.CLEAN: f"Nothing that CloudFormation compares of `{environment}` differs from what was "
        "deployed.",
    }[found]
    head = f"{marker(environment)}\n{says}\n\n[The run]({address}). What to do: docs/operate/ci.md.\n\n```\n"
    room = MAX_BODY_CHARACTERS - len(head) - len("\n```\n") - len("(cut)\n")
    output = COLOURS.sub("", output).replace("```", "'''").strip()
    return f"{head}{output if len(output) <= room else '(cut)' + chr(10) + output[-room:]}\n```\n"


def keep_issue(github: GitHub, environment: str, found: DriftState, text: str) -> str:
    """Opens, updates or closes the environment's issue; says which."""

    def open_issues() -> list[Mapping[str, Any]]:
        return [
            issue
            for issue in github.every("issues", state="open")
            if "pull_request" not in issue and is_ours(issue, marker(environment))
        ]

    existing = [issue["number"] for issue in open_issues()]
    if found is DriftState.CLEAN:
        for number in existing:
            github.post(f"issues/{number}/comments", body=text)
            github.patch(f"issues/{number}", state="closed")
        return f"closed #{existing[0]}" if existing else "nothing to do"
    if existing:
        github.patch(f"issues/{existing[0]}", body=text)
        return f"updated #{existing[0]}"
    title = f"Nightly drift detection: {environment}"
    made = github.post("issues", title=title, body=text, made=lambda: next(iter(open_issues()), None))
    return f"opened #{made['number']}"


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--environment", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--status", type=int, required=True)
    parser.add_argument("--deploying", type=Path, required=True)
    parser.add_argument("--assembly", type=Path, default=ASSEMBLY)
    options = parser.parse_args(arguments)
    if deploying := _read(options.deploying).strip():
        told = "; ".join(deploying.splitlines())
        print(f"::warning::{options.environment} is not looked at, as it is being deployed: {told}")
        return 0
    output = _read(options.output)
    found = outcome(output, options.status, expected_unchecked=never_compared(options.assembly))
    address = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}".format(**os.environ)
    try:
        done = keep_issue(
            of_workflow(), options.environment, found, body(options.environment, found, output, address)
        )
    except GitHubError as error:
        print(f"::error::{options.environment} is {found}, and its issue could not be kept: {error}")
        return 1
    print(
        f"{'::notice' if found is DriftState.CLEAN else '::error'}::{options.environment} is {found}: {done}"
    )
    return 0 if found is DriftState.CLEAN else 1


if __name__ == "__main__":
    sys.exit(main())
