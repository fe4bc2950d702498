"""Puts the pages of `make review` on their pull request, one comment an environment, updated in place.

  python -m operations.ci.comment --pages FOLDER --environments local,production

Runs after the workflow `review`, with a token that may write. What that workflow made may come from the code
of a fork, so it is untrusted: only FOLDER/review-<environment>/review.md is read, as text of a limited size,
and which pull request it is about comes from GitHub, never from the pages.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operations.ci.github import MAX_BODY_CHARACTERS, GitHub, GitHubError, is_ours, of_workflow

MAX_PAGE_BYTES = 4_000_000
LINE = re.compile(r"[^\n]*\n|[^\n]+")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
MENTION = re.compile(r"(@|&commat;?|&#0*64(?:;|(?!\d))|&#x0*40(?:;|(?![0-9a-f])))(?=[a-z0-9])", re.IGNORECASE)
"""As Markdown or HTML may write it: GitHub looks for mentions in the rendered text."""
NO_MENTION = "\\1\u200b"
"""A zero-width space: the text looks the same, and nobody is notified."""


def marker(environment: str) -> str:
    """The line by which the comment of an environment is found again. It is invisible on the page."""
    return f"<!-- click-trends review: {environment} -->"


def pull_request(github: GitHub, run: Mapping[str, Any], base: str) -> int | None:
    """Number of the open pull request into base that the run was about; None if it is closed, or has newer
    commits.

    The event names no pull request where it comes from a fork, so it is asked for by its branch.
    """
    head = run["head_repository"]
    if head is None:  # the fork was deleted
        return None
    branch = f"{head['owner']['login']}:{run['head_branch']}"
    for pull in github.every("pulls", state="open", base=base, head=branch):
        repository = pull["head"]["repo"] or {}
        if pull["head"]["sha"] == run["head_sha"] and repository.get("id") == head["id"]:
            return int(pull["number"])
    return None


def read_page(folder: Path, environment: str) -> str | None:
    """The page as it was made; None if there is none that can be read as one."""
    file = folder / f"review-{environment}" / "review.md"
    if file.is_symlink() or file.parent.is_symlink() or not file.is_file():
        return None
    with file.open("rb") as content:
        return content.read(MAX_PAGE_BYTES).decode(errors="replace").replace("\0", "") or None


def body(environment: str, page: str | None, run: Mapping[str, Any]) -> str:
    """The comment's text, at most MAX_BODY_CHARACTERS."""
    address = run["html_url"]
    about = f"Review of `{environment}` at {run['head_sha'][:12]}"
    head = f"{marker(environment)}\n{about}"
    if page is None:
        return (
            f"{head}: **there is no page.** The [run]({address}) ended before it was written; "
            "its log says why.\n"
        )
    whole = f"{head}, made by the code of this pull request. The whole page and `review.json` are among the "
    whole += f"[run's artifacts]({address}#artifacts).\n\n"
    page = MENTION.sub(NO_MENTION, page)
    if len(whole) + len(page) <= MAX_BODY_CHARACTERS:
        return whole + page
    cut = (
        f"**Cut:** GitHub takes {MAX_BODY_CHARACTERS:,} characters in a comment, the page has {len(page):,}. "
        "It begins with what is dangerous; the rest is in the artifact.\n\n"
    )
    return whole + cut + shortened(page, MAX_BODY_CHARACTERS - len(whole) - len(cut))


def shortened(page: str, limit: int) -> str:
    """The first lines of a page, in at most limit characters, with what they open closed: a fence of code,
    folded parts."""
    kept: list[str] = []
    length, fence, folds = 0, "", 0
    for line in LINE.findall(page):
        after_fence, after_folds = _after(line, fence, folds)
        if length + len(line) + len(_closing(after_fence, after_folds)) > limit:
            break
        kept.append(line)
        length, fence, folds = length + len(line), after_fence, after_folds
    return "".join(kept) + _closing(fence, folds)


def _after(line: str, fence: str, folds: int) -> tuple[str, int]:
    """The open fence and the number of open folded parts after a line."""
    if found := FENCE.match(line):
        if not fence:
            return found[1], folds
        closes = found[1].startswith(fence) and not line[found.end() :].strip()
        return ("" if closes else fence), folds
    if fence:
        return fence, folds
    return fence, max(0, folds + line.count("<details") - line.count("</details>"))


def _closing(fence: str, folds: int) -> str:
    return (f"\n{fence}\n" if fence else "") + "\n</details>\n" * folds


def post(github: GitHub, number: int, environment: str, text: str) -> str:
    """Create the environment's comment, or update it and delete its doubles; says which.

    Only comments of the workflows' own user count, so that nobody else's text is overwritten.
    """

    def found() -> list[int]:
        return [
            comment["id"]
            for comment in github.every(f"issues/{number}/comments")
            if is_ours(comment, marker(environment))
        ]

    ours = found()
    if not ours:
        github.post(f"issues/{number}/comments", body=text, made=lambda: found() or None)
        return "created"
    github.patch(f"issues/comments/{ours[0]}", body=text)
    for double in ours[1:]:
        github.delete(f"issues/comments/{double}")
    return "updated" + (f", {len(ours) - 1} older deleted" if ours[1:] else "")


def run(github: GitHub, event: Mapping[str, Any], pages: Path, environments: list[str]) -> list[str]:
    """What was done, a sentence an environment. Raises GitHubError."""
    about = event["workflow_run"]
    number = pull_request(github, about, event["repository"]["default_branch"])
    if number is None:
        commit = about["head_sha"][:12]
        return [f"Nothing is posted: no open pull request has {commit} as its last commit (any more)."]
    return [
        f"#{number}, {environment}: "
        + post(github, number, environment, body(environment, read_page(pages, environment), about))
        for environment in environments
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=Path, required=True)
    parser.add_argument("--environments", required=True)
    options = parser.parse_args(arguments)
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    try:
        for sentence in run(of_workflow(), event, options.pages, options.environments.split(",")):
            print(sentence)
    except GitHubError as error:
        print(f"::error::The review could not be posted: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
