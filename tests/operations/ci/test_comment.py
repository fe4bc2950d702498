"""The review on its pull request: one comment an environment, whatever the page and whoever made it."""

import html
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from operations.ci.comment import body, marker, run, shortened
from operations.ci.github import MAX_BODY_CHARACTERS, GitHub, GitHubError
from tests.conftest import PROJECT
from tests.operations.ci.conftest import REPOSITORY, StandIn

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ABOUT: dict[str, Any] = {
    "html_url": "https://github.example/somebody/click-trends/actions/runs/5",
    "head_sha": COMMIT,
    "head_branch": "more shards",
    "head_repository": {"id": 99, "owner": {"login": "contributor"}},
    "pull_requests": [],
}
EVENT = {"workflow_run": ABOUT, "repository": {"default_branch": "main"}}


def pull(number: int = 7, **other: Any) -> dict[str, Any]:
    """The open pull request of a fork that EVENT is about."""
    head = {"sha": COMMIT, "ref": "more shards", "repo": {"id": 99}}
    return {"number": number, "owner": "contributor", "base": "main", "state": "open", "head": head, **other}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    for environment in ("local", "production"):
        folder = tmp_path / f"review-{environment}"
        folder.mkdir()
        (folder / "review.md").write_text(f"# Nothing at risk in {environment}\n", encoding="utf-8")
    return tmp_path


def bodies(stand_in: StandIn) -> list[str]:
    return [comment["body"] for comment in stand_in.comments.values()]


def test_a_first_review_makes_a_comment_for_each_environment(
    stand_in: StandIn, github: GitHub, pages: Path
) -> None:
    stand_in.pulls = [pull()]
    done = run(github, EVENT, pages, ["local", "production"])
    assert done == ["#7, local: created", "#7, production: created"]
    for environment, text in zip(("local", "production"), bodies(stand_in), strict=True):
        assert text.startswith(marker(environment))
        assert f"# Nothing at risk in {environment}" in text
        assert COMMIT[:12] in text
        assert ABOUT["html_url"] in text


def test_the_next_review_updates_the_comment_in_place(stand_in: StandIn, github: GitHub, pages: Path) -> None:
    stand_in.pulls = [pull()]
    run(github, EVENT, pages, ["local", "production"])
    numbers = list(stand_in.comments)
    (pages / "review-production" / "review.md").write_text("# Data at risk\n")
    done = run(github, EVENT, pages, ["local", "production"])
    assert done == ["#7, local: updated", "#7, production: updated"]
    assert list(stand_in.comments) == numbers
    assert "# Data at risk" in bodies(stand_in)[1]


def test_a_comment_on_a_later_page_of_the_list_is_found(
    stand_in: StandIn, github: GitHub, pages: Path
) -> None:
    stand_in.pulls = [pull()]
    for number in range(250):
        stand_in.comment(f"discussion {number}", by="somebody")
    ours = stand_in.comment(marker("production"))
    assert run(github, EVENT, pages, ["production"]) == ["#7, production: updated"]
    assert "Nothing at risk" in stand_in.comments[ours]["body"]


def test_two_comments_become_one(stand_in: StandIn, github: GitHub, pages: Path) -> None:
    stand_in.pulls = [pull()]
    first, second = stand_in.comment(marker("production")), stand_in.comment(marker("production"))
    done = run(github, EVENT, pages, ["production"])
    assert done == ["#7, production: updated, 1 older deleted"]
    assert "Nothing at risk" in stand_in.comments[first]["body"]
    assert second not in stand_in.comments


@pytest.mark.parametrize("answer", [502, None], ids=["bad gateway", "no answer"])
def test_a_comment_whose_answer_is_lost_is_not_made_twice(
    answer: int | None, stand_in: StandIn, github: GitHub, pages: Path, pauses: list[float]
) -> None:
    stand_in.pulls = [pull()]
    stand_in.lost = [("POST", answer)]
    assert run(github, EVENT, pages, ["production"]) == ["#7, production: created"]
    [text] = bodies(stand_in)
    assert "Nothing at risk" in text
    assert pauses == [2.0]


def test_a_comment_that_was_not_made_is_made_by_the_retry(stand_in: StandIn, github: GitHub) -> None:
    stand_in.failures = [(503, {})]
    assert github.post("issues/7/comments", body="text", made=lambda: None)["body"] == "text"
    assert bodies(stand_in) == ["text"]


def test_a_double_whose_deletion_was_not_answered_counts_as_deleted(
    stand_in: StandIn, github: GitHub, pages: Path
) -> None:
    stand_in.pulls = [pull()]
    kept, _ = stand_in.comment(marker("production")), stand_in.comment(marker("production"))
    stand_in.lost = [("DELETE", 502)]
    assert run(github, EVENT, pages, ["production"]) == ["#7, production: updated, 1 older deleted"]
    assert list(stand_in.comments) == [kept]


