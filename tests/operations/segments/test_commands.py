"""publish, versions and rollback, before the publisher itself and a bucket in memory."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from contract.segments_receipt import written_time
from names import INCOMING_SEGMENTS_PREFIX, SEGMENTS_PREFIX
from operations.segments import commands
from tests.lambdas.segments_publisher.fake_s3 import Client, ListedPages
from tests.lambdas.segments_publisher.uploads import NO_ROWS, Door, file_of

EVERYTHING = [word for each in ("shrink", "new-values", "gone-values") for word in ("--allow", each)]
SLEEP = "operations.segments.outcomes.time.sleep"


class OperatorClient(Client):
    """S3 as a command uses it: files as bodies, metadata, copies of what is current."""

    def put_object(self, **call: Any) -> Any:
        self._check(call["Key"], call)
        version = self.bucket.put(call["Key"], call["Body"].read(), call["Metadata"])
        return {"VersionId": version.id}

    def copy_object(self, **call: Any) -> Any:
        assert call["MetadataDirective"] == "REPLACE"
        self._check(call["Key"], call)
        source = self.bucket.current(call["CopySource"]["Key"])
        assert source
        return {"VersionId": self.bucket.put(call["Key"], source.content, call["Metadata"]).id}

    def get_paginator(self, operation: str) -> Any:
        return SizedPages(self, operation)


class SizedPages(ListedPages):
    def paginate(self, **call: Any) -> Any:
        for page in super().paginate(**call):
            for listed in page["Contents"]:
                current = self.client.bucket.current(listed["Key"])
                listed["Size"] = len(current.content) if current else 0
            yield page


@dataclass
class Here:
    door: Door
    folder: Path

    def run(self, *words: str) -> Result:
        app = typer.Typer()
        commands.add_to(app)
        return CliRunner().invoke(app, [*words, "--environment", "production"])

    def publish(self, content: bytes, name: str = "a.csv", *options: str) -> Result:
        file = self.folder / name
        file.write_bytes(content)
        return self.run("publish", str(file), *options)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    door = Door()

    class Stand:
        names = type("Names", (), {"oregon": "us-west-2", "segments_bucket": "segments"})

        def client(self, *_: str) -> OperatorClient:
            return OperatorClient(door.bucket)

    def settle(_: float) -> None:
        door.now += 60
        door.run()

    monkeypatch.setattr(commands, "operator", lambda *_: Stand())
    monkeypatch.setattr(SLEEP, settle)
    return Here(door, tmp_path)


def test_a_published_file_says_its_users_and_from_when_it_holds(here: Here) -> None:
    done = here.publish(file_of("u1", "u2"))
    (valid_from,) = here.door.versions
    assert done.exit_code == 0, done.output
    assert done.stdout == f"a.csv is published: 2 users, valid from {written_time(valid_from)}\n"


def test_a_packed_file_is_published_under_another_name_if_asked(here: Here) -> None:
    done = here.publish(gzip.compress(file_of("u1")), "x.csv.gz", "--name", "monday.csv.gz")
    assert done.exit_code == 0, done.output
    assert "monday.csv.gz is published: 1 users" in done.stdout


def test_a_refused_file_ends_with_two_and_its_reasons(here: Here) -> None:
    here.publish(file_of("u1"))
    done = here.publish(file_of("u1", "u1", ""), "b.csv")
    assert done.exit_code == 2
    assert "line 3: user_id stands in line 2 too" in done.stderr
    assert "line 4: user_id is empty" in done.stderr
    assert len(here.door.versions) == 1
    assert here.publish(NO_ROWS, "c.csv").exit_code == 2


def test_more_than_a_hundred_reasons_are_counted(here: Here) -> None:
    done = here.publish(file_of(*["u"] * 150))
    assert "and 49 reasons more" in done.stderr


def test_what_the_version_does_to_the_one_before_can_be_allowed(here: Here) -> None:
    here.publish(file_of("u1", "u2"))
    smaller = file_of("u1", region="osaka")
    assert here.publish(smaller, "b.csv", "--allow", "shrink").exit_code == 2
    options = EVERYTHING
    assert here.publish(smaller, "c.csv", *options).exit_code == 0
    assert here.publish(smaller, "d.csv", "--allow", "everything").exit_code == 2


def test_the_same_bytes_again_publish_nothing_and_say_so(here: Here) -> None:
    here.publish(file_of("u1"))
    done = here.publish(file_of("u1"))
    assert done.exit_code == 0
    assert "a.csv was published before, with the same bytes; nothing is new" in done.stdout
    assert len(here.door.versions) == 1


def test_other_bytes_under_a_used_name_are_refused(here: Here) -> None:
    here.publish(file_of("u1"))
    assert here.publish(file_of("u1", "u2")).exit_code == 2


def test_nothing_is_sent_of_what_cannot_be_published(here: Here) -> None:
    (here.folder / "folder.csv").mkdir()
    for name in ("folder.csv", "missing.csv", "a.txt"):
        done = here.run("publish", str(here.folder / name))
        assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert not here.door.bucket.keys()


def test_a_publisher_that_does_not_answer_ends_the_wait_with_one(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SLEEP, lambda _: None)
    done = here.publish(file_of("u1"), "a.csv", "--wait", "1s")
    assert done.exit_code == 1
    assert "a.csv waits for longer than 1 s" in done.stderr
    assert here.door.bucket.keys(INCOMING_SEGMENTS_PREFIX) == [INCOMING_SEGMENTS_PREFIX + "a.csv"]


def test_an_upload_that_somebody_deletes_is_not_called_published(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete(_: float) -> None:
        here.door.bucket.objects.pop(INCOMING_SEGMENTS_PREFIX + "a.csv", None)

    monkeypatch.setattr(SLEEP, delete)
    done = here.publish(file_of("u1"))
    assert done.exit_code == 1
    assert "a.csv is gone and was not decided" in done.stderr


def test_versions_are_listed_with_users_and_upload(here: Here) -> None:
    assert here.run("versions").exit_code == 1
    here.publish(file_of("u1"))
    here.publish(file_of("u1", "u2"), "b.csv")
    here.door.bucket.put(SEGMENTS_PREFIX + "notes.txt", b"")
    here.door.bucket.put(SEGMENTS_PREFIX + "20990101T000000Z.csv", b"past the door")
    listed = here.run("versions")
    assert listed.exit_code == 0, listed.output
    rows = [line for line in listed.stdout.splitlines() if "Z" in line]
    assert [[word in row for word in ("a.csv", "b.csv")] for row in rows] == [
        [True, False],
        [False, True],
        [False, False],
    ]
    assert "yes" in rows[1]
    assert "later" in rows[2]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_rollback_publishes_the_earlier_bytes_as_a_new_version(here: Here, by_name: bool) -> None:
    here.publish(file_of("u1", "u2", "u3"))
    here.publish(file_of("u1", region="osaka"), "b.csv", "--allow", "shrink", "--allow", "new-values")
    every = ("--allow", "shrink", "--allow", "new-values", "--allow", "gone-values")
    assert here.publish(file_of("u1", region="osaka"), "c.csv", *every).exit_code == 0
    first, second = list(here.door.versions.items())
    name = [written_time(first[0])] if by_name else []
    done = here.run("rollback", *name)
    assert done.exit_code == 0, done.output
    assert list(here.door.versions.values()) == [first[1], second[1], first[1]]


def test_an_upload_that_waits_is_not_overwritten_by_another_of_its_name(here: Here) -> None:
    here.door.upload("a.csv", file_of("u1"))
    done = here.publish(file_of("u2"))
    assert done.exit_code == 2
    assert "an upload named a.csv waits for the publisher already" in done.stderr
    here.door.settle()
    assert list(here.door.versions.values()) == [file_of("u1")]


def test_whose_upload_another_overwrote_is_told_that_his_does_not_count(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other client of S3 may do so."""

    def overwrite(_: float) -> None:
        here.door.upload("a.csv", file_of("u2"))
        here.door.settle()

    monkeypatch.setattr(SLEEP, overwrite)
    done = here.publish(file_of("u1"))
    assert done.exit_code == 1
    assert "a.csv was overwritten before it was read" in done.stderr
    monkeypatch.setattr(SLEEP, lambda _: here.door.settle())
    assert here.publish(file_of("u2")).exit_code == 0


