import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operations.review import engine
from operations.review.assembly import Assembly, read_assembly
from stacks.app import build_app
from tests.operations.review.revision_pairs import RevisionBuilder

Answer = Callable[[str], str]


@pytest.fixture(scope="session", autouse=True)
def answer_of_a_new_process() -> Iterator[Answer]:
    """One process of the CDK's engine answers all tests: reading its database takes most of an answer.

    Yields what a review calls, which starts one for its only question.
    """
    anew = engine.answer
    command = ["node", str(engine.SCRIPT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        questions, answers = process.stdin, process.stdout

        def ask(line: str) -> str:
            questions.write(line)
            questions.flush()
            return answers.readline()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "answer", ask)
            yield anew


@pytest.fixture(scope="session")
def synthesised() -> dict[str, Path]:
    """What RevisionBuilder has synthesised, for all tests of this process."""
    return {}


@pytest.fixture
def builder(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    synthesised: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> RevisionBuilder:
    kept = tmp_path_factory.getbasetemp()
    return RevisionBuilder(folder=tmp_path, kept=kept, synthesised=synthesised, monkeypatch=monkeypatch)


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    folder = tmp_path_factory.mktemp("assembly")
    build_app("production", destroy=False, outdir=folder, jar=folder / "no.jar").synth()
    return read_assembly(folder)