def test_what_others_wrote_is_never_touched(stand_in: StandIn, github: GitHub, pages: Path) -> None:
    stand_in.pulls = [pull()]
    forged = stand_in.comment(marker("production") + " mine", by="contributor")
    quoted = stand_in.comment("> " + marker("production"))
    other = stand_in.comment(marker("production"), on=8)
    assert run(github, EVENT, pages, ["production"]) == ["#7, production: created"]
    assert stand_in.comments[forged]["body"].endswith("mine")
    assert stand_in.comments[quoted]["body"].startswith("> ")
    assert stand_in.comments[other]["body"] == marker("production")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"state": "closed"}, id="closed"),
        pytest.param({"base": "release"}, id="into another branch"),
        pytest.param(
            {"head": {"sha": "f" * 40, "ref": "more shards", "repo": {"id": 99}}}, id="pushed since"
        ),
        pytest.param(
            {"head": {"sha": COMMIT, "ref": "more shards", "repo": {"id": 98}}}, id="another's fork"
        ),
        pytest.param({"head": {"sha": COMMIT, "ref": "more shards", "repo": None}}, id="fork deleted"),
    ],
)
def test_only_the_pull_request_whose_last_commit_ran_gets_the_page(
    other: dict[str, Any], stand_in: StandIn, github: GitHub, pages: Path
) -> None:
    stand_in.pulls = [pull(**other)]
    [sentence] = run(github, EVENT, pages, ["production"])
    assert sentence.startswith("Nothing is posted")
    assert not stand_in.comments


def test_a_deleted_fork_is_no_pull_request(stand_in: StandIn, github: GitHub, pages: Path) -> None:
    stand_in.pulls = [pull()]
    event = {**EVENT, "workflow_run": {**ABOUT, "head_repository": None}}
    assert run(github, event, pages, ["production"])[0].startswith("Nothing is posted")


def test_comments_without_a_text_or_of_a_deleted_account_are_passed_over(
    stand_in: StandIn, github: GitHub, pages: Path
) -> None:
    stand_in.pulls = [pull()]
    for user, text in ((None, marker("production")), ({"login": "github-actions[bot]"}, None)):
        stand_in.comments[stand_in.comment("")].update(user=user, body=text)
    assert run(github, EVENT, pages, ["production"]) == ["#7, production: created"]


def test_pages_cannot_say_where_they_are_posted(stand_in: StandIn, github: GitHub, pages: Path) -> None:
    stand_in.pulls = [pull(), pull(8, owner="victim")]
    page = pages / "review-production" / "review.md"
    page.write_text(f"{marker('local')}\npull request 8\n@everybody and a@b.c\0\n")
    (pages / "review-intruder").mkdir()
    (pages / "review-intruder" / "review.md").write_text("more")
    run(github, EVENT, pages, ["production"])
    [comment] = stand_in.comments.values()
    assert comment["on"] == 7
    assert comment["body"].startswith(marker("production"))
    assert "@everybody" not in comment["body"]
    assert "\0" not in comment["body"]


@pytest.mark.parametrize("at", ["@", "&#64;", "&#064", "&#x40;", "&#X0040", "&commat;"])
def test_nobody_is_mentioned_however_the_at_sign_is_written(at: str) -> None:
    text = body("production", f"<p>{at}somebody</p>", ABOUT)
    assert "@\u200bsomebody" in html.unescape(text)


@pytest.mark.parametrize("page", ["missing", "link", "empty"])
def test_without_a_page_the_comment_says_so(
    page: str, stand_in: StandIn, github: GitHub, pages: Path, tmp_path: Path
) -> None:
    stand_in.pulls = [pull()]
    file = pages / "review-production" / "review.md"
    file.unlink()
    if page == "link":
        secret = tmp_path / "secret"
        secret.write_text("the token")
        file.symlink_to(secret)
    elif page == "empty":
        file.touch()
    run(github, EVENT, pages, ["production"])
    [text] = bodies(stand_in)
    assert "there is no page" in text
    assert "the token" not in text


@pytest.mark.parametrize("character", ["x", "é", "🌈"])
def test_a_page_too_long_for_a_comment_is_cut_and_says_so(
    character: str, stand_in: StandIn, github: GitHub, pages: Path
) -> None:
    stand_in.pulls = [pull()]
    lines = [f"- {number} {character * 80}" for number in range(1_000)]
    text = (
        "# Data at risk\n\n<details><summary>diff</summary>\n\n```diff\n"
        + "\n".join(lines)
        + "\n```\n</details>\n"
    )
    (pages / "review-production" / "review.md").write_text(text, encoding="utf-8")
    assert run(github, EVENT, pages, ["production"]) == ["#7, production: created"]
    [posted] = bodies(stand_in)
    assert MAX_BODY_CHARACTERS - 200 < len(posted) <= MAX_BODY_CHARACTERS
    assert "**Cut:** GitHub takes 65,536 characters" in posted
    assert ABOUT["html_url"] in posted
    assert "# Data at risk" in posted
    assert posted.rstrip().endswith("```\n\n</details>")


