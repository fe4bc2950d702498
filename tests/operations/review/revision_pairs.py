"""Makes pairs of revisions with one change between them, without git: a real synthesis takes a second in
process, and what cannot be changed by a setting is changed in the templates or in a copied tree."""

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import stacks.app
from names import Names
from operations.review.assembly import EMPTY, Assembly, read_assembly
from operations.review.figures import NONE, figures
from operations.review.revisions import ROOT, Revision, read_settings
from operations.review.settings_dump import dumped
from settings import Settings, load
from stacks.app import build_app

Template = dict[str, Any]
Edit = Callable[[dict[str, Template]], None]
"""Changes templates in place, by the title of their stack (`OregonStorage`)."""

_TREE = (
    "analytics_sql/*.sql",
    "analytics_sql/*.json",
    "connectors/pom.xml",
    "lambdas/*/requirements.txt",
    "package-lock.json",
    "requirements.txt",
    "clients/web_servers/*.conf",
    "clients/web_servers/*.yaml",
)


@dataclass
class RevisionBuilder:
    """folder: of this test; kept, synthesised: of the whole session, the second by what was synthesised;
    made: how many revisions it made."""

    folder: Path
    kept: Path
    synthesised: dict[str, Path]
    monkeypatch: pytest.MonkeyPatch
    made: int = field(default=0)

    def revision(
        self,
        name: str,
        *,
        settings: Mapping[str, Any] | None = None,
        destroy: bool = False,
        names: Mapping[str, str] | None = None,
        edit: Edit | None = None,
        code: Mapping[str, str] | None = None,
        files: Mapping[str, Callable[[str], str]] | None = None,
        exists: bool = True,
        only: str | None = None,
    ) -> Revision:
        """`production`, otherwise as it stands, but for:

        settings: `section.key` -> value; names: property of Names -> value; edit: of the templates; code:
        title of an asset -> file of its zip that has one line more; files: path in the tree -> what makes its
        text; only: the title of the one stack that the app has.
        """
        self.made += 1
        tree = self._tree(files or {})
        if not exists:
            return Revision(name=name, tree=tree, assembly=EMPTY, settings={}, figures=NONE)
        chosen = _settings(settings or {})
        assembly = self.folder / f"assembly-{self.made}"
        self._synthesise(chosen, destroy=destroy, names=names or {}, into=assembly)
        _edit(assembly, edit)
        with self.monkeypatch.context() as patch:
            _set_names(patch, names or {})
            compared = figures(assembly, dumped(chosen)[""])
        for title, file in (code or {}).items():
            _new_code(assembly, title, file)
        made = read_assembly(assembly)
        if only:
            made = Assembly(stacks=tuple(stack for stack in made.stacks if stack.title == only))
        read, _ = read_settings(dumped(chosen))
        return Revision(name=name, tree=tree, assembly=made, settings=read, figures=compared)

    def _synthesise(self, chosen: Settings, *, destroy: bool, names: Mapping[str, str], into: Path) -> None:
        """Once for all that differs in nothing that a synthesis reads; `into` gets a copy."""
        key = json.dumps([dumped(chosen)[""], destroy, dict(names)], sort_keys=True, default=str)
        if key not in self.synthesised:
            with self.monkeypatch.context() as patch:
                patch.setattr(stacks.app, "load", lambda _environment: chosen)
                _set_names(patch, names)
                build_app("production", destroy=destroy, outdir=into, jar=self.folder / "no.jar").synth()
            self.synthesised[key] = Path(tempfile.mkdtemp(dir=self.kept)) / "assembly"
            shutil.copytree(into, self.synthesised[key])
        else:
            shutil.copytree(self.synthesised[key], into)

    def _tree(self, files: Mapping[str, Callable[[str], str]]) -> Path:
        tree = self.folder / f"tree-{self.made}"
        for pattern in _TREE:
            for source in ROOT.glob(pattern):
                target = tree / source.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        for path, change in files.items():
            target = tree / path
            before = target.read_text("utf-8")
            after = change(before)
            assert after != before, f"the change of {path} changes nothing"
            target.write_text(after, "utf-8")
        return tree


def _set_names(patch: pytest.MonkeyPatch, names: Mapping[str, str]) -> None:
    for member, value in names.items():
        patch.setattr(Names, member, property(partial(_constant, value)))


def _constant(value: str, _names: Names) -> str:
    return value


def _settings(changes: Mapping[str, Any]) -> Settings:
    values = load("production").model_dump()
    for key, value in changes.items():
        section, _, last = key.rpartition(".")
        (values[section] if section else values)[last] = value
    return Settings.model_validate(values)


def _edit(assembly: Path, edit: Edit | None) -> None:
    if edit is None:
        return
    files = {path.name.split(".")[0].rsplit("-", 1)[-1]: path for path in assembly.glob("*.template.json")}
    templates = {title: json.loads(path.read_text()) for title, path in files.items()}
    edit(templates)
    for title, path in files.items():
        path.write_text(json.dumps(templates[title]))


def _new_code(assembly: Path, title: str, file: str) -> None:
    """One line more in a file of an asset, and its new hash wherever the old one stood."""
    for manifest in assembly.glob("*.assets.json"):
        for digest, entry in json.loads(manifest.read_text())["files"].items():
            if entry["displayName"] != title:
                continue
            archive = assembly / entry["source"]["path"]
            with zipfile.ZipFile(archive) as packed:
                contents = {name: packed.read(name) for name in packed.namelist()}
            contents[file] += b"\n# one line more\n"
            new = hashlib.sha256(contents[file]).hexdigest()
            with zipfile.ZipFile(assembly / f"asset.{new}.zip", "w") as packed:
                for name, content in contents.items():
                    packed.writestr(name, content)
            for path in assembly.glob("*.json"):
                path.write_text(path.read_text().replace(digest, new))
            return
    raise AssertionError(f"no asset is called {title}")
