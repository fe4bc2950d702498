"""A reader erased in the running twin, with the command and its role."""

import gzip
import os
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta

from contract.click import Click, read_line
from contract.tally import tallies
from names import ERASED_PREFIX, OREGON, RAW_PREFIX, REJECTED_PREFIX, REJECTED_RECORDS_PREFIX
from tests.end_to_end.conftest import Pipeline, as_record, click
from twin.traffic.record import EntryPoint

ARTICLE = "erasure"
READER = "a reader to erase"
CLICKS = 12
DAY = timedelta(days=1)


def raw_clicks(pipeline: Pipeline) -> Counter[bool]:
    """Those of this test, by whether they are the reader's."""
    twin = pipeline.twin
    for stream in twin.delivery_streams.values():
        stream.flush()
    s3 = twin.emulator.client("s3", OREGON)
    found: Counter[bool] = Counter()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=twin.names.raw_bucket, Prefix=RAW_PREFIX):
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket=twin.names.raw_bucket, Key=item["Key"])["Body"].read()
            for line in gzip.decompress(body).split(b"\n"):
                for unit in read_line(line):
                    if isinstance(unit, Click) and unit.fields.get("article_id") == ARTICLE:
                        found[unit.fields["user_id"] == READER] += 1
    return found


def test_a_reader_is_erased_by_the_command_in_the_twin(pipeline: Pipeline) -> None:
    twin, now = pipeline.twin, datetime.now(UTC)
    refused_before = twin.reconciliation()
    too_old = click(CLICKS, article_id=ARTICLE, clicked_at=now - 2 * DAY, user_id=READER)
    pipeline.send(EntryPoint.WEB, [as_record(too_old)])
    pipeline.send(EntryPoint.MOBILE, [as_record({"click_id": "of no article", "user_id": READER})])
    clicks = [click(number, article_id=ARTICLE, clicked_at=now) for number in range(CLICKS)]
    for each in clicks[::3]:
        each["user_id"] = READER
    packs = [b"".join(map(as_record, clicks[at : at + 4])) for at in range(0, CLICKS, 4)]
    pipeline.send(EntryPoint.WEB, packs)
    pipeline.wait_until(lambda: pipeline.clicks_counted(ARTICLE) == CLICKS, "clicks of the erasure counted")

    def are_refused() -> bool:
        refused = twin.reconciliation()
        rejected = refused.rejected - refused_before.rejected
        letters = refused.rejected_by_forwarder - refused_before.rejected_by_forwarder
        return rejected["too_old"] == 1 and letters.total() == 1

    pipeline.wait_until(are_refused, "a click of the reader rejected, and one a dead letter")
    before = raw_clicks(pipeline)
    assert before[True] >= CLICKS / 3

    file = twin.write_reader_environment()
    ended = subprocess.run(
        ["bash", "-c", f'. "{file}" && exec click-trends erase --user-id "{READER}" --yes'],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    for prefix in (RAW_PREFIX, REJECTED_PREFIX, REJECTED_RECORDS_PREFIX):
        assert f"of {prefix} lost" in ended.stdout

    after = raw_clicks(pipeline)
    assert (after[True], after[False]) == (0, before[False])
    s3, bucket = twin.emulator.client("s3", OREGON), twin.names.raw_bucket
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=ERASED_PREFIX)["Contents"]
    bodies = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed]
    # A dead letter of the forwarder was never received in Oregon.
    assert sum(tally.received for body in bodies for tally in tallies(body)) == before[True]
    assert pipeline.clicks_counted(ARTICLE) == CLICKS
