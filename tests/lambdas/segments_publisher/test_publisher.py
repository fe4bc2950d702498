"""What becomes of an uploaded file: published ahead of its time, or refused with its reasons."""

import gzip
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contract import segments
from contract.segments_receipt import Receipt, RefusedUpload, refused_name, written_time
from lambdas.segments_publisher import publisher
from lambdas.segments_publisher.metrics import UploadOutcomes
from lambdas.segments_publisher.refusals import MAX_ATTEMPTS
from names import INCOMING_SEGMENTS_PREFIX, SEGMENTS_PREFIX
from tests.lambdas.segments_publisher.fake_s3 import error
from tests.lambdas.segments_publisher.uploads import BEGIN, KEEP, LEAD, NO_ROWS, Door, file_of

FILE, OTHER = file_of("a", "b"), file_of("a", "c")
DAY = 86_400


def run(door: Door, **options: Any) -> UploadOutcomes:
    outcomes, _ = door.run(**options)
    assert outcomes is not None
    return outcomes


def test_an_upload_becomes_a_version_far_enough_ahead() -> None:
    door = Door()
    door.upload("a.csv", FILE)
    outcomes = run(door)
    [(valid_from, content)] = door.versions.items()
    assert content == FILE
    assert LEAD < valid_from - door.now < LEAD + publisher.COMMIT_SECONDS + 2
    assert (outcomes.published, outcomes.upload_age_seconds) == (["a.csv"], 0.0)
    [receipt] = door.receipts
    assert (receipt.name, receipt.valid_from, receipt.late) == ("a.csv", valid_from, False)
    assert receipt.summary.users == 2
    assert door.bucket.keys(INCOMING_SEGMENTS_PREFIX) == []


def test_a_packed_upload_is_published_unpacked() -> None:
    door = Door()
    door.upload("a.csv.gz", gzip.compress(FILE))
    run(door)
    assert list(door.versions.values()) == [FILE]


def test_uploads_are_published_in_the_order_of_their_ends_ties_by_key() -> None:
    door = Door()
    for name in ("z.csv", "a.csv", "b.csv"):
        door.upload(name, file_of(name[0]), allow="shrink")
    door.upload("c.csv", file_of("c"), takes=0.0)
    door.upload("A.csv", file_of("A"), takes=0.0)
    door.settle()
    assert [receipt.name for receipt in door.receipts] == ["z.csv", "a.csv", "A.csv", "b.csv", "c.csv"]


def test_an_upload_that_began_early_and_ended_late_does_not_overtake() -> None:
    """S3 dates a multipart upload by its beginning."""
    door = Door()
    door.upload("a.csv", FILE)
    door.upload("b.csv", OTHER)
    run(door)
    began = door.now
    door.now = BEGIN
    door.upload("c.csv", file_of("c", "d"))
    door.now = began
    door.settle()
    assert [receipt.name for receipt in door.receipts] == ["a.csv", "b.csv", "c.csv"]


def test_a_version_is_published_when_every_task_has_read_the_one_before() -> None:
    door = Door()
    door.upload("a.csv", FILE)
    door.upload("b.csv", OTHER)
    assert run(door).published == ["a.csv"]
    [first] = door.versions
    door.now = first - 10
    waiting = run(door)
    assert waiting.published == []
    assert waiting.upload_age_seconds > LEAD
    door.now = first
    assert run(door).published == ["b.csv"]


def test_a_version_is_later_than_every_version_there_is() -> None:
    door = Door()
    door.bucket.put(f"{SEGMENTS_PREFIX}20260131T235959Z.csv", FILE)
    door.upload("a.csv", OTHER)
    run(door)
    assert door.bucket.keys(SEGMENTS_PREFIX)[-1] == f"{SEGMENTS_PREFIX}20260201T000000Z.csv"


@pytest.mark.parametrize("again", [FILE, gzip.compress(FILE)], ids=["same bytes", "packed again"])
def test_the_same_file_under_the_same_name_is_published_once(again: bytes) -> None:
    door = Door()
    name = "a.csv" if again == FILE else "a.csv.gz"
    door.upload(name, FILE if again == FILE else gzip.compress(FILE, 1))
    door.settle()
    [receipt] = door.receipts
    door.upload(name, again)
    door.now += LEAD * 2
    outcomes = run(door)
    assert (outcomes.again, outcomes.published, outcomes.refused) == ([name], [], [])
    assert door.receipts == [receipt]
    assert door.bucket.keys(INCOMING_SEGMENTS_PREFIX) == []


