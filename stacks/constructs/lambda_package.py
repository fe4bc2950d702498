"""The zip of a Lambda function: the modules that its handler imports, and the packages of requirements.txt.

No Docker. Packages must be pure Python: the same zip then runs on either processor, on AWS's Python 3.14
and in the twin on the environment's own. pip is asked for such wheels only, and only when requirements.txt
has changed, so synthesis is offline once the cache is filled.
"""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

from stacks.constructs.deterministic_zip import files_below, write_zip

ROOT = Path(__file__).parents[2]
LAMBDAS = ROOT / "lambdas"
PACKAGES = ROOT / ".cache" / "lambda"
_PIP_OPTIONS = (
    *("--python-version", "3.14", "--implementation", "py", "--abi", "none", "--platform", "any"),
    *("--only-binary", ":all:", "--no-deps", "--no-compile", "--disable-pip-version-check", "--quiet"),
)
"""Without dependencies: requirements.txt names every package, so that a zip holds nothing unknown."""


class PackageError(Exception):
    """A Lambda function's packages cannot be fetched; the message says which and what to do."""


def lambda_zip(name: str, *, data: Sequence[Path] = ()) -> Path:
    """Zip of the function in lambdas/<name>/, for the handler `handler.handler`.

    data: files that its modules open. The handler stands at the root, everything else at its path in the
    repository, so an import reads the same on AWS, in tests and to the type checker. Raises PackageError.
    """
    folder = LAMBDAS / name
    handler, requirements = folder / "handler.py", folder / "requirements.txt"
    packages = files_below(_installed(requirements)) if requirements.exists() else {}
    sources = [*imported_modules(handler, ROOT), *data]
    inside = {path.relative_to(ROOT).as_posix(): path for path in sources}
    return write_zip(name, {**packages, **inside, "handler.py": handler})


@cache
def imported_modules(handler: Path, root: Path) -> tuple[Path, ...]:
    """The modules below `root` that `handler` imports, directly or not, at its start or later.

    A module whose name is computed is not found.
    """
    finder = ModuleFinder([str(root)])
    finder.run_script(str(handler))
    files = (getattr(module, "__file__", None) for module in finder.modules.values())
    return tuple(sorted({Path(file) for file in files if file} - {handler}))


def _installed(requirements: Path) -> Path:
    """Folder with the packages of `requirements`, fetched once per content; raises PackageError."""
    key = hashlib.sha256(requirements.read_bytes() + " ".join(_PIP_OPTIONS).encode()).hexdigest()[:20]
    target = PACKAGES / f"{requirements.parent.name}-{key}"
    if target.is_dir():
        return target
    PACKAGES.mkdir(parents=True, exist_ok=True)
    # A folder of its own: `make run` and `make synth` may fill an empty cache at the same time.
    with tempfile.TemporaryDirectory(prefix=f"{target.name}-", dir=PACKAGES) as work:
        unfinished = Path(work) / "packages"
        _install(requirements, into=unfinished)
        try:
            unfinished.rename(target)
        except OSError:
            if not target.is_dir():  # else another synthesis was faster, with the same packages
                raise
    return target


def _install(requirements: Path, *, into: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", *_PIP_OPTIONS]
    outcome = subprocess.run(
        [*command, "--target", str(into), "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        raise PackageError(
            f"lambdas/{requirements.parent.name}/requirements.txt could not be installed. It may name "
            "pure-Python packages only, and the first synthesis after a change needs the network. pip "
            f"said:\n{outcome.stderr}"
        )
