"""The publisher when it is killed between any two calls, when answers are lost, and when two work at once."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.segments_publisher import publisher
from lambdas.segments_publisher.metrics import UploadOutcomes
from lambdas.segments_publisher.publisher import COMMIT_SECONDS
from names import INCOMING_SEGMENTS_PREFIX, SEGMENTS_PREFIX, STAGED_SEGMENTS_PREFIX
from tests.lambdas.segments_publisher.uploads import LEAD, LEASE, NO_ROWS, Door, file_of

CONTENTS = (file_of("a", "b"), file_of("a", "c"), file_of("b", "c"), NO_ROWS)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function is killed more often here than a file may let it be."""
    monkeypatch.setattr(publisher, "MAX_ATTEMPTS", 1_000)


def door_with(*uploads: tuple[str, bytes]) -> Door:
    door = Door()
    for name, content in uploads:
        door.upload(name, content)
    return door


def steps_of(*uploads: tuple[str, bytes]) -> int:
    return door_with(*uploads).run()[1]


def check(door: Door) -> None:
    """The chain is valid: what is published is whole, was valid, is published once and never changes."""
    receipts = door.receipts
    assert [receipt.valid_from for receipt in receipts] == list(door.versions)
    order = [version.id for _, version in door.uploaded]
    places = [order.index(receipt.upload) for receipt in receipts]
    assert places == sorted(places)
    for receipt, place, content in zip(receipts, places, door.versions.values(), strict=True):
        name, version = door.uploaded[place]
        assert (receipt.name, content) == (name, version.content)
        assert receipt.uploaded_at == version.written_at
        assert content != NO_ROWS
        assert receipt.late == (receipt.published_at > receipt.valid_from - LEAD)
    for key, versions in door.bucket.objects.items():
        if key.startswith(SEGMENTS_PREFIX):
            assert len(versions) == 1
    assert door.bucket.keys(INCOMING_SEGMENTS_PREFIX) == []


@pytest.mark.parametrize("moment", ["die_before", "die_after"])
def test_a_kill_at_any_step_leaves_exactly_one_version_of_each_upload(moment: str) -> None:
    files = [("a.csv", CONTENTS[0]), ("b.csv", CONTENTS[1])]
    for step in range(1, steps_of(*files) + 1):
        door = door_with(*files)
        killed: dict[str, Any] = {moment: step}
        assert door.run(**killed)[0] is None
        door.settle()
        assert list(door.versions.values()) == [CONTENTS[0], CONTENTS[1]], (moment, step)
        assert door.bucket.keys(STAGED_SEGMENTS_PREFIX) == []
        check(door)


@pytest.mark.parametrize("moment", ["die_before", "die_after"])
def test_a_kill_at_any_step_of_a_refusal_changes_no_version(moment: str) -> None:
    for step in range(1, steps_of(("a.csv", NO_ROWS)) + 1):
        door = door_with(("a.csv", NO_ROWS))
        killed: dict[str, Any] = {moment: step}
        assert door.run(**killed)[0] is None
        door.settle()
        assert door.versions == {}
        assert door.content("refused/a.csv") == NO_ROWS
        assert door.refusal("a.csv").number == 1
        check(door)


def test_an_answer_lost_at_any_step_changes_nothing() -> None:
    files = [("a.csv", CONTENTS[0]), ("b.csv", NO_ROWS)]
    for step in range(1, steps_of(*files) + 1):
        door = door_with(*files)
        outcomes, _ = door.run(lose=frozenset({step}))
        assert outcomes is not None
        assert outcomes.problems or outcomes.published == ["a.csv"], step
        door.settle()
        assert list(door.versions.values()) == [CONTENTS[0]], step
        check(door)


@pytest.mark.parametrize("paused", [0.0, LEAD + 40.0, LEASE + 1.0], ids=["at once", "late", "lease over"])
def test_two_publishers_at_once_publish_each_upload_once(paused: float) -> None:
    """The second runs whole at each step of the first, which then goes on, even if its lease is over."""
    files = [("a.csv", CONTENTS[0]), ("b.csv", NO_ROWS), ("c.csv", CONTENTS[1])]
    for step in range(1, steps_of(*files) + 1):
        door = door_with(*files)

        def second(at: int, door: Door = door, step: int = step) -> None:
            if at == step:
                door.now += paused
                door.run()

        door.run(before=second)
        door.settle()
        assert list(door.versions.values()) == [CONTENTS[0], CONTENTS[1]], step
        check(door)


