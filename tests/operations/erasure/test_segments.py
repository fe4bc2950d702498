"""The newest version of the segments is succeeded by one without the reader, or it is said why not."""

import json

import pytest

from operations.erasure.reader import ErasedReader
from operations.erasure.segments import Segments
from operations.operator import OperatorError
from tests.operations.erasure.buckets import FakeS3

BUCKET = "segments"
OLD, NEW = "segments/20260101T000000Z.csv", "segments/20260201T000000Z.csv"
PUBLISHED = "segments/20260301T000000Z.csv"
UPLOAD = "incoming/without-a-reader-run-1.csv"
HEADER = "user_id,gender,age_band,region\r\n"
HANAKO = ErasedReader("hanako")


def segments(s3: FakeS3, *, published: bool = True, refused: bool = False) -> Segments:
    """Whose publisher takes an upload while the command waits, unless it is to do otherwise."""

    def publisher(_: float) -> None:
        upload = s3.objects.get((BUCKET, UPLOAD))
        if upload and (published or refused):
            del s3.objects[BUCKET, UPLOAD]
            key = UPLOAD.replace("incoming", "refused") + ".reasons.json" if refused else PUBLISHED
            s3.add(BUCKET, key, upload.body)

    return Segments(s3=s3, bucket=BUCKET, sleep=publisher, wait_seconds=30)


def with_versions(newest: str) -> FakeS3:
    s3 = FakeS3()
    s3.add(BUCKET, OLD, b"user_id,gender,age_band,region\nhanako,f,20s,tokyo\n")
    s3.add(BUCKET, NEW, newest.encode())
    return s3


@pytest.mark.parametrize(
    ("user_id", "row"),
    [
        ("hanako", "hanako,f,20s,tokyo\r\n"),
        ("hanako", '"hanako","f",20s,tokyo\r\n'),
        ('a"b', '"a""b",f,20s,tokyo\r\n'),
        ("a,b", '"a,b",f,20s,tokyo\r\n'),
        ("記事", "記事,f,20s,tokyo\n"),
    ],
)
def test_the_rows_of_the_others_stay_byte_for_byte(user_id: str, row: str) -> None:
    before, after = '"hanako2",f,20s,hanako\r\nxhanako,m,30s,"to""kyo"\r\n', "last,m,30s,osaka"
    s3 = with_versions("\ufeff" + HEADER + before + row + after)
    assert segments(s3).succeed(ErasedReader(user_id), "run") == PUBLISHED
    assert s3.objects[BUCKET, PUBLISHED].body == ("\ufeff" + HEADER + before + after).encode()


def test_the_publisher_is_told_that_a_reader_and_a_value_may_be_gone() -> None:
    s3 = with_versions(HEADER + "hanako,f,20s,tokyo\ntaro,m,30s,osaka\n")
    with pytest.raises(OperatorError, match=r"has not taken incoming/without-a-reader-run-1\.csv"):
        segments(s3, published=False).succeed(HANAKO, "run")
    assert s3.objects[BUCKET, UPLOAD].attributes == {
        "Metadata": {"allow": "shrink,gone-values", "succeeds": "20260201T000000Z"}
    }


def test_segments_without_the_reader_are_not_published_again() -> None:
    s3 = with_versions(HEADER + "taro,m,30s,osaka\n")
    assert segments(s3).succeed(HANAKO, "run") is None
    assert not s3.writes
    assert segments(FakeS3()).succeed(HANAKO, "run") is None


def test_a_column_order_of_its_own_is_read_by_the_header() -> None:
    s3 = with_versions("gender,user_id,age_band,region\nhanako,taro,20s,tokyo\nf,hanako,20s,tokyo\n")
    segments(s3).succeed(HANAKO, "run")
    assert s3.objects[BUCKET, PUBLISHED].body == b"gender,user_id,age_band,region\nhanako,taro,20s,tokyo\n"


def test_a_version_with_nobody_is_not_uploaded() -> None:
    s3 = with_versions(HEADER + "hanako,f,20s,tokyo\r\n\r\n")
    with pytest.raises(OperatorError, match="holds nobody but this reader"):
        segments(s3).succeed(HANAKO, "run")
    assert not s3.writes


def test_a_refusal_of_the_publisher_names_its_reasons() -> None:
    s3 = with_versions(HEADER + "hanako,f,20s,tokyo\ntaro,m,30s,osaka\n")
    with pytest.raises(OperatorError, match=r"refused/without-a-reader-run-1\.csv\.reasons\.json"):
        segments(s3, refused=True).succeed(HANAKO, "run")


