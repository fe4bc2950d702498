"""Checks that the jar for AWS may be deployed: it exists, is intact, and is newer than its sources."""

import zipfile
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "connectors"


def unusable(jar: Path) -> str | None:
    """Why the application could not start with this jar; None if it could."""
    if not jar.is_file():
        return f"connectors/target/{jar.name} is missing"
    return None if zipfile.is_zipfile(jar) else f"connectors/target/{jar.name} is empty or damaged"


def stale(jar: Path, sources: Path = SOURCES) -> str | None:
    """Why it is older than its sources, by the times of the files; None if it is not."""
    files = [sources / "pom.xml", *(file for file in (sources / "src" / "main").rglob("*") if file.is_file())]
    newest = max(files, key=lambda file: file.stat().st_mtime)
    if newest.stat().st_mtime <= jar.stat().st_mtime:
        return None
    return f"connectors/target/{jar.name} is older than {newest.relative_to(sources.parent)}"
