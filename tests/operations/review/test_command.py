"""The command, from git to exit code."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from operations.review import command
from operations.review.assembly import read_assembly
from operations.review.errors import ReviewError
from operations.review.revisions import ROOT, Revision, commit_of, commits_ahead, read_revision, worktree
from tests.operations.review import scenarios
from tests.operations.review.revision_pairs import RevisionBuilder

needs_git = pytest.mark.skipif(
    not (ROOT / ".git").exists() or not shutil.which("git"), reason="needs the repository's history"
)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Callable[[tuple[Revision, Revision]], None]:
    """Lets the command read these two revisions."""

    def use(revisions: tuple[Revision, Revision]) -> None:
        @contextmanager
        def no_worktree(_base: str) -> Iterator[Path]:
            yield revisions[0].tree

        by_tree = {revisions[0].tree: revisions[0], ROOT: revisions[1]}
        monkeypatch.setattr(command, "worktree", no_worktree)
        monkeypatch.setattr(command, "commits_ahead", lambda _base: 0)
        monkeypatch.setattr(command, "read_revision", lambda _name, tree, _environment: by_tree[tree])

    return use


def test_a_chosen_verdict_ends_with_its_own_exit_code(
    builder: RevisionBuilder, pair: Callable[[tuple[Revision, Revision]], None], tmp_path: Path
) -> None:
    pair(scenarios.wildcard(builder))
    arguments = ["--into", str(tmp_path / "out"), "--fail-on"]
    failed = CliRunner().invoke(command.app, [*arguments, "data-loss,wildcard"])
    assert failed.exit_code == command.FAILED
    assert "found wildcard" in failed.output
    passed = CliRunner().invoke(command.app, [*arguments, "data-loss, name"])
    assert passed.exit_code == 0
    assert json.loads((tmp_path / "out" / "review.json").read_text())["kinds"] == ["wildcard"]
    assert (tmp_path / "out" / "review.md").read_text().startswith("# Access widened\n")


def test_a_verdict_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(command.app, ["--fail-on", "everything", "--into", str(tmp_path)])
    assert outcome.exit_code == 1
    assert "data-loss" in outcome.output


@needs_git
def test_a_revision_that_git_does_not_know_is_refused_with_advice(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(command.app, ["--base", "no/such/branch", "--into", str(tmp_path)])
    assert outcome.exit_code == 1
    assert "git fetch" in outcome.output


@needs_git
def test_an_environment_of_neither_revision_is_refused(tmp_path: Path) -> None:
    arguments = ["--base", "HEAD", "--environment", "staging", "--into", str(tmp_path)]
    outcome = CliRunner().invoke(command.app, arguments)
    assert outcome.exit_code == 1
    assert "production" in outcome.output


def stale(into: Path) -> None:
    """What the run before left."""
    into.mkdir()
    for name in (command.PAGE, command.DATA):
        (into / name).write_text("# Nothing at risk\n")


def test_what_nobody_foresaw_ends_with_a_page_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def broken(_base: str) -> Iterator[Path]:
        raise KeyError("BufferingHints")
        yield tmp_path

    monkeypatch.setattr(command, "worktree", broken)
    stale(tmp_path / "out")
    outcome = CliRunner().invoke(command.app, ["--into", str(tmp_path / "out")])
    assert outcome.exit_code == 1
    assert isinstance(outcome.exception, SystemExit)
    text = (tmp_path / "out" / command.PAGE).read_text()
    assert text.startswith("# Not reviewed\n")
    assert "KeyError: 'BufferingHints'" in text
    assert json.loads((tmp_path / "out" / command.DATA).read_text())["kinds"] == ["not-understood"]


@pytest.mark.parametrize("arguments", [["--fail-on", "everything"], ["--base", "no/such/branch"]])
def test_a_failed_run_leaves_no_page_of_the_run_before(arguments: list[str], tmp_path: Path) -> None:
    stale(tmp_path / "out")
    outcome = CliRunner().invoke(command.app, [*arguments, "--into", str(tmp_path / "out")])
    assert outcome.exit_code == 1
    for name in (command.PAGE, command.DATA):
        assert "Nothing at risk" not in (tmp_path / "out" / name).read_text()


def test_an_option_cannot_be_smuggled_in_as_a_revision() -> None:
    with pytest.raises(ReviewError):
        commit_of("--help")


def test_a_damaged_assembly_ends_the_review_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(ReviewError, match="synthesise again"):
        read_assembly(tmp_path)


@needs_git
def test_the_base_is_synthesised_in_a_tree_of_its_own_that_is_gone_afterwards() -> None:
    caches = sorted((ROOT / ".cache").iterdir())
    with worktree("HEAD") as tree:
        assert tree != ROOT
        base = read_revision("HEAD", tree, "production")
        assert {stack.title for stack in base.assembly.stacks} >= {"OregonStorage", "TokyoIngest"}
        assert base.settings["peak.clicks_per_second"].meaning
    assert not tree.exists()
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "worktree", "list"], capture_output=True, text=True, check=True
    )
    assert str(tree) not in listed.stdout
    assert sorted((ROOT / ".cache").iterdir()) == caches


@needs_git
def test_a_base_that_cannot_be_synthesised_says_why() -> None:
    with worktree("HEAD") as tree:
        (tree / "environments" / "production.toml").write_text("environment = 7\n")
        with pytest.raises(ReviewError, match=r"environments/production\.toml cannot be used"):
            read_revision("HEAD", tree, "production")


@needs_git
def test_commits_that_only_the_base_has_are_counted(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch=main")
    for branch in ("main", "work", "main"):
        git("checkout", "--quiet", "-B", branch, *(["main"] if branch == "work" else []))
        git("commit", "--quiet", "--allow-empty", "--message", branch)
        if branch == "work":
            git("checkout", "--quiet", "main")
    git("checkout", "--quiet", "work")
    assert commits_ahead("main", tmp_path) == 1
    assert commits_ahead("HEAD", tmp_path) == 0


@needs_git
def test_a_review_that_is_terminated_leaves_no_worktree_behind() -> None:
    waiting = (
        "import sys\n"
        "from operations.review.command import tidy_when_terminated\n"
        "from operations.review.revisions import worktree\n"
        "tidy_when_terminated()\n"
        "with worktree('HEAD') as tree:\n"
        "    print(tree, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", waiting], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        tree = Path(process.stdout.readline().strip())
        assert tree.is_dir()
        process.terminate()
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
    assert not tree.exists()
