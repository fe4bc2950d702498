"""A corrected file of a past version of the segments stands beside it, and changes nothing that holds."""

from dataclasses import replace

import pytest

from contract.segments_receipt import written_time
from lambdas.segments_publisher.journal import KEY, Journal
from names import INCOMING_SEGMENTS_PREFIX, SEGMENTS_CORRECTIONS_PREFIX, SEGMENTS_PREFIX
from tests.lambdas.segments_publisher.uploads import KEEP, NO_ROWS, Door, file_of

WRONG, RIGHT, NEXT = file_of("a", "b"), file_of("a", "b", region="osaka"), file_of("a", "b", "c")
ALL = "shrink,new-values,gone-values"


def door_with_two_versions() -> tuple[Door, str]:
    """The second holds. With the valid_from of the first."""
    door = Door()
    door.upload("wrong.csv", WRONG)
    door.settle()
    door.upload("next.csv", NEXT)
    door.settle()
    first, second = door.versions
    door.now = second + 1
    return door, written_time(first)


def correct(door: Door, version: str, content: bytes, name: str = "right.csv") -> None:
    metadata = {"corrects": version, "allow": ALL}
    door.bucket.put(f"{INCOMING_SEGMENTS_PREFIX}{name}", content, metadata)
    door.settle()


def test_a_past_version_is_corrected_and_no_version_changes() -> None:
    door, version = door_with_two_versions()
    before = dict(door.versions)
    correct(door, version, RIGHT)
    key = f"{SEGMENTS_CORRECTIONS_PREFIX}{version}/0001.csv"
    assert door.bucket.keys(SEGMENTS_CORRECTIONS_PREFIX) == [key]
    assert door.content(key) == RIGHT
    assert door.versions == before
    [receipt] = [each for each in door.receipts if each.correction]
    assert (receipt.name, receipt.correction, receipt.late) == ("right.csv", key, False)
    assert written_time(receipt.valid_from) == version
    assert door.topic.told == []


def test_a_correction_is_corrected_by_the_next_number() -> None:
    door, version = door_with_two_versions()
    correct(door, version, RIGHT)
    correct(door, version, NEXT, "righter.csv")
    prefix = f"{SEGMENTS_CORRECTIONS_PREFIX}{version}/"
    assert door.bucket.keys(SEGMENTS_CORRECTIONS_PREFIX) == [f"{prefix}0001.csv", f"{prefix}0002.csv"]


def test_the_next_version_is_not_compared_with_a_correction() -> None:
    door, version = door_with_two_versions()
    correct(door, version, file_of("a"))
    door.upload("later.csv", NEXT)
    door.settle()
    assert len(door.versions) == 3
    assert door.bucket.keys(INCOMING_SEGMENTS_PREFIX) == []


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("20260131", "is no valid_from"),
        ("20200101T000000Z", "no version holds from"),
        ("newest", "is not over"),
    ],
)
def test_what_is_no_past_version_is_not_corrected(version: str, told: str) -> None:
    door, _ = door_with_two_versions()
    correct(door, written_time(max(door.versions)) if version == "newest" else version, RIGHT)
    assert told in door.refusal("right.csv").reasons[0].text
    assert door.bucket.keys(SEGMENTS_CORRECTIONS_PREFIX) == []


def test_a_version_whose_next_one_does_not_hold_yet_is_not_corrected() -> None:
    door, _ = door_with_two_versions()
    newest = written_time(max(door.versions))
    door.bucket.put(f"{SEGMENTS_PREFIX}20300101T000000Z.csv", RIGHT)
    correct(door, newest, RIGHT)
    assert (
        "the correction when they hold, from 20300101T000000Z on" in door.refusal("right.csv").reasons[0].text
    )


def test_a_correction_is_validated_as_a_version_is() -> None:
    door, version = door_with_two_versions()
    correct(door, version, NO_ROWS)
    assert "no row follows the header" in door.refusal("right.csv").reasons[0].text


def test_the_name_of_a_version_is_not_used_for_a_correction() -> None:
    door, version = door_with_two_versions()
    correct(door, version, WRONG, "wrong.csv")
    assert "under this name" in door.refusal("wrong.csv").reasons[0].text
    assert door.bucket.keys(SEGMENTS_CORRECTIONS_PREFIX) == []


def test_wherever_an_invocation_dies_a_correction_is_published_once() -> None:
    steps = 40
    for step in range(1, steps):
        door, version = door_with_two_versions()
        door.bucket.put(f"{INCOMING_SEGMENTS_PREFIX}right.csv", RIGHT, {"corrects": version, "allow": ALL})
        door.now += 60
        door.run(die_after=step)
        door.now += 400
        door.settle()
        [key] = door.bucket.keys(SEGMENTS_CORRECTIONS_PREFIX)
        assert door.content(key) == RIGHT
        assert len([each for each in door.receipts if each.correction]) == 1


def test_a_correction_goes_with_its_version() -> None:
    door, version = door_with_two_versions()
    correct(door, version, RIGHT)
    door.now = max(door.versions) + KEEP + 86_400
    door.run()
    assert len(door.versions) == 1
    assert door.bucket.keys(SEGMENTS_CORRECTIONS_PREFIX) == []


def test_a_journal_of_the_release_before_is_read() -> None:
    door, _ = door_with_two_versions()
    journal = Journal.from_json(door.content(KEY))
    assert replace(journal, publication=None) == journal
