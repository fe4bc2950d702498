"""Zip files that depend on their content only, so an asset hash is the same on every machine."""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "assets"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_NOT_PACKED = {"__pycache__", ".pytest_cache"}


def files_below(folder: Path) -> dict[str, Path]:
    """Every file below `folder` that belongs in a package, by its path relative to it."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _NOT_PACKED.intersection(path.parts) and path.suffix != ".pyc"
    }


def write_zip(name: str, files: Mapping[str, Path]) -> Path:
    """A zip of `files` (path inside -> source) in the cache, its name ending in the content's digest."""
    digest = hashlib.sha256()
    for inside, source in sorted(files.items()):
        content = hashlib.sha256(source.read_bytes()).hexdigest()
        digest.update(f"{inside}\0{content}\n".encode())
    target = CACHE / f"{name}-{digest.hexdigest()[:20]}.zip"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        _write(target, files)
    return target


def _write(target: Path, files: Mapping[str, Path]) -> None:
    descriptor, unfinished = tempfile.mkstemp(dir=target.parent, suffix=".unfinished")
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, source in sorted(files.items()):
            entry = zipfile.ZipInfo(inside, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _READABLE
            archive.writestr(entry, source.read_bytes())
    Path(unfinished).replace(target)