def test_a_second_rollback_does_not_bring_the_faulty_version_back(here: Here) -> None:
    here.publish(file_of("good"))
    here.publish(file_of("bad"), "b.csv")
    assert here.run("rollback").exit_code == 0
    again = here.run("rollback")
    assert again.exit_code == 2
    assert "the newest version is a rollback already" in again.stderr
    assert list(here.door.versions.values())[-1] == file_of("good")
    assert here.run("rollback", written_time(next(iter(here.door.versions)))).exit_code == 0


def test_a_rollback_from_a_version_is_refused_once_another_is_the_newest(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.publish(file_of("good"))
    here.publish(file_of("bad"), "b.csv")
    here.door.upload("mended.csv", file_of("mended"))
    monkeypatch.setattr(SLEEP, lambda _: here.door.settle())
    done = here.run("rollback")
    assert done.exit_code == 2
    assert "is the newest by now" in done.stderr
    assert list(here.door.versions.values())[-1] == file_of("mended")


def test_a_rollback_says_that_it_brings_erased_readers_back(here: Here) -> None:
    here.publish(file_of("u1", "gone"))
    here.publish(file_of("u1"), "without-a-reader-x.csv", "--allow", "shrink")
    assert "readers were erased" in here.run("rollback").stderr
    newest = written_time(list(here.door.versions)[-1])
    assert "readers were erased" not in here.run("rollback", newest).stderr


@pytest.mark.parametrize("words", [["20260131T000000Z"], ["../a"], []])
def test_a_rollback_to_nothing_is_refused(here: Here, words: list[str]) -> None:
    here.publish(file_of("u1"))
    done = here.run("rollback", *words)
    assert done.exit_code == 2
    assert len(here.door.versions) == 1


def test_an_unforeseen_error_is_said_as_one_and_never_a_traceback(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(commands, "upload", broken)
    done = here.publish(file_of("u1"))
    assert done.exit_code == 1
    assert "unforeseen: RuntimeError: no such thing" in done.stderr
    assert "Traceback" not in done.output


def _interrupted(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("operations.segments.commands._bucket", "nothing was changed"),
        ("operations.segments.commands.upload", "the file may be uploaded, and is decided on then"),
        (SLEEP, "a.csv is uploaded and decided on without this command: click-trends versions"),
    ],
)
def test_an_interrupted_publish_says_what_becomes_of_the_file(
    here: Here, monkeypatch: pytest.MonkeyPatch, stage: str, told: str
) -> None:
    monkeypatch.setattr(stage, _interrupted)
    done = here.publish(file_of("u1"))
    assert done.exit_code == 130
    assert done.stderr.splitlines()[-1].startswith(f"click-trends: interrupted: {told}")


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("operations.segments.commands.version_to_return_to", "nothing was changed"),
        ("operations.segments.commands.upload_again", "the file may be uploaded, and is decided on then"),
        (SLEEP, "rollback-of-"),
    ],
)
def test_an_interrupted_rollback_says_what_becomes_of_the_file(
    here: Here, monkeypatch: pytest.MonkeyPatch, stage: str, told: str
) -> None:
    for number in (1, 2):
        assert here.publish(file_of(f"u{number}"), f"{number}.csv", *EVERYTHING).exit_code == 0
    monkeypatch.setattr(stage, _interrupted)
    done = here.run("rollback")
    assert done.exit_code == 130
    assert done.stderr.splitlines()[-1].startswith(f"click-trends: interrupted: {told}")