@pytest.mark.parametrize("other", [OTHER, NO_ROWS], ids=["another version", "no version"])
def test_a_published_name_is_refused_for_other_content(other: bytes) -> None:
    door = Door()
    door.upload("a.csv", FILE)
    door.settle()
    door.upload("a.csv", other)
    door.settle()
    assert list(door.versions.values()) == [FILE]
    [reason] = door.refusal("a.csv").reasons
    assert "under this name" in reason.text


def test_a_refused_name_may_be_used_again() -> None:
    door = Door()
    door.upload("a.csv", NO_ROWS)
    door.settle()
    door.upload("a.csv", FILE)
    door.settle()
    assert list(door.versions.values()) == [FILE]


def test_a_refused_file_changes_nothing_and_its_reasons_stand_beside_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    door = Door()
    bad = file_of("a", "", "a")
    upload = door.upload("a.csv", bad)
    outcomes = run(door)
    assert outcomes.refused == ["a.csv"]
    assert (door.versions, door.receipts) == ({}, [])
    assert door.content("refused/a.csv") == bad
    refused = door.refusal("a.csv")
    assert (refused.name, refused.upload, refused.number) == ("a.csv", upload.id, 2)
    assert [reason.line for reason in refused.reasons] == [3, 4]
    [(subject, text)] = door.topic.told
    assert subject == "Segments refused: a.csv"
    assert str(refused.reasons[0]) in text
    assert '"RefusedSegments":[1.0]' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "allow"),
    [
        (file_of("a"), "shrink"),
        (file_of("a", "b", region="osaka"), "new-values, gone-values"),
    ],
    ids=["shrink", "other values"],
)
def test_a_change_that_may_be_a_mistake_is_refused_unless_it_is_allowed(changed: bytes, allow: str) -> None:
    door = Door()
    door.upload("a.csv", FILE)
    door.upload("b.csv", changed)
    door.upload("c.csv", changed, allow=allow)
    door.settle()
    assert [receipt.name for receipt in door.receipts] == ["a.csv", "c.csv"]
    assert door.refusal("b.csv").number == len(allow.split(","))


def test_an_unknown_allowance_is_refused() -> None:
    door = Door()
    door.upload("a.csv", FILE, allow="everything")
    door.settle()
    assert "allow" in door.refusal("a.csv").reasons[0].text
    assert door.versions == {}


@pytest.mark.parametrize("name", ["a.txt", "folder/a.csv", ".a.csv", "ファイル.csv", "a" * 900 + ".csv"])
def test_a_name_that_is_none_for_a_file_is_refused(name: str) -> None:
    door = Door()
    door.upload(name, FILE)
    door.settle()
    assert door.versions == {}
    assert door.refusal(refused_name(name)).name == name
    assert door.content(f"refused/{refused_name(name)}") == FILE


def test_an_upload_made_from_a_version_is_refused_once_another_has_come() -> None:
    door = Door()
    door.upload("a.csv", FILE)
    door.settle()
    [first] = map(written_time, door.versions)
    for name in ("b.csv", "c.csv"):
        door.upload(name, FILE, succeeds=first)
    door.settle()
    assert [receipt.name for receipt in door.receipts] == ["a.csv", "b.csv"]
    [reason] = door.refusal("c.csv").reasons
    newest = written_time(list(door.versions)[-1])
    assert f"made from the version '{first}', but {newest} is the newest" in reason.text
    door.upload("d.csv", FILE, succeeds=newest)
    door.settle()
    assert len(door.versions) == 3


