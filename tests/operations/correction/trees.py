"""Trees to deploy and to give commands in: this one, with other settings or other SQL."""

import shutil
from pathlib import Path

from twin.synthesis import PROJECT
from twin.twin import ENVIRONMENT

_COPIED = (
    *("analytics_sql", "clients", "connectors", "contract", "environments", "lambdas", "operations"),
    *("settings", "stacks", "app.py", "cloudformation.py", "interruption.py", "names.py", "pyproject.toml"),
    "requirements.txt",
)


def tree(
    folder: Path,
    *,
    counts_generation: int,
    corrections: dict[str, int] | None = None,
    sql: dict[str, tuple[str, str]] | None = None,
) -> Path:
    """A copy in `folder`. corrections: analytics.segments_corrections; sql: by file, what stands there and
    what shall stand there."""
    folder.mkdir()
    named = [f'"{name}" = {since}' for name, since in (corrections or {}).items()]
    for name in _COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "classes"))
        else:
            shutil.copy2(source, folder)
    (folder / ".cache").symlink_to(PROJECT / ".cache")
    (folder / "docs").symlink_to(PROJECT / "docs")
    _replace(
        folder / "environments" / f"{ENVIRONMENT}.toml",
        "[analytics]\n",
        f"[analytics]\ncounts_generation = {counts_generation}\n"
        f"segments_corrections = {{ {', '.join(named)} }}\n",
    )
    for file, (known, wanted) in (sql or {}).items():
        _replace(folder / "analytics_sql" / file, known, wanted)
    return folder


def _replace(file: Path, known: str, wanted: str) -> None:
    text = file.read_text()
    assert text.count(known) == 1, f"{file.name} has {known!r} {text.count(known)} times"
    file.write_text(text.replace(known, wanted))
