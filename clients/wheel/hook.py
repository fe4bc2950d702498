"""Gives hatchling what the wheel holds: one package, click_trends, made of this tree's own modules.

1. follow the imports from the entry points: a module that nothing imports stays out
2. rewrite imports of our own modules, as pip does for the packages it carries: clients.board is
   click_trends.board, contract.count is click_trends.contract.count
3. add the board's page, and the files of uPlot that it loads, with uPlot's licence
"""

import ast
import re
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "click_trends"
ENTRY_POINTS = ("clients.command_line.__main__", "clients.board.server", "clients.batch_server")
OURS = ("clients", "contract", "interruption", "names")
PAGE = Path("clients/board/page")
CHARTS = Path("node_modules/uplot")
CHART_FILES = ("dist/uPlot.esm.js", "dist/uPlot.min.css", "LICENSE")


class WheelError(Exception):
    """The wheel cannot be built from the tree as it is."""


class ClickTrends(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """version: `standard`; hatchling asks for `editable` too."""
        if version != "standard":
            raise WheelError(
                "the tree is no editable package: `make setup` puts its click-trends into .venv/bin"
            )
        self._rewritten = tempfile.TemporaryDirectory(prefix="click-trends-wheel-")
        files = wheel_files(Path(self.root), Path(self._rewritten.name))
        build_data["force_include"].update({str(source): place for place, source in sorted(files.items())})

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact: str) -> None:
        self._rewritten.cleanup()


def wheel_files(tree: Path, work: Path) -> dict[str, Path]:
    """Paths in the wheel, and the files to put there; what is rewritten is written into `work`."""
    files = {}
    for module, source in modules(tree).items():
        name = packaged(module).replace(".", "/") + ("/__init__.py" if source.stem == "__init__" else ".py")
        files[name] = work / name
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(rewritten(source.read_text(encoding="utf-8"), source), encoding="utf-8")
    files[f"{PACKAGE}/py.typed"] = work / "py.typed"
    files[f"{PACKAGE}/py.typed"].touch()
    for file in (tree / PAGE).iterdir():
        files[f"{PACKAGE}/board/page/{file.name}"] = file
    for name in CHART_FILES:
        file = tree / CHARTS / name
        if not file.is_file():
            raise WheelError(f"{CHARTS / name} is missing: run `make setup`, which installs uPlot")
        files[f"{PACKAGE}/board/charts/{file.name}"] = file
    return files


def modules(tree: Path) -> dict[str, Path]:
    """What the entry points import of ours, and the packages around it."""
    found: dict[str, Path] = {}
    waiting = [*ENTRY_POINTS]
    while waiting:
        module = waiting.pop()
        source = source_of(tree, module)
        if source is None or module in found:
            continue
        found[module] = source
        waiting.append(module.rpartition(".")[0])
        for node in imports(source.read_text(encoding="utf-8"), source):
            waiting += [str(node.module), *(f"{node.module}.{each.name}" for each in node.names)]
    return found


def source_of(tree: Path, module: str) -> Path | None:
    """None for a name within a module, and where the module is not ours."""
    if module.partition(".")[0] not in OURS:
        return None
    path = tree.joinpath(*module.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((each for each in candidates if each.is_file()), None)


def imports(text: str, source: Path) -> list[ast.ImportFrom]:
    """Of our own modules. Raises WheelError for a form that cannot be rewritten."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import) and any(each.name.partition(".")[0] in OURS for each in node.names):
            raise WheelError(f"{source}, line {node.lineno}: write `from ... import ...`")
        if isinstance(node, ast.ImportFrom) and (node.level or str(node.module).partition(".")[0] in OURS):
            if node.level:
                raise WheelError(f"{source}, line {node.lineno}: write the import with its whole name")
            found.append(node)
    return found


def rewritten(text: str, source: Path) -> str:
    lines = text.splitlines(keepends=True)
    for node in imports(text, source):
        line = lines[node.lineno - 1]
        statement = re.compile(rf"(\s*from\s+){re.escape(str(node.module))}(?=\s)")
        changed, number = statement.subn(rf"\g<1>{packaged(str(node.module))}", line, count=1)
        if not number:
            raise WheelError(f"{source}, line {node.lineno}: begin the line with `from {node.module} import`")
        lines[node.lineno - 1] = changed
    return "".join(lines)


def packaged(module: str) -> str:
    """The module's name in the wheel."""
    return PACKAGE + module.removeprefix("clients") if module.startswith("clients") else f"{PACKAGE}.{module}"