@pytest.mark.parametrize("last", [FILE, NO_ROWS], ids=["published", "refused"])
def test_somebody_is_told_of_uploads_that_were_overwritten_unread(
    last: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    door = Door()
    for content in (OTHER, last, last):
        door.upload("a.csv", content)
    outcomes = run(door)
    assert outcomes.overwritten == ["a.csv"]
    subject, text = door.topic.told[-1]
    assert subject == "Segments overwritten: a.csv"
    assert text.startswith("1 uploads of a.csv were overwritten")
    assert '"RefusedSegments":[1.0]' in capsys.readouterr().out


def test_the_same_bytes_sent_twice_are_no_overwriting() -> None:
    door = Door()
    for _ in range(2):
        door.upload("a.csv", FILE)
    assert run(door).overwritten == []
    assert door.topic.told == []


@pytest.mark.parametrize("name", ["", "folder/", "a.csv/"])
def test_a_folder_with_content_is_refused_and_does_not_wait_for_ever(name: str) -> None:
    door = Door()
    door.upload(name, FILE)
    door.settle()
    assert door.refusal(refused_name(name)).name == name


def test_a_name_with_control_characters_is_told_without_them() -> None:
    door = Door()
    door.upload("a\n\x01\u202e.csv", FILE)
    run(door)
    [(subject, text)] = door.topic.told
    assert subject == "Segments refused: a???.csv"
    assert all(line.isprintable() for line in text.splitlines())


def test_a_folder_of_the_console_is_no_upload() -> None:
    door = Door()
    door.upload("", b"")
    door.upload("folder/", b"")
    outcomes = run(door)
    assert (outcomes.refused, outcomes.upload_age_seconds) == ([], 0.0)


def test_a_file_that_ends_the_function_again_and_again_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not keep the files behind it from being published for ever."""

    def validate(chunks: Any, *given: Any, **options: Any) -> Any:
        content = b"".join(chunks)
        if b"poison" in content:
            raise MemoryError
        return segments.validate([content], *given, **options)

    monkeypatch.setattr(publisher, "validate", validate)
    door = Door()
    door.upload("a.csv", file_of("poison"))
    door.upload("b.csv", FILE)
    for _ in range(MAX_ATTEMPTS):
        assert run(door).problems
    door.settle()
    assert list(door.versions.values()) == [FILE]
    assert "attempts" in door.refusal("a.csv").reasons[0].text


def test_failures_of_s3_are_not_counted_against_a_file() -> None:
    door = Door()
    door.upload("a.csv", FILE)

    def fail(call: str) -> None:
        if call.startswith("complete"):
            raise error("InternalError", 500)

    for _ in range(MAX_ATTEMPTS + 2):
        assert run(door, before_call=fail).problems
    door.settle()
    assert list(door.versions.values()) == [FILE]


def test_a_file_that_s3_lets_nobody_read_is_refused_and_can_be_had_back() -> None:
    door = Door()
    upload = door.upload("a.csv", FILE)
    door.upload("b.csv", OTHER)

    def refuse(call: str) -> None:
        if call == "get incoming/a.csv":
            raise error("AccessDenied", 403)

    for _ in range(MAX_ATTEMPTS):
        assert run(door, before_call=refuse).problems
    assert run(door, before_call=refuse).refused == ["a.csv"]
    assert "AccessDenied" in door.refusal("a.csv").reasons[0].text
    assert door.refusal("a.csv").upload == upload.id
    assert door.bucket.current("incoming/a.csv") is None
    assert door.bucket.objects["incoming/a.csv"][0] is not None
    assert list(door.versions.values()) == [OTHER]


def test_reading_ends_before_the_invocation_does() -> None:
    door = Door()
    door.upload("a.csv", FILE)
    outcomes = run(door, seconds_left=publisher.RESERVE_SECONDS - 1)
    assert outcomes.published == []
    assert outcomes.upload_age_seconds > 0
    door.settle()
    assert list(door.versions.values()) == [FILE]


def test_a_topic_that_cannot_be_reached_keeps_no_file_from_its_fate(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()

    def fail(*_: str) -> None:
        raise ClientError({"Error": {"Code": "NotFound"}}, "Publish")

    monkeypatch.setattr(door.topic, "tell", fail)
    door.upload("a.csv", NO_ROWS)
    outcomes = run(door)
    assert outcomes.refused == ["a.csv"]
    assert outcomes.problems
    assert door.bucket.keys(INCOMING_SEGMENTS_PREFIX) == []


def test_a_version_is_deleted_when_no_click_is_kept_that_could_need_it() -> None:
    door = Door()
    for number, name in enumerate(("a.csv", "b.csv", "c.csv")):
        door.upload(name, file_of("a", str(number)))
        door.settle()
        door.now += DAY
    first, second, third = door.versions
    door.now = second + KEEP - 1
    run(door)
    assert list(door.versions) == [first, second, third]
    door.now = second + KEEP + DAY
    assert len(run(door).expired) == 1
    assert list(door.versions) == [second, third]
    door.now = third + 100 * KEEP
    run(door)
    assert list(door.versions) == [third]
    assert len(door.receipts) == 3  # a name stays used


def test_quiet_invocations_write_nothing() -> None:
    door = Door()
    door.upload("a.csv", FILE)
    door.settle()
    door.now += 60
    outcomes, steps = door.run()
    assert steps == 2  # it lists, and reads the journal
    assert outcomes == UploadOutcomes()


def test_receipts_and_refusals_are_read_as_they_were_written() -> None:
    door = Door()
    door.upload("a.csv", FILE)
    door.upload("b.csv", file_of("a", ""))
    door.settle()
    [receipt] = door.receipts
    assert Receipt.from_json(receipt.to_json()) == receipt
    refused = door.refusal("b.csv")
    assert RefusedUpload.from_json(refused.to_json()) == refused
