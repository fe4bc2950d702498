"""Packages that are new, gone or of another version, with their licences: Python, npm and Maven."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

MAVEN_REPOSITORY = Path.home() / ".m2" / "repository"
NOT_INSTALLED = "licence not known here: this version is not installed"
_PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)\s*(.*)")
_POM = "{http://maven.apache.org/POM/4.0.0}"


@dataclass(frozen=True, kw_only=True)
class DependencyChange:
    """old, new: versions, None where it is absent; file: where it is pinned."""

    ecosystem: str
    file: str
    name: str
    old: str | None
    new: str | None
    licence: str


def dependency_changes(old: Path, new: Path) -> tuple[DependencyChange, ...]:
    """old, new: two trees of the repository."""
    return tuple(
        DependencyChange(
            ecosystem=ecosystem,
            file=file,
            name=name,
            old=before.get(name),
            new=after.get(name),
            licence=licence(name, after[name]) if name in after else "",
        )
        for ecosystem, files, read, licence in (
            ("Python", _requirement_files, _requirements, _python_licence),
            ("npm", _lock_files, _locked, _npm_licence_in(new)),
            ("Maven", _pom_files, _artifacts, _maven_licence),
        )
        for file in sorted({*files(old), *files(new)})
        for before, after in [(_read(old / file, read), _read(new / file, read))]
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def dependency_line(change: DependencyChange) -> str:
    versions = f"{change.old or '(new)'} → {change.new or '(gone)'}"
    licence = f" — {change.licence}" if change.licence else ""
    return f"{change.ecosystem} `{change.name}` {versions}{licence} ({change.file})"


def _read(file: Path, read: Callable[[str], Mapping[str, str]]) -> Mapping[str, str]:
    return read(file.read_text("utf-8")) if file.is_file() else {}


def _requirement_files(tree: Path) -> list[str]:
    folders = [tree, tree / "bench", *(tree / "lambdas").glob("*")]
    return [f.relative_to(tree).as_posix() for folder in folders for f in folder.glob("requirements.txt")]


def _requirements(text: str) -> dict[str, str]:
    """Package -> its version, or whatever else is asked of it: a range, extras, an address, a marker."""
    found: dict[str, list[str]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        plain = re.sub(r"(^|\s)#.*|\s--hash=\S+", "", line).strip()
        if match := _PACKAGE.match(plain):
            asked = " ".join(match[2].split())
            version = asked.removeprefix("==").strip() if re.fullmatch(r"==\s*\S+", asked) else asked
            found.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), []).append(version or "any version")
    return {name: " or ".join(versions) for name, versions in found.items()}


def _python_licence(name: str, version: str) -> str:
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return NOT_INSTALLED
    if version not in (found["Version"], "any version"):
        return NOT_INSTALLED
    if expression := found.json.get("license_expression"):
        return str(expression)
    classifiers = [
        line.rsplit(" :: ", 1)[-1]
        for line in found.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    written = str(found.json.get("license") or "").strip().splitlines()
    return ", ".join(classifiers) or (written[0][:60] if written else "licence not stated by the package")


def _lock_files(tree: Path) -> list[str]:
    return [file.relative_to(tree).as_posix() for file in tree.glob("package-lock.json")]


def _locked(text: str) -> dict[str, str]:
    """Package -> its version, or its versions where other packages bring their own."""
    found: dict[str, set[str]] = {}
    for name, entry in _lock_entries(text):
        found.setdefault(name, set()).add(entry["version"])
    return {name: " or ".join(sorted(versions)) for name, versions in found.items()}


def _lock_entries(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for place, entry in json.loads(text).get("packages", {}).items():
        if place and "version" in entry:
            yield place.rpartition("node_modules/")[2], entry


def _npm_licence_in(tree: Path) -> Callable[[str, str], str]:
    file = tree / "package-lock.json"
    entries = dict(_lock_entries(file.read_text("utf-8"))) if file.is_file() else {}
    return lambda name, _version: str(entries[name].get("license", "licence not stated by the package"))


def _pom_files(tree: Path) -> list[str]:
    return [file.relative_to(tree).as_posix() for file in (tree / "connectors").glob("pom.xml")]


def _artifacts(text: str) -> dict[str, str]:
    """Dependencies, plugins and boms of a pom: `group:artifact` -> version, with properties filled in."""
    root = ElementTree.fromstring(text)
    properties = {
        child.tag.removeprefix(_POM): (child.text or "").strip()
        for block in root.iter(f"{_POM}properties")
        for child in block
    }
    return dict(_versions(root, properties))


def _versions(root: ElementTree.Element, properties: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for element in root.iter():
        if element.tag in {f"{_POM}dependency", f"{_POM}plugin"}:
            group = element.findtext(f"{_POM}groupId") or "org.apache.maven.plugins"
            artifact = element.findtext(f"{_POM}artifactId") or "?"
            version = element.findtext(f"{_POM}version") or "managed"
            yield f"{group}:{artifact}", _filled(version, properties)


def _filled(text: str, properties: Mapping[str, str]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda match: properties.get(match[1], match[0]), text)


def _maven_licence(name: str, version: str) -> str:
    """From the artifact's pom in the local repository, or the nearest parent that states one."""
    group, _, artifact = name.partition(":")
    for _ in range(8):
        file = MAVEN_REPOSITORY / group.replace(".", "/") / artifact / version / f"{artifact}-{version}.pom"
        if not file.is_file():
            return NOT_INSTALLED
        root = ElementTree.fromstring(file.read_text("utf-8"))
        names = [
            text for text in (item.findtext(f"{_POM}name") for item in root.iter(f"{_POM}license")) if text
        ]
        if names:
            return ", ".join(names)
        parent = root.find(f"{_POM}parent")
        if parent is None:
            return "licence not stated by the artifact"
        group = parent.findtext(f"{_POM}groupId") or group
        artifact = parent.findtext(f"{_POM}artifactId") or artifact
        version = parent.findtext(f"{_POM}version") or version
    return "licence not stated by the artifact"
