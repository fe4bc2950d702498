"""Chromium, driven by Playwright: the one installed here, or the one in npm's @sparticuz/chromium."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.conftest import PROJECT

INSTALLED = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # The machine that runs the tests may have no sandbox for a root user. Only our own page is opened.
        browser = playwright.chromium.launch(
            executable_path=_chromium(), args=["--no-sandbox", "--headless=shell", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()


def _chromium() -> str:
    for name in INSTALLED:
        path = shutil.which(name)
        if path:
            return path
    folder = PROJECT / ".cache" / "chromium"
    if not folder.exists():
        _unpack_chromium(folder)
    return str(folder / "chromium")


def _unpack_chromium(folder: Path) -> None:
    """Into a folder of the project: in the one for temporary files, which all users share, the package runs
    whatever lies there under that name."""
    folder.parent.mkdir(exist_ok=True)
    unpacked = Path(tempfile.mkdtemp(dir=folder.parent))
    node = PROJECT / ".venv" / "bin" / "node"
    # In the project's folder itself: Node looks for packages above the real path of a script.
    script = (Path(__file__).parent / "chromium.mjs").read_text(encoding="utf-8")
    command = [str(node), "--input-type=module", "--eval", script]
    environment = {**os.environ, "TMPDIR": str(unpacked)}
    try:
        subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)
        with suppress(OSError):  # another process of the tests was first
            unpacked.rename(folder)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
