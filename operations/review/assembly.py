"""A synthesised cloud assembly, read for a comparison: stacks in order of deployment, names people know, and
assets by what they are for instead of by their hash."""

import hashlib
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

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
class ReviewedStack:
    """template: with `<asset Analytics/Code>` where the hash of an asset stands; raw: as synthesised.

    paths: logical id -> path of its construct below the stack; acknowledged: (path, finding) -> reason;
    warnings: what synthesis warned of; needs: stacks that are deployed before it.
    """

    name: str
    account: str
    region: str
    protected: bool
    needs: tuple[str, ...]
    template: Mapping[str, Any] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)
    paths: Mapping[str, str] = field(default_factory=dict)
    acknowledged: Mapping[tuple[str, str], str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    assets: tuple[Asset, ...] = ()

    @property
    def title(self) -> str:
        """`OregonStorage` of `ClickTrends-production-OregonStorage`."""
        return self.name.rsplit("-", 1)[-1]

    @cached_property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        resources: Mapping[str, Mapping[str, Any]] = self.template.get("Resources", {})
        return resources


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
    manifest_file = folder / "manifest.json"
    if not manifest_file.is_file():
        raise ReviewError(f"{folder} holds no cloud assembly: manifest.json is missing")
    artifacts = json.loads(manifest_file.read_text())["artifacts"]
    stacks = {
        name: _stack(folder, name, artifact, artifacts)
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    return Assembly(stacks=tuple(_in_order(stacks)))


def _in_order(stacks: Mapping[str, ReviewedStack]) -> list[ReviewedStack]:
    """Each stack after those it needs; otherwise as in the manifest."""
    done: dict[str, ReviewedStack] = {}

    def add(name: str) -> None:
        if name not in done:
            for needed in stacks[name].needs:
                add(needed)
            done[name] = stacks[name]

    for name in stacks:
        add(name)
    return list(done.values())


def _stack(
    folder: Path, name: str, artifact: Mapping[str, Any], artifacts: Mapping[str, Any]
) -> ReviewedStack:
    properties = artifact["properties"]
    text = (folder / properties["templateFile"]).read_text()
    assets = _assets(folder, artifact, artifacts)
    titles = {asset.hash: asset.title for asset in assets}
    named = _HASH.sub(lambda match: f"<asset {titles[match[0]]}>" if match[0] in titles else match[0], text)
    metadata = _metadata(folder, artifact)
    return ReviewedStack(
        name=name,
        account=artifact["environment"].split("/")[-2],
        region=artifact["environment"].rsplit("/", 1)[-1],
        protected=bool(properties.get("terminationProtection")),
        needs=tuple(
            needed
            for needed in artifact.get("dependencies", ())
            if artifacts[needed]["type"] == "aws:cloudformation:stack"
        ),
        template=_without_bootstrap(json.loads(named)),
        raw=json.loads(text),
        paths={
            entry["data"]: _below(name, path)
            for path, entries in metadata.items()
            for entry in entries
            if entry["type"] == "aws:cdk:logicalId"
        },
        acknowledged={
            (_below(name, path), finding.removeprefix("Annotation::")): reason
            for path, entries in metadata.items()
            for entry in entries
            if entry["type"] == "aws:cdk:acknowledged-rules"
            for finding, reason in entry["data"].items()
        },
        warnings=tuple(
            entry["data"]
            for entries in metadata.values()
            for entry in entries
            if entry["type"] in {"aws:cdk:warning", "aws:cdk:error"}
        ),
        assets=assets,
    )


def _below(stack: str, path: str) -> str:
    return path.removeprefix(f"/{stack}/").removesuffix("/Resource")


def _without_bootstrap(template: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the CDK adds to every template, and without sections that are empty then."""
    kept = {
        section: {key: value for key, value in entries.items() if key != _BOOTSTRAP[section]}
        if section in _BOOTSTRAP
        else entries
        for section, entries in template.items()
    }
    return {section: entries for section, entries in kept.items() if entries or section == "Resources"}


def _metadata(folder: Path, artifact: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    inline: dict[str, list[dict[str, Any]]] = artifact.get("metadata") or {}
    if not (file := artifact.get("additionalMetadataFile")):
        return inline
    outside: dict[str, list[dict[str, Any]]] = json.loads((folder / file).read_text())
    return {**outside, **inline}


def _assets(folder: Path, artifact: Mapping[str, Any], artifacts: Mapping[str, Any]) -> tuple[Asset, ...]:
    manifests = [
        json.loads((folder / artifacts[needed]["properties"]["file"]).read_text())
        for needed in artifact.get("dependencies", ())
        if artifacts[needed]["type"] == "cdk:asset-manifest"
    ]
    return tuple(
        Asset(
            title=entry["displayName"],
            hash=digest,
            files=_zipped(folder / entry["source"]["path"]),
            entry_points=_entry_points(folder / entry["source"]["path"]),
        )
        for manifest in manifests
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
