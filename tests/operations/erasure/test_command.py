"""`click-trends erase` says what it does, asks before it, and ends with a sentence where it cannot."""

from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clients.command_line.command import app
from operations.erasure import command
from operations.erasure.segments import Segments
from operations.operator import Operator
from settings import load
from tests.operations.erasure.buckets import FakeS3, refused
from tests.operations.erasure.test_erasing import filled

SETTINGS = load("local")
NAMES = SETTINGS.names


class OfFake(Operator):
    """Who has one S3 for both regions."""

    s3 = FakeS3()

    def client(self, service: str, region: str) -> Any:  # noqa: ARG002
        return self.s3


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    buckets = {
        "raw": NAMES.raw_bucket,
        "rejected": NAMES.rejected_bucket,
        "letters": NAMES.dead_letter_bucket,
    }
    made = FakeS3()
    for (bucket, key), each in filled().objects.items():
        made.add(buckets[bucket], key, each.body, **each.attributes)
    rows = b"user_id,gender,age_band,region\nhanako,f,20s,tokyo\ntaro,m,30s,osaka\n"
    made.add(NAMES.segments_bucket, "segments/20260101T000000Z.csv", rows)
    monkeypatch.setattr(OfFake, "s3", made)
    monkeypatch.setattr(command, "operator", lambda *_: OfFake(SETTINGS, None))  # type: ignore[arg-type]
    return made


def give(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["erase", "--environment", "local", *words], input=answer)


def test_a_dry_run_says_what_would_go_and_changes_nothing(s3: FakeS3) -> None:
    ended = give("--user-id", "hanako", "--dry-run")
    assert ended.exit_code == 0, ended.output
    assert "Nothing was changed in local." in ended.stdout
    assert "- 4 objects of raw/ would lose 10 clicks" in ended.stdout
    assert "segments/20260101T000000Z.csv hold the reader" in ended.stdout
    assert not s3.writes


def test_it_says_what_it_changed_and_what_goes_by_itself(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Segments, "succeed", lambda *_: None)
    ended = give("--user-id", "hanako", "--yes")
    assert ended.exit_code == 0, ended.output
    assert "- 2 objects of rejected/ lost 4 clicks" in ended.stdout
    assert "does not hold the reader" in ended.stdout
    assert "give this command again after" in ended.stdout
    assert s3.writes
    assert "hanako" not in ended.output


def test_it_asks_first_and_an_answer_of_no_changes_nothing(s3: FakeS3) -> None:
    for answer in ("n\n", "", None):
        assert give("--user-id", "hanako", answer=answer).exit_code == 1
    assert not s3.writes


def test_an_object_that_cannot_be_read_ends_it_with_an_error_after_all_else(
    s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Segments, "succeed", lambda *_: None)
    s3.add(NAMES.raw_bucket, "raw/2026/01/31/09/x.json.gz", b"\x1f\x8bbroken")
    ended = give("--user-id", "hanako", "--yes")
    assert ended.exit_code == 1
    assert f"left as it is: s3://{NAMES.raw_bucket}/raw/2026/01/31/09/x.json.gz" in ended.stdout
    assert "1 objects cannot be read" in ended.stderr


@pytest.mark.parametrize("user_id", ["", "\udcff"])
def test_an_id_that_no_click_can_have_is_refused(s3: FakeS3, user_id: str) -> None:
    ended = give("--user-id", user_id, "--yes")
    assert ended.exit_code == 2
    assert "--user-id" in ended.stderr
    assert not s3.calls


def test_an_unknown_environment_is_refused_with_its_name() -> None:
    ended = CliRunner().invoke(app, ["erase", "--environment", "nowhere", "--user-id", "x", "--yes"])
    assert ended.exit_code == 2
    assert "nowhere" in ended.stderr


def test_what_aws_refuses_is_one_sentence(s3: FakeS3) -> None:
    def deny(_: int, name: str) -> None:
        if name == "list":
            raise refused("AccessDenied")

    s3.before = deny
    ended = give("--user-id", "hanako", "--yes")
    assert ended.exit_code == 1
    assert "AccessDenied" in ended.stderr
    assert "Traceback" not in ended.output


def test_the_time_to_give_it_again_is_when_the_streams_have_let_go() -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    text = "\n".join(command.by_itself(load("production"), now))
    assert "2026-02-01 12:10 UTC" in text
    assert "2026-05-05" in text  # 92 days, a day of lateness and the publisher's day later
