"""Keeps one issue an environment about what `make drift` found: opened, updated, closed when it is over.

  python -m ci.drift --environment production --output drift.txt --status 1 --deploying deploying.txt

Ends with 1 if something drifted or detection failed, so that the job is red as well. While stacks are being
deployed (ci/deploying.py says which) nothing is known of them: the issue is left as it is.
"""

import argparse
import os
import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from ci.github import MAX_BODY_CHARACTERS, GitHub, GitHubError, is_ours, of_workflow

SUMMARY = re.compile(r"Number of resources with drift: (\d+)")
"""The last line of `cdk drift`; its exit code is 1 for drift and for an error alike."""
UNAVAILABLE = "No drift results available"
"""What `cdk drift` says of a stack that it could not compare, and then sums up the others."""
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class DriftState(StrEnum):
    CLEAN = "clean"
    DRIFTED = "drifted"
    FAILED = "failed"


def outcome(output: str, status: int) -> DriftState:
    """What a run of `make drift` says. Without its last line nothing is known, whatever the exit code."""
    found = [] if UNAVAILABLE in output else SUMMARY.findall(output)
    if found and int(found[-1]) > 0:
        return DriftState.DRIFTED
    return DriftState.CLEAN if found and status == 0 else DriftState.FAILED


def marker(environment: str) -> str:
    return f"<!-- click-trends drift: {environment} -->"


def body(environment: str, found: DriftState, output: str, address: str) -> str:
    """The issue's text, at most MAX_BODY_CHARACTERS; of a long output the end, which has the summary."""
    says = {
        DriftState.DRIFTED: f"Resources of `{environment}` differ from what was deployed: somebody changed "
        "them beside CloudFormation. Deploy again to put them back, or write the change into the code.",
        DriftState.FAILED: f"Drift of `{environment}` could not be detected, so nothing is known about it.",
        DriftState.CLEAN: f"Nothing of `{environment}` differs from what was deployed.",
    }[found]
    head = f"{marker(environment)}\n{says}\n\n[The run]({address}). What to do: docs/ci.md.\n\n```\n"
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
    options = parser.parse_args(arguments)
    if deploying := _read(options.deploying).strip():
        told = "; ".join(deploying.splitlines())
        print(f"::warning::{options.environment} is not looked at, as it is being deployed: {told}")
        return 0
    output = _read(options.output)
    found = outcome(output, options.status)
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
