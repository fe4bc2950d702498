"""A bounded run's counts reach the delivery stream, each at least once, whatever Firehose refuses."""

import base64
import gzip
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contract.count import COUNT_COLUMNS
from names import OREGON, Names
from twin.emulator import Emulator
from twin.traffic import put_counts
from twin.traffic.put_counts import NotTakenError


def line(clicks: int) -> bytes:
    return json.dumps({**dict.fromkeys(COUNT_COLUMNS, "x"), "clicks": clicks}).encode() + b"\n"


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    folder = tmp_path / "click_counts"
    (folder / "task-1").mkdir(parents=True)
    (folder / "part-0").write_bytes(b"".join(map(line, range(1_100))))
    (folder / "task-1" / "part-1.gz").write_bytes(gzip.compress(line(1_100).rstrip()))
    (folder / ".part-2.inprogress").write_bytes(b"no count\n")
    (folder / ".staging_1").mkdir()
    (folder / ".staging_1" / "part-3").write_bytes(b"no count\n")
    return folder


class RefusingFirehose:
    """First refuses every third record, and everything once it is `closed`."""

    def __init__(self, *, closed: bool = False) -> None:
        self.taken: list[bytes] = []
        self._seen: set[bytes] = set()
        self._closed = closed

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> Any:  # noqa: N803
        assert DeliveryStreamName == "counts"
        assert len(Records) <= 500
        answers = []
        for record in Records:
            data = record["Data"]
            new = data not in self._seen
            self._seen.add(data)
            if self._closed or (new and json.loads(data)["clicks"] % 3 == 0):
                answers.append({"ErrorCode": "ServiceUnavailableException"})
            else:
                self.taken.append(data)
                answers.append({"RecordId": "1"})
        return {"RequestResponses": answers}


def test_every_count_is_put_once_though_some_are_first_refused(
    counts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put_counts, "FIRST_PAUSE_SECONDS", 0.0)
    firehose = RefusingFirehose()
    assert put_counts.put_counts(firehose, "counts", counts, per_second=1e6) == 1_101
    assert sorted(json.loads(taken)["clicks"] for taken in firehose.taken) == list(range(1_101))
    assert all(taken.endswith(b"\n") for taken in firehose.taken)


def test_a_stream_that_takes_nothing_ends_the_run_with_its_progress(
    counts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put_counts, "FIRST_PAUSE_SECONDS", 0.0)
    with pytest.raises(NotTakenError, match="refused 500 counts 8 times; 0 were put before"):
        put_counts.put_counts(RefusingFirehose(closed=True), "counts", counts, per_second=1e6)


def test_the_command_puts_into_the_environments_delivery_stream(
    counts: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in emulator.client_environment().items():
        monkeypatch.setenv(key, value)
    stream = Names(environment="local", account="000000000000").delivery_stream("counts")
    firehose = emulator.client("firehose", OREGON)
    firehose.create_delivery_stream(
        DeliveryStreamName=stream,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::000000000000:role/r",
            "BucketARN": "arn:aws:s3:::bucket",
        },
    )
    try:
        outcome = CliRunner().invoke(put_counts.app, ["--counts", str(counts), "--environment", "local"])
        assert outcome.output == f"1,101 counts put into {stream}\n"
        url = f"{emulator.endpoint}/_twin/delivery-streams/{OREGON}/{stream}/records"
        with urllib.request.urlopen(url, timeout=10) as answer:
            records = [base64.b64decode(record) for record in json.loads(answer.read())]
        assert sorted(json.loads(record)["clicks"] for record in records) == list(range(1_101))
    finally:
        firehose.delete_delivery_stream(DeliveryStreamName=stream)


@pytest.mark.parametrize(
    "content",
    [
        b'{"reason":"too_old"}\n',
        line(1)[:-5],
        b"[" * 100_000,
        "日".encode("shift_jis"),
        b'{"clicks":1}\n',
        line(1).replace(b": 1", b": null"),
    ],
)
def test_a_line_that_is_no_count_is_named_before_any_put(counts: Path, content: bytes) -> None:
    (counts / "part-9").write_bytes(line(1) + b"\n" + content)
    outcome = CliRunner().invoke(put_counts.app, ["--counts", str(counts), "--environment", "local"])
    assert outcome.exit_code == 1
    assert "part-9, line 3 is not a count, so nothing was put: give the folder click_counts" in outcome.output


def test_a_folder_without_counts_is_reported(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(put_counts.app, ["--counts", str(tmp_path), "--environment", "local"])
    assert (outcome.exit_code, outcome.output) == (
        1,
        f"{tmp_path} holds no counts: give the folder click_counts of a run\n",
    )


def test_a_truncated_file_of_counts_is_named(counts: Path) -> None:
    (counts / "part-9.gz").write_bytes(gzip.compress(line(1))[:-9])
    outcome = CliRunner().invoke(put_counts.app, ["--counts", str(counts), "--environment", "local"])
    assert outcome.exit_code == 1
    assert "part-9.gz cannot be read: " in outcome.output


def test_a_missing_environment_is_reported(counts: Path) -> None:
    outcome = CliRunner().invoke(put_counts.app, ["--counts", str(counts), "--environment", "nowhere"])
    assert outcome.exit_code == 1
    assert "There is no environment 'nowhere'" in outcome.output
