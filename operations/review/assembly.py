"""A cloud assembly, read for a comparison: assets by what they are for instead of by their hash."""

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from cloudformation import AssemblyError, Stack, read_stacks
from operations.review.errors import ReviewError

_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_TOP_LEVEL = re.compile(rb"^(?:async )?(?:def |class )?([A-Za-z_]\w*)(?= *[(=:])", re.MULTILINE)
_BOOTSTRAP = {"Parameters": "BootstrapVersion", "Rules": "CheckBootstrapVersion"}


@dataclass(frozen=True, kw_only=True)
class Asset:
    """title: the construct it belongs to, as `Analytics/Code`; files: path inside its zip -> digest;
    entry_points: `handler.handler` of what stands at the top of its Python files."""

    title: str
    hash: str
    files: Mapping[str, str] = field(repr=False)
    entry_points: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, kw_only=True)
class ReviewedStack(Stack):
    """template: with `<asset Analytics/Code>` where the hash of an asset stands; raw: as synthesised.

    acknowledged: (path, finding) -> reason; warnings: what synthesis warned of.
    """

    protected: bool = False
    raw: Mapping[str, Any] = field(repr=False)
    acknowledged: Mapping[tuple[str, str], str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    assets: tuple[Asset, ...] = ()

    @property
    def title(self) -> str:
        """`OregonStorage` of `ClickTrends-production-OregonStorage`."""
        return self.name.rsplit("-", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class Assembly:
    stacks: tuple[ReviewedStack, ...]
    """In order of deployment."""

    def get(self, name: str) -> ReviewedStack | None:
        return next((stack for stack in self.stacks if stack.name == name), None)

    def same(self, stack: ReviewedStack) -> ReviewedStack | None:
        """The stack that a deployment of `stack` would meet: of its name, in its account and region."""
        met = self.get(stack.name)
        return met if met and (met.account, met.region) == (stack.account, stack.region) else None


EMPTY = Assembly(stacks=())
"""Of an environment that does not exist in a revision."""


def read_assembly(folder: Path) -> Assembly:
    """The assembly that synthesis wrote to `folder`; raises ReviewError when there is none."""
    try:
        return Assembly(stacks=tuple(_reviewed(folder, stack) for stack in read_stacks(folder)))
    except AssemblyError as error:
        raise ReviewError(str(error)) from error


def _reviewed(folder: Path, stack: Stack) -> ReviewedStack:
    assets = _assets(folder, stack)
    titles = {asset.hash: asset.title for asset in assets}
    named = _HASH.sub(
        lambda match: f"<asset {titles[match[0]]}>" if match[0] in titles else match[0],
        json.dumps(stack.template),
    )
    entries = [(path, entry) for path, given in stack.metadata.items() for entry in given]
    return ReviewedStack(
        **{each.name: getattr(stack, each.name) for each in fields(Stack) if each.name != "template"},
        protected=bool(stack.artifact.get("terminationProtection")),
        template=_without_bootstrap(json.loads(named)),
        raw=stack.template,
        acknowledged={
            (path, finding.removeprefix("Annotation::")): reason
            for path, entry in entries
            if entry["type"] == "aws:cdk:acknowledged-rules"
            for finding, reason in entry["data"].items()
        },
        warnings=tuple(
            entry["data"] for _, entry in entries if entry["type"] in {"aws:cdk:warning", "aws:cdk:error"}
        ),
        assets=assets,
    )


def _without_bootstrap(template: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the CDK adds to every template, and without sections that are empty then."""
    kept = {
        section: {key: value for key, value in entries.items() if key != _BOOTSTRAP[section]}
        if section in _BOOTSTRAP
        else entries
        for section, entries in template.items()
    }
    return {section: entries for section, entries in kept.items() if entries or section == "Resources"}


def _assets(folder: Path, stack: Stack) -> tuple[Asset, ...]:
    return tuple(
        Asset(
            title=entry["displayName"],
            hash=digest,
            files=_zipped(folder / entry["source"]["path"]),
            entry_points=_entry_points(folder / entry["source"]["path"]),
        )
        for manifest in stack.asset_manifests
        for digest, entry in manifest.get("files", {}).items()
        if not entry["source"]["path"].endswith(".template.json")
    )


def _entry_points(file: Path) -> frozenset[str]:
    if not zipfile.is_zipfile(file):
        return frozenset()
    with zipfile.ZipFile(file) as archive:
        return frozenset(
            f"{name.removesuffix('.py').replace('/', '.')}.{found[1].decode()}"
            for name in archive.namelist()
            if name.endswith("handler.py")
            for found in _TOP_LEVEL.finditer(archive.read(name))
        )


def _zipped(file: Path) -> dict[str, str]:
    if not zipfile.is_zipfile(file):
        return {}
    with zipfile.ZipFile(file) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
