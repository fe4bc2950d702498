"""The click files of a bounded run; each content is read once, whatever its name or compression."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contract.click import Unread, read_line

SUFFIXES = (".json", ".json.gz")
LINE_OPTIONS = {"flat-json.aggregated-records": "false"}
"""Of a table of clicks over files: no line of a file is an aggregated record, whatever its bytes."""
_GZIP = b"\x1f\x8b"
_BLANKS = b" \t\r\n"


@dataclass(frozen=True, kw_only=True)
class FileContent:
    """lines: those that are not blank; clicks, unparseable: what contract/click.py finds in each as a record,
    which is how Flink hands it to the decoder; first_unparseable: its line, from 1; digest: of all lines."""

    file: Path
    lines: int
    clicks: int
    unparseable: int
    first_unparseable: int | None
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class ClickFiles:
    """read: the first file of each content, ordered by name; repeated: the others, each with the file in
    `read` that has the same content."""

    read: list[FileContent]
    repeated: list[tuple[FileContent, Path]]

    @property
    def lines(self) -> int:
        return sum(content.lines for content in self.read)

    @property
    def clicks(self) -> int:
        return sum(content.clicks for content in self.read)

    @property
    def unparseable(self) -> int:
        return sum(content.unparseable for content in self.read)

    @property
    def received(self) -> int:
        return self.clicks + self.unparseable

    def remarks(self) -> list[str]:
        """What a person should know beside the reconciliation, a sentence each."""
        told = []
        if self.repeated:
            lines = sum(content.lines for content, _ in self.repeated)
            first, same = self.repeated[0]
            told.append(
                f"left out {many(len(self.repeated), 'file')} with {many(lines, 'line')}, whose content "
                f"stands in another file, such as {shown(first.file)} in {shown(same)}"
            )
        for content in self.read:
            if content.first_unparseable is not None:
                told.append(f"first unparseable: {shown(content.file)}, line {content.first_unparseable}")
                break
        return told


def click_files(folder: Path) -> list[Path]:
    """The files to read. Raises SystemExit if there is none, or if one that may hold clicks is not read."""
    files = []
    for path in _below(folder):
        fits = path.name.endswith(SUFFIXES)
        if any(part[0] in "._" for part in path.relative_to(folder).parts):
            if fits:
                raise SystemExit(
                    f"{shown(path)}: a name that starts with '.' or '_' means that the file is incomplete; "
                    "rename or remove it"
                )
        elif not fits or not path.is_file():
            raise SystemExit(
                f"{shown(path)} is not a file named *.json or *.json.gz, so it would not be read; rename or "
                "remove it"
            )
        else:
            files.append(path)
    if not files:
        raise SystemExit(f"--clicks {shown(folder)}: there is no *.json or *.json.gz file")
    return sorted(files)


def _below(folder: Path) -> Iterator[Path]:
    """Files at any depth, and links to folders, which are not followed."""
    for parent, folders, files in os.walk(folder, onerror=_not_listed):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        yield from (Path(parent) / name for name in (*links, *files))


def _not_listed(error: OSError) -> None:
    raise SystemExit(f"{shown(Path(error.filename))} cannot be listed: {error.strerror}")


def read_click_files(files: list[Path]) -> ClickFiles:
    """Raises SystemExit with the file's name if one cannot be read, or if none has a click."""
    read: dict[bytes, FileContent] = {}
    repeated = []
    for file in files:
        content = _content(file)
        first = read.setdefault(content.digest, content)
        if first is not content:
            repeated.append((content, first.file))
    found = ClickFiles(read=list(read.values()), repeated=repeated)
    if not found.clicks:
        what = f"{many(found.lines, 'line')} in {many(len(files), 'file')}"
        remarks = "".join(f"; {remark}" for remark in found.remarks())
        raise SystemExit(
            f"--clicks holds no click ({what}{remarks}): give JSON objects in UTF-8, none over several lines"
        )
    return found


def _content(file: Path) -> FileContent:
    digest = hashlib.sha256()
    lines = clicks = unparseable = 0
    first_unparseable = None
    for number, line in numbered_lines(file):
        digest.update(line + b"\n")
        found = read_line(line)
        unread = sum(isinstance(each, Unread) for each in found)
        lines += 1
        clicks += len(found) - unread
        unparseable += unread
        if unread and first_unparseable is None:
            first_unparseable = number
    return FileContent(
        file=file,
        lines=lines,
        clicks=clicks,
        unparseable=unparseable,
        first_unparseable=first_unparseable,
        digest=digest.digest(),
    )


def numbered_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank, without its end, with its number from 1. Raises SystemExit if it cannot be
    read."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as content:
            for number, line in enumerate(content, 1):
                if number == 1 and line.startswith(_GZIP):
                    raise SystemExit(f"{shown(file)} is gzip: name it *.json.gz, compressed once")
                if line.strip(_BLANKS):
                    yield number, line.removesuffix(b"\n")
    except (OSError, EOFError, zlib.error) as error:
        raise SystemExit(f"{shown(file)} cannot be read: {error}. Fetch it again, or remove it") from None


def link(files: ClickFiles, folder: Path) -> None:
    """A link for each file to read, with a name that Flink accepts: it accepts no colon."""
    for number, content in enumerate(files.read):
        suffix = SUFFIXES[content.file.name.endswith(".gz")]
        (folder / f"{number:08}{suffix}").symlink_to(content.file)


def many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def shown(path: Path) -> str:
    """As text that any terminal can show, even if the name is not in its encoding."""
    return str(path).encode(errors="backslashreplace").decode()
