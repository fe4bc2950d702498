from pathlib import Path

import pytest

from operations.review.assembly import Assembly, read_assembly
from stacks.app import build_app
from tests.operations.review.revision_pairs import RevisionBuilder


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RevisionBuilder:
    return RevisionBuilder(folder=tmp_path, monkeypatch=monkeypatch)


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    folder = tmp_path_factory.mktemp("assembly")
    build_app("production", destroy=False, outdir=folder, jar=folder / "no.jar").synth()
    return read_assembly(folder)