def test_uploads_of_others_are_waited_for_as_they_may_hold_the_reader() -> None:
    s3 = with_versions(HEADER + "hanako,f,20s,tokyo\n")
    s3.add(BUCKET, "incoming/others.csv", b"")
    with pytest.raises(OperatorError, match="uploads of segments still wait"):
        segments(s3).succeed(HANAKO, "run")
    assert not s3.writes


def publish_all(s3: FakeS3) -> None:
    """As the publisher does, in the order of the names, but for its other rules."""
    versions = sorted(key for bucket, key in s3.objects if key.startswith("segments/"))
    for upload in sorted(key for bucket, key in s3.objects if key.startswith("incoming/")):
        file = s3.objects.pop((BUCKET, upload))
        succeeds = file.attributes.get("Metadata", {}).get("succeeds")
        if succeeds in (None, versions[-1].removeprefix("segments/").removesuffix(".csv")):
            versions.append(f"segments/20260301T0000{len(versions):02}Z.csv")
            s3.add(BUCKET, versions[-1], file.body)
        else:
            s3.add(BUCKET, upload.replace("incoming", "refused") + ".reasons.json", b"")


def newest_rows(s3: FakeS3) -> bytes:
    return s3.objects[BUCKET, max(key for _, key in s3.objects if key.startswith("segments/"))].body


THREE = HEADER + "hanako,f,20s,tokyo\ntaro,m,30s,osaka\nothers,m,30s,osaka\n"


def erase_both(at: int) -> tuple[FakeS3, int]:
    """Of two erasers, the second at work whole before a call of the first; and how many calls that makes."""
    s3 = with_versions(THREE)
    both = Segments(s3=s3, bucket=BUCKET, sleep=lambda _: publish_all(s3))

    def second(number: int, _: str) -> None:
        if number == at:
            both.succeed(ErasedReader("taro"), "second")

    s3.before = second
    both.succeed(HANAKO, "first")
    return s3, s3.calls


def test_two_erasers_at_once_bring_no_reader_back() -> None:
    for at in range(1, erase_both(0)[1] + 1):
        s3, _ = erase_both(at)
        assert newest_rows(s3) == (HEADER + "others,m,30s,osaka\n").encode(), at


def publish_beside(at: int) -> tuple[FakeS3, int]:
    """An erasure, and an upload of somebody else before one of its calls."""
    s3 = with_versions(THREE)

    def upload(number: int, _: str) -> None:
        if number == at:
            s3.add(BUCKET, "incoming/new.csv", (THREE + "new,f,20s,tokyo\n").encode())

    s3.before = upload
    Segments(s3=s3, bucket=BUCKET, sleep=lambda _: publish_all(s3)).succeed(HANAKO, "run")
    return s3, s3.calls


def test_segments_published_beside_an_erasure_stay_and_lose_the_reader() -> None:
    last = publish_beside(0)[1]
    for at in range(1, last):  # at the last one it reads what is the newest for good
        s3, _ = publish_beside(at)
        rows = newest_rows(s3) if ("segments", "incoming/new.csv") not in s3.objects else b"new"
        assert b"new" in rows, at
        assert b"hanako" not in rows, at


def test_versions_that_bring_the_reader_back_in_each_attempt_are_noticed() -> None:
    s3 = with_versions(THREE)

    def other(_: float) -> None:
        s3.add(BUCKET, "incoming/a.csv", THREE.encode())
        publish_all(s3)

    with pytest.raises(OperatorError, match="still holds the reader, as somebody else published one in each"):
        Segments(s3=s3, bucket=BUCKET, sleep=other).succeed(HANAKO, "run")


def test_a_full_disk_is_one_sentence_and_uploads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = with_versions(THREE)

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("operations.erasure.segments.tempfile.TemporaryFile", full)
    with pytest.raises(OperatorError, match="No space left on device"):
        segments(s3).succeed(HANAKO, "run")
    assert not s3.writes


def test_the_name_of_the_upload_does_not_tell_the_reader() -> None:
    s3 = with_versions(HEADER + "hanako,f,20s,tokyo\ntaro,m,30s,osaka\n")
    segments(s3).succeed(HANAKO, "run")
    assert not any("hanako" in json.dumps(key) for _, key in s3.writes)
