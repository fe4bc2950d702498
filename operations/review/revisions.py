"""Two revisions of the repository, each synthesised by its own code: the base from a git worktree."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.review.assembly import EMPTY, Assembly, read_assembly
from operations.review.errors import ReviewError
from operations.review.figures import NONE, Figures, figures
from operations.review.settings_changes import Setting

ROOT = Path(__file__).resolve().parents[2]
SETTINGS_DUMP = Path(__file__).with_name("settings_dump.py")

SHARED = (".cache", "connectors/target", "node_modules", ".venv")
"""What a worktree lacks and borrows from this tree: caches whose entries are named after their content, the
built jar, and packages. So both revisions are synthesised with the same jar, or both without."""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """name: as the reviewer calls it; tree: its files; assembly: empty where it lacks the environment;
    settings: by key; figures: to compare; ahead: commits that the other revision lacks."""

    name: str
    tree: Path
    assembly: Assembly
    settings: Mapping[str, Setting]
    figures: Figures
    ahead: int = 0

    @property
    def exists(self) -> bool:
        return bool(self.assembly.stacks)


def commit_of(revision: str, root: Path = ROOT) -> str:
    """The full hash of a revision; raises ReviewError when git does not know it."""
    outcome = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if outcome.returncode:
        raise ReviewError(
            f"git knows no revision '{revision}': fetch it (`git fetch origin`), or give another with --base"
        )
    return outcome.stdout.strip()


def commits_ahead(revision: str, root: Path = ROOT) -> int:
    """Commits of `revision` that the current one lacks; 0 where a shallow clone cannot tell."""
    if _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        return 0
    outcome = _git(root, "rev-list", "--count", f"HEAD..{commit_of(revision, root)}")
    return int(outcome.stdout) if outcome.returncode == 0 else 0


@contextmanager
def worktree(revision: str, root: Path = ROOT) -> Iterator[Path]:
    """A tree of `revision` beside the current one, removed afterwards. Raises ReviewError."""
    commit = commit_of(revision, root)
    with tempfile.TemporaryDirectory(prefix="click-trends-review-") as folder:
        tree = Path(folder) / "tree"
        outcome = _git(root, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        if outcome.returncode:
            raise ReviewError(f"git made no worktree of {revision}: {outcome.stderr.strip()}")
        try:
            _borrow(root, tree)
            yield tree
        finally:
            for name in SHARED:  # links: never let git follow them
                if (tree / name).is_symlink():
                    (tree / name).unlink()
            _git(root, "worktree", "remove", "--force", str(tree))


def read_revision(name: str, tree: Path, environment: str) -> Revision:
    """Synthesise `environment` in `tree`, with the code that stands there. Raises ReviewError."""
    if not (tree / "environments" / f"{environment}.toml").is_file():
        return Revision(name=name, tree=tree, assembly=EMPTY, settings={}, figures=NONE)
    with tempfile.TemporaryDirectory(prefix="click-trends-assembly-") as folder:
        _run(
            [sys.executable, "app.py"],
            tree,
            what=f"{name} cannot be synthesised for {environment}",
            more={"CDK_OUTDIR": folder, "CDK_CONTEXT_JSON": json.dumps({"environment": environment})},
        )
        settings, raw = _settings(name, tree, environment)
        return Revision(
            name=name,
            tree=tree,
            assembly=read_assembly(Path(folder)),
            settings=settings,
            figures=figures(Path(folder), raw),
        )


def outside_files(tree: Path) -> dict[str, str]:
    """Files that name resources of `production` and belong to no stack: the web servers' configuration."""
    return {
        file.relative_to(tree).as_posix(): file.read_text("utf-8", errors="replace")
        for pattern in ("clients/web_servers/*.conf", "clients/web_servers/*.yaml")
        for file in sorted(tree.glob(pattern))
    }


def _settings(name: str, tree: Path, environment: str) -> tuple[dict[str, Setting], Mapping[str, Any]]:
    printed = _run(
        [sys.executable, "-P", str(SETTINGS_DUMP), environment],
        tree,
        what=f"{name}: the settings of {environment} cannot be read",
        more={"PYTHONPATH": str(tree)},
    )
    return read_settings(json.loads(printed))


def read_settings(dump: Mapping[str, Any]) -> tuple[dict[str, Setting], Mapping[str, Any]]:
    """Setting by key, and all as their model writes them; out of what settings_dump.py gives."""
    settings = {
        key: Setting(value=given["value"], default=given["default"], meaning=given["meaning"])
        for key, given in dump.items()
        if key
    }
    return settings, dump[""]


def _run(command: list[str], tree: Path, *, what: str, more: Mapping[str, str]) -> str:
    quiet = {
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    outcome = subprocess.run(
        command,
        cwd=tree,
        env={**os.environ, **quiet, "PYTHONDONTWRITEBYTECODE": "1", **more},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        raise ReviewError(
            f"{what}. Its own code ran with this environment's packages; if those have changed, run `make "
            f"setup`. It said:\n{(outcome.stderr or outcome.stdout).strip()[-3000:]}"
        )
    return outcome.stdout


def _borrow(root: Path, tree: Path) -> None:
    for name in SHARED:
        if (root / name).exists() and not (tree / name).exists():
            (tree / name).symlink_to((root / name).resolve())


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
