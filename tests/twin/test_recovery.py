"""Parts of a running twin that end: what is said of them, and what starts them again."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from twin.ended import TwinPart, end_all
from twin.opensearch import OpenSearchServer
from twin.processes import TwinError, wait_for
from twin.recovery import Recovery
from twin.twin import FLINK
from twin.worker import Worker

NARROW = 80
"""Columns of a terminal, which cuts the rest of a line off."""


class EndingPart:
    """Ends and starts as a test wants it; `refuses`: it cannot be started."""

    def __init__(self, name: str, *, lost: bool = False, refuses: bool = False) -> None:
        self.name, self.lost, self.refuses = name, lost, refuses
        self.runs, self.starts = True, 0

    def check(self) -> None:
        if not self.runs:
            raise TwinError(f"{self.name} ended with exit code -9; the last errors of its log:\nOSError")

    def start(self) -> None:
        self.starts += 1
        if self.refuses:
            raise TwinError("it does not start")
        self.runs = True

    @property
    def part(self) -> TwinPart:
        return TwinPart(name=self.name, check=self.check, start=None if self.lost else self.start)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def recovery(pool: ThreadPoolExecutor, *parts: EndingPart) -> Recovery:
    flink = next((part for part in parts if part.name == FLINK), None)
    application = SimpleNamespace(has_died=True) if flink is not None else None
    twin: Any = SimpleNamespace(parts=lambda: [part.part for part in parts], application=application)
    return Recovery(twin, pool)


def test_a_part_that_ended_is_named_in_one_line_with_the_command(pool: ThreadPoolExecutor) -> None:
    search = EndingPart("opensearch")
    watched = recovery(pool, search)
    assert watched.ended() == []
    search.runs = False
    [found] = watched.ended()
    assert found.told == (
        "opensearch has ended; in another terminal: make start PART=opensearch "
        "(opensearch ended with exit code -9; the last errors of its log)"
    )
    assert found.told.index("PART=opensearch") < NARROW
    watched.start("opensearch").result()
    assert watched.ended() == []


def test_a_part_whose_state_is_lost_cannot_be_started(pool: ThreadPoolExecutor) -> None:
    emulator = EndingPart("ministack", lost=True)
    emulator.runs = False
    watched = recovery(pool, emulator)
    assert "end this run (Ctrl-C), begin another" in watched.ended()[0].told[:NARROW]
    with pytest.raises(TwinError, match="is lost"):
        watched.start("ministack")


def test_beside_a_part_whose_state_is_lost_no_start_of_another_is_advised(pool: ThreadPoolExecutor) -> None:
    emulator, search = EndingPart("ministack", lost=True), EndingPart("opensearch")
    emulator.runs = search.runs = False
    assert [part.name for part in recovery(pool, search, emulator).ended()] == ["ministack"]


@pytest.mark.parametrize(
    ("name", "told"), [("opensaerch", "no part 'opensaerch'"), ("opensearch", "has not ended")]
)
def test_what_cannot_be_started_is_refused_with_a_reason(
    pool: ThreadPoolExecutor, name: str, told: str
) -> None:
    with pytest.raises(TwinError, match=told):
        recovery(pool, EndingPart("opensearch")).start(name)


def test_flink_is_started_again_by_itself_and_not_at_once_again(pool: ThreadPoolExecutor) -> None:
    flink = EndingPart(FLINK, refuses=True)
    flink.runs = False
    watched = recovery(pool, flink)
    assert watched.ended() == [], "it is being started"
    wait_for(lambda: watched.starting() == [], what="its start ended", timeout_seconds=10)
    [still] = watched.ended()
    assert (still.name, flink.starts) == (FLINK, 1)
    flink.refuses = False
    watched.start(FLINK).result()
    assert (watched.ended(), flink.starts) == ([], 2)


def test_a_worker_that_ended_goes_on_with_its_next_step() -> None:
    steps = iter(["fails", "goes on"])
    done: list[str] = []

    def step() -> bool:
        if (name := next(steps, "idle")) == "fails":
            raise OSError("no answer")
        done.append(name)
        return False

    worker = Worker("forwarder", step, idle_seconds=0.01)

    def ended() -> bool:
        try:
            worker.check()
        except TwinError:
            return True
        return False

    wait_for(ended, what="its end", timeout_seconds=10)
    worker.start_again()
    wait_for(lambda: bool(done), what="its next step", timeout_seconds=10)
    worker.stop()
    assert done[0] == "goes on"


def test_all_that_ended_is_told_or_which_parts_there_are(pool: ThreadPoolExecutor) -> None:
    search, segments = EndingPart("opensearch"), EndingPart("segments")
    watched = recovery(pool, search, segments)
    assert watched.told() == ["no part has ended, of opensearch, segments"]
    search.runs = False
    [line] = watched.told()
    assert "make start PART=opensearch" in line


def test_an_opensearch_that_does_not_come_back_counts_as_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise TwinError("OpenSearch ended with exit code 1")

    monkeypatch.setattr(
        OpenSearchServer, "_start", lambda _: SimpleNamespace(check=refuses, wait_until=refuses)
    )
    server = OpenSearchServer.__new__(OpenSearchServer)
    server._is_away = True
    with pytest.raises(TwinError):
        server.come_back()
    with pytest.raises(TwinError, match="exit code 1"):
        server.check()


def test_a_part_that_is_slow_to_end_is_named_and_all_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.ended.SLOW_SECONDS", 0.01)
    told, ended = threading.Event(), list[str]()

    def say(line: str) -> None:
        assert line == "waiting for forwarder to end what it has begun ..."
        told.set()

    def fails() -> None:
        assert told.wait(30)
        raise TwinError("it had failed before")

    with pytest.raises(TwinError, match="before"):
        end_all([("forwarder", fails), ("flink", lambda: ended.append("flink"))], say)
    assert ended == ["flink"]