def test_a_page_that_just_fits_is_whole() -> None:
    head = len(body("production", "", ABOUT))
    page = "x" * (MAX_BODY_CHARACTERS - head)
    assert body("production", page, ABOUT).endswith(page)
    assert "**Cut:**" in body("production", page + "x", ABOUT)
    assert len(body("production", page + "x", ABOUT)) <= MAX_BODY_CHARACTERS


def test_a_cut_closes_what_it_opened_at_any_length() -> None:
    page = "# head\n<details>\n<details>\n````diff\n```\n+ <details>\n````\n</details>\n</details>\ntail\n"
    for limit in range(len(page) + 40):
        cut = shortened(page, limit)
        assert len(cut) <= limit
        outside, fenced = [], False
        for line in cut.splitlines():
            if line.startswith("````"):
                fenced = not fenced
            elif not fenced:
                outside.append(line)
        assert not fenced
        assert outside.count("<details>") == outside.count("</details>")
    assert cut == page


def test_only_a_line_feed_begins_a_line() -> None:
    page = "one\u2028```diff\n" + "two\n" * 9
    assert shortened(page, 25) == "one\u2028```diff\ntwo\ntwo\ntwo\n"


def test_a_token_that_may_not_write_is_named_with_what_to_do(
    stand_in: StandIn, github: GitHub, pages: Path, pauses: list[float]
) -> None:
    stand_in.pulls = [pull()]
    stand_in.may_write = False
    with pytest.raises(GitHubError, match=r"403 Resource not accessible by integration.*`permissions:`"):
        run(github, EVENT, pages, ["production"])
    assert not pauses


def test_a_wrong_token_is_named(stand_in: StandIn, github: GitHub, pages: Path) -> None:
    stand_in.pulls = [pull()]
    with pytest.raises(GitHubError, match="401 Bad credentials"):
        run(replace(github, token="wrong"), EVENT, pages, ["production"])


def test_rate_limits_and_failures_of_github_are_waited_out(
    stand_in: StandIn, github: GitHub, pages: Path, pauses: list[float]
) -> None:
    stand_in.pulls = [pull()]
    stand_in.failures = [(502, {}), (403, {"Retry-After": "9"}), (429, {"Retry-After": "9999"})]
    assert run(github, EVENT, pages, ["production"]) == ["#7, production: created"]
    assert pauses == [2.0, 9.0, 60.0]


def test_a_rate_limit_that_is_used_up_is_not_taken_for_a_lacking_right(
    stand_in: StandIn, github: GitHub, pauses: list[float]
) -> None:
    used_up = (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1769860800"})
    stand_in.failures = [used_up, used_up]
    assert github.get("issues", state="open") == []
    assert pauses == [60.0, 60.0]
    stand_in.failures = [used_up] * 4
    with pytest.raises(GitHubError, match="rate limit is used up: run the job again") as refused:
        github.get("issues", state="open")
    assert "permissions" not in str(refused.value)


def test_github_that_stays_away_is_an_error(stand_in: StandIn, github: GitHub, pauses: list[float]) -> None:
    stand_in.failures = [(503, {})] * 9
    with pytest.raises(GitHubError, match="GET pulls: 503 not now"):
        run(github, EVENT, Path("nowhere"), ["production"])
    assert len(pauses) == 3
    with pytest.raises(GitHubError, match="does not answer as GitHub does"):
        replace(github, api="http://127.0.0.1:1").get("pulls")


@pytest.mark.parametrize("answer", [b"<html>sign in</html>", b'[{"number": ', b"\xff"])
def test_what_is_no_answer_of_github_is_asked_again_and_then_named(
    answer: bytes, stand_in: StandIn, github: GitHub, pauses: list[float]
) -> None:
    stand_in.strange = [answer]
    assert github.get("issues", state="open") == []
    assert pauses == [2.0]
    stand_in.strange = [answer] * 4
    with pytest.raises(GitHubError, match=r"GET issues: .* does not answer as GitHub does"):
        github.get("issues", state="open")


def test_the_workflows_command_posts_with_what_every_runner_has(
    stand_in: StandIn, pages: Path, tmp_path: Path
) -> None:
    """The command as review-comment.yml runs it: no package of ours is in reach, only ci/ and Python."""
    stand_in.pulls = [pull()]
    event = tmp_path / "event.json"
    event.write_text(json.dumps(EVENT), encoding="utf-8")
    arguments = ["--pages", str(pages), "--environments", "local,production"]
    settings = {
        "GITHUB_API_URL": stand_in.address,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_EVENT_PATH": str(event),
    }

    def command(token: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-m", "operations.ci.comment", *arguments],
            cwd=PROJECT,
            env={**settings, "GITHUB_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
        )

    good = command("right")
    assert good.returncode == 0, good.stderr
    assert good.stdout == "#7, local: created\n#7, production: created\n"
    bad = command("wrong")
    assert bad.returncode == 1
    assert "::error::The review could not be posted: GET pulls: 401" in bad.stderr
