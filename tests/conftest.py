"""Fixtures that several folders of tests share: the real data sets beside the project, and one OpenSearch
server."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from twin.emulator import Emulator
from twin.opensearch import running_opensearch

# A shell starts what it does not wait for deaf to Ctrl-C, and so is all that is started from there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Flink is started for seconds: the optimising compiler and parallel collection take twice of what they save.
os.environ.setdefault("JVM_ARGS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

# A busy machine makes inputs slowly; how fast is a question for benchmarks.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

PROJECT = Path(__file__).parent.parent
SHARED_DATA = PROJECT.parent / "shared" / "data"


END_TO_END = PROJECT / "tests" / "end_to_end"


FIRST_OF_SECOND_TWIN = "test_p"
"""Files of END_TO_END from this name on share a twin of their own: such tests mostly wait, so two twins take
little more than half of the time of one."""


OWN_TWINS = (
    "tests/operations/correction/test_corrections_in_the_twin.py",
    "tests/twin/drills/test_rehearsal.py",
    "tests/twin/test_ending.py",
)
"""Files that start twins of their own: one after another, as four twins at once starve each other."""


class TogetherByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """A worker gets the tests of a file together, and those that share a twin. (The groups of pytest-xdist
    3.8 have no effect with pytest 9.2, whose ids of tests it cannot change.)"""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        if file in OWN_TWINS:
            return "own twins"
        folder, _, name = file.rpartition("/")
        if folder != END_TO_END.relative_to(PROJECT).as_posix():
            return file
        return f"{folder} {'second' if name >= FIRST_OF_SECOND_TWIN else 'first'}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TogetherByFile:
    return TogetherByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest goes first, so that the workers end at about the same time."""

    def place(item: pytest.Item) -> int:
        if END_TO_END in item.path.parents:
            return 0
        return 1 if item.path.relative_to(PROJECT).as_posix() in OWN_TWINS else 2

    items.sort(key=place)


@pytest.fixture(scope="session")
def tree() -> list[Path]:
    """Every file of the project that git tracks or would track, relative to it; skips in no git work tree."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("the project is no git work tree here")
    return [Path(line) for line in listed.stdout.splitlines() if (PROJECT / line).is_file()]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the wikiticker and worldcup98 data sets; tests that need it skip without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the data sets of ../shared/data are not on this machine")
    return SHARED_DATA


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint (http://127.0.0.1:<port>) of one real OpenSearch server for the whole test session."""
    with running_opensearch(tmp_path_factory.mktemp("opensearch") / "opensearch.log") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The twin's emulated AWS alone, with IAM; its delivery streams keep what they are given."""
    log = tmp_path_factory.mktemp("emulator") / "log"
    emulator = Emulator(opensearch_endpoint="http://127.0.0.1:1", log=log)
    try:
        emulator.wait_until_ready()
        yield emulator
    finally:
        emulator.stop()
