"""A range is replayed on the emulated AWS and then once more here: late clicks are counted, and nothing else
changes. A replay that the service does not start says why."""

import json
import os
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from contract.count import start_of_count
from contract.event_time import format_time
from lambdas.replay.results import RUNNING
from names import OREGON, RAW_PREFIX, REPLAYS_PREFIX
from tests.end_to_end.conftest import Pipeline, as_record, click
from twin.traffic.record import EntryPoint

LATE, PUNCTUAL = "replay-late", "replay-punctual"
LATE_CLICKS, PUNCTUAL_CLICKS = 3, 2
TIMEOUT_SECONDS = 300


def _replay(
    pipeline: Pipeline, begin: datetime, end: datetime, where: str
) -> subprocess.CompletedProcess[str]:
    """The command, given in a shell with the twin's environment."""
    file = pipeline.twin.write_reader_environment()
    times = f"--from {format_time(begin)} --to {format_time(end)}"
    return subprocess.run(
        ["bash", "-c", f'. "{file}" && exec click-trends replay {times} {where} --yes'],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def _replayed(pipeline: Pipeline, begin: datetime, end: datetime, where: str) -> str:
    """What the command says."""
    done = _replay(pipeline, begin, end, where)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_replay_counts_late_clicks_once_and_changes_nothing_else(pipeline: Pipeline) -> None:
    names, emulator = pipeline.twin.names, pipeline.twin.emulator
    now = start_of_count(datetime.now(UTC))
    too_old, in_time = now - timedelta(hours=24, minutes=5), now - timedelta(hours=23, minutes=45)
    late = [click(number, article_id=LATE, clicked_at=too_old) for number in range(LATE_CLICKS)]
    punctual = [click(number, article_id=PUNCTUAL, clicked_at=in_time) for number in range(PUNCTUAL_CLICKS)]
    pipeline.send(EntryPoint.WEB, [as_record(sent) for sent in [*late, late[0], *punctual]])
    pipeline.wait_until(lambda: pipeline.clicks_counted(PUNCTUAL) == PUNCTUAL_CLICKS, "punctual clicks")
    s3 = emulator.client("s3", OREGON)

    def both_are_written() -> bool:
        for stream in pipeline.twin.delivery_streams.values():
            stream.flush()
        listed = (
            s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
            for bucket, prefix in ((names.raw_bucket, RAW_PREFIX), (names.rejected_bucket, "rejected/"))
        )
        return all(listed)

    pipeline.wait_until(both_are_written, "raw and rejected objects")
    begin, end = too_old - timedelta(minutes=5), in_time + timedelta(minutes=5)
    said = _replayed(pipeline, begin, end, "--on-aws")
    assert "counts for at most 4 h" in said
    assert f"of them the live path had rejected {LATE_CLICKS} as too_old" in said
    pipeline.wait_until(lambda: pipeline.clicks_counted(LATE) == LATE_CLICKS, "late clicks")
    assert pipeline.clicks_counted(PUNCTUAL) == PUNCTUAL_CLICKS
    documents = pipeline.count_documents("replay-")
    service = emulator.client("kinesisanalyticsv2", OREGON)

    def is_taken_away() -> bool:
        emulator.client("lambda", OREGON).invoke(FunctionName=names.replay, Payload=b"{}")
        found = s3.list_objects_v2(Bucket=names.raw_bucket, Prefix=REPLAYS_PREFIX)["Contents"]
        return RUNNING not in {item["Key"] for item in found} and len(found) == 1

    pipeline.wait_until(is_taken_away, "nothing left of the replay but its outcome")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        service.describe_application(ApplicationName=names.replay_application)
    again = _replayed(pipeline, begin, end, "--here")
    assert f"of them the live path had rejected {LATE_CLICKS} as too_old" in again
    for stream in pipeline.twin.delivery_streams.values():
        stream.flush()
    pipeline.refresh()
    assert pipeline.count_documents("replay-") == documents


def test_a_replay_that_the_service_does_not_start_says_why_and_is_taken_away(pipeline: Pipeline) -> None:
    names, emulator = pipeline.twin.names, pipeline.twin.emulator
    invoke, s3 = emulator.client("lambda", OREGON).invoke, emulator.client("s3", OREGON)
    faults = f"{emulator.endpoint}/_twin/applications/{OREGON}/{names.replay_application}/faults"

    def fail(**reasons: str) -> None:
        urllib.request.urlopen(faults, data=json.dumps(reasons).encode(), timeout=30).close()

    fail(every_start="the service has no capacity")
    begin = start_of_count(datetime.now(UTC)) - timedelta(hours=12, minutes=10)  # two versions hold in it
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(_replay, pipeline, begin, begin + timedelta(minutes=20), "--on-aws")

        def is_answered() -> bool:
            """Past the time in which a start may show late, as the replay's own note of it says."""
            with suppress(ClientError):
                found = s3.get_object(Bucket=names.raw_bucket, Key=RUNNING)
                state = json.loads(found["Body"].read())
                if state["phase"] == "counting":
                    state["started_at"] = format_time(begin)
                    s3.put_object(
                        Bucket=names.raw_bucket, Key=RUNNING, Body=json.dumps(state), IfMatch=found["ETag"]
                    )
            invoke(FunctionName=names.replay, Payload=b"{}")
            return asked.done()

        pipeline.wait_until(is_answered, "the failure of the replay told")
    fail()
    done = asked.result()
    assert done.returncode == 1, done.stderr
    assert "the service has no capacity" in done.stderr

    def is_taken_away() -> bool:
        invoke(FunctionName=names.replay, Payload=b"{}")
        return not s3.list_objects_v2(Bucket=names.raw_bucket, Prefix=RUNNING)["KeyCount"]

    pipeline.wait_until(is_taken_away, "nothing left of the replay")
