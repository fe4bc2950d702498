"""What a change does that two syntheses with one set of packages and one jar cannot show."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from operations.review.dependencies import DependencyChange
from operations.review.findings import Finding, Kind

_WRITE_TEMPLATES = ("aws-cdk", "aws-cdk-lib", "cdk-nag", "constructs", "jsii")
_JAR_SOURCES = ("connectors/pom.xml", "connectors/src/main/**/*")


def unseen_findings(
    old: Path, new: Path, dependencies: Iterable[DependencyChange], *, restart: str
) -> Iterator[Finding]:
    """old, new: two trees of the repository; dependencies: what differs between them; restart: what a restart
    of the application does."""
    if files := _changed(old, new):
        more = f" and {len(files) - 6} more" if len(files) > 6 else ""
        yield Finding(
            kind=Kind.INTERRUPTION,
            text="The analytics application gets a new jar, as its sources change: "
            f"{', '.join(f'`{file}`' for file in files[:6])}{more}.",
            details=(restart,),
        )
    for change in dependencies:
        if change.ecosystem == "Python" and change.name.startswith(_WRITE_TEMPLATES):
            yield Finding(
                kind=Kind.NOT_UNDERSTOOD,
                text=f"`{change.name}` {change.old or '(new)'} → {change.new or '(gone)'} writes the "
                "templates: both revisions were synthesised with the one that is installed here, so what "
                "this upgrade itself changes is not on this page.",
                details=("`make diff`, with this version installed, shows it before the deployment.",),
            )


def _changed(old: Path, new: Path) -> list[str]:
    before, after = _sources(old), _sources(new)
    return [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]


def _sources(tree: Path) -> dict[str, bytes]:
    return {
        file.relative_to(tree).as_posix(): file.read_bytes()
        for pattern in _JAR_SOURCES
        for file in tree.glob(pattern)
        if file.is_file()
    }