def test_an_invocation_leaves_the_work_to_whoever_holds_the_lease() -> None:
    door = door_with(("a.csv", CONTENTS[0]))
    seconds: list[tuple[UploadOutcomes | None, int]] = []
    door.run(before=lambda step: seconds.append(door.run()) if step == 6 else None)
    [(outcomes, steps)] = seconds
    assert outcomes is not None
    assert steps == 2  # it lists, and reads the journal
    assert outcomes.published == []
    assert outcomes.upload_age_seconds > 0
    check(door)


def test_a_version_that_would_be_late_after_a_crash_gets_a_later_valid_from() -> None:
    """Nothing of the killed invocation can publish it at the former time any more."""
    for step in range(1, steps_of(("a.csv", CONTENTS[0])) + 1):
        door = door_with(("a.csv", CONTENTS[0]))
        door.run(die_before=step)
        door.now += LEASE + 1
        door.settle()
        assert [receipt.late for receipt in door.receipts] == [False], step
        check(door)


def test_a_copy_that_takes_too_long_is_published_and_said_to_be_late(
    capsys: pytest.CaptureFixture[str],
) -> None:
    door = door_with(("a.csv", CONTENTS[0]))
    door.run(slow={"copy segments/": COMMIT_SECONDS + 1.0})
    [receipt] = door.receipts
    assert receipt.late
    assert '"LateSegments":[1.0]' in capsys.readouterr().out
    [(subject, _)] = door.topic.told
    assert subject == "Segments published late: a.csv"
    check(door)


def test_a_version_never_replaces_what_stands_in_its_place() -> None:
    door = door_with(("a.csv", CONTENTS[0]))
    theirs: list[str] = []

    def by_hand(name: str) -> None:
        if name.startswith("copy segments/") and not theirs:
            theirs.append(name.removeprefix("copy "))
            door.bucket.put(theirs[0], b"written by hand")

    door.run(before_call=by_hand)
    door.settle()
    assert door.content(theirs[0]) == b"written by hand"
    assert list(door.versions.values()) == [b"written by hand", CONTENTS[0]]
    assert [receipt.valid_from for receipt in door.receipts] == list(door.versions)[1:]


def test_an_upload_that_is_replaced_before_it_is_read_is_taken_as_the_later_one() -> None:
    door = door_with(("a.csv", CONTENTS[0]), ("b.csv", CONTENTS[1]))

    def replace(name: str) -> None:
        if name == "get incoming/a.csv" and len(door.uploaded) == 2:
            door.upload("a.csv", CONTENTS[2])

    door.run(before_call=replace)
    door.settle()
    assert list(door.versions.values()) == [CONTENTS[1], CONTENTS[2]]
    check(door)


FAULTS = st.fixed_dictionaries(
    {},
    optional={
        "die_before": st.integers(1, 30),
        "die_after": st.integers(1, 30),
        "lose": st.frozensets(st.integers(1, 30), max_size=3),
    },
)
UPLOADS = st.tuples(st.sampled_from(["a.csv", "b.csv", "c.csv"]), st.sampled_from(CONTENTS))
PAUSES = st.sampled_from([0.0, 1.0, 45.0, LEAD + 40.0, LEASE + 1.0])
EVENTS = st.one_of(
    UPLOADS.map(lambda given: ("upload", given)),
    st.tuples(FAULTS, PAUSES).map(lambda given: ("run", given)),
    st.tuples(FAULTS, FAULTS, st.integers(1, 30), PAUSES, st.none() | UPLOADS).map(
        lambda given: ("two runs", given)
    ),
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENTS, max_size=12))
def test_any_sequence_of_uploads_and_faults_leaves_a_valid_chain(events: list[Any]) -> None:
    door = Door()
    for kind, given_ in events:
        if kind == "upload":
            door.upload(*given_)
        elif kind == "run":
            faults, pause = given_
            door.run(**faults)
            door.now += pause
        else:
            faults, second_faults, at, pause, meanwhile = given_
            door.run(**faults, before=second_run(door, at, pause, second_faults, meanwhile))
    door.settle()
    check(door)
    by_name: dict[str, list[bytes]] = {}
    for name, version in door.uploaded:
        by_name.setdefault(name, []).append(version.content)
    published = [receipt.name for receipt in door.receipts]
    for name, contents in by_name.items():
        if contents[-1] != NO_ROWS:
            assert name in published
        if set(contents) == {NO_ROWS}:
            assert name not in published


def second_run(
    door: Door, at: int, pause: float, faults: dict[str, Any], meanwhile: tuple[str, bytes] | None
) -> Callable[[int], None]:
    def before(step: int) -> None:
        if step == at:
            door.now += pause
            if meanwhile:
                door.upload(*meanwhile)
            door.run(**faults)

    return before
