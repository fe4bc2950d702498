"""Oregon failing while clicks flow from the mobile stream: none is lost, and duplicates are limited."""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.click import clicks_in
from names import OREGON, TOKYO
from tests.end_to_end.conftest import Pipeline, as_record, click
from tests.faults import Faults, RefusingGate, running_microburst
from twin.traffic.record import EntryPoint

PUT = {"service": "kinesis", "operation": "PutRecords"}
CLICKS = 2_000
A_REQUEST = CLICKS  # may hold them all, in packs; a lost answer costs at most one more copy of it
PACK_BYTES = 5_000
POISON_DELAY_SECONDS = 20.0  # a busy machine is late by some itself
OUTAGE_SECONDS = 120


@contextmanager
def _kinesis_of_the_forwarder(pipeline: Pipeline, endpoint: str) -> Iterator[None]:
    """Let the forwarder reach Oregon through `endpoint`, by its environment, as an operator would."""
    functions = pipeline.twin.emulator.client("lambda", TOKYO)
    name = pipeline.twin.names.forwarder
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    through = {**variables, "AWS_ENDPOINT_URL_KINESIS": endpoint}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": through})
    yield
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def _forwarder_role(pipeline: Pipeline) -> str:
    functions = pipeline.twin.emulator.client("lambda", TOKYO)
    role: str = functions.get_function_configuration(FunctionName=pipeline.twin.names.forwarder)["Role"]
    return role


@pytest.fixture(scope="module")
def faults(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    """microburst between the forwarder and Oregon, with the forwarder's own role."""
    keys = pipeline.twin.emulator.session_as(_forwarder_role(pipeline), OREGON).get_credentials()
    assert keys is not None
    environment = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token or "",
    }
    log = tmp_path_factory.mktemp("microburst") / "log"
    with (
        running_microburst(pipeline.twin.emulator.endpoint, log=log, keys=environment) as faults,
        _kinesis_of_the_forwarder(pipeline, faults.endpoint),
    ):
        yield faults


def _send(
    pipeline: Pipeline,
    article: str,
    *,
    first: int = 0,
    number: int = CLICKS,
    over_seconds: float = 0.0,
    pack_bytes: int = PACK_BYTES,
) -> set[str]:
    """Send clicks as mobile apps do, packed or (0) one a record. Returns their ids."""
    now = datetime.now(UTC)
    clicks = [click(first + count, article_id=article, clicked_at=now) for count in range(number)]
    pipeline.send(EntryPoint.MOBILE, [as_record(sent) for sent in clicks], over_seconds, pack_bytes)
    return {sent["click_id"] for sent in clicks}


def _arrived(pipeline: Pipeline, article: str) -> Counter[str]:
    """How often each click of an article is in Oregon's source stream."""
    names = pipeline.twin.names
    journal = pipeline.twin.delivery_streams[names.raw_backup_delivery_stream].journal
    marker = f'"{article}"'.encode()
    lines = journal.read_bytes().split(b"\n") if journal.exists() else []
    return Counter(found["click_id"] for line in lines if marker in line for found in clicks_in(line))


def _all_counted(pipeline: Pipeline, article: str, sent: set[str]) -> int:
    """Wait until every click sent is counted and none is sent again. Returns the number of duplicates."""
    pipeline.wait_until(lambda: set(_arrived(pipeline, article)) == sent, f"{len(sent)} clicks of {article}")
    pipeline.wait_until(
        lambda: not any(source.under_way for source in pipeline.twin.event_sources),
        f"no batch of {article} on its way again",
    )
    pipeline.twin.delivery_streams[pipeline.twin.names.raw_backup_delivery_stream].flush()
    pipeline.wait_until(
        lambda: pipeline.clicks_counted(article) == _arrived(pipeline, article).total(),
        f"every arrival of {article} counted",
    )
    return _arrived(pipeline, article).total() - len(sent)


@pytest.mark.parametrize(
    ("article", "fault", "max_duplicates"),
    [
        (
            "throttled",
            {"error": {"code": "ProvisionedThroughputExceededException"}, "sequence": {"fail": 2, "pass": 1}},
            0,
        ),
        (
            "broken",
            {"error": {"code": "InternalFailure", "status": 500}, "sequence": {"fail": 2, "pass": 1}},
            0,
        ),
        ("slow", {"latency": 1000}, 0),
        ("reset", {"reset": True, "sequence": {"fail": 2, "pass": 1}}, 0),
        ("unanswered", {"response": {"abort_frac": 0.3}, "times": 2}, 2 * A_REQUEST),
    ],
)
def test_every_click_is_counted_while_oregon_is(
    article: str, fault: dict[str, Any], max_duplicates: int, pipeline: Pipeline, faults: Faults
) -> None:
    quarter = CLICKS // 4
    sent = _send(pipeline, article, number=quarter, pack_bytes=0)
    fired = faults.fired()
    faults.set({**PUT, **fault})
    for first in range(quarter, CLICKS, quarter):
        sent |= _send(pipeline, article, first=first, number=quarter)
    pipeline.wait_until(lambda: faults.fired() > fired, "the fault met by a request")
    duplicates = _all_counted(pipeline, article, sent)
    faults.set()
    assert duplicates <= max_duplicates


def test_every_click_is_counted_once_when_oregon_refuses_partially(pipeline: Pipeline) -> None:
    article = "partly-refused"
    kinesis = pipeline.twin.emulator.client_as(_forwarder_role(pipeline), "kinesis", OREGON)
    rng = random.Random(4)
    with RefusingGate(kinesis) as gate, _kinesis_of_the_forwarder(pipeline, gate.endpoint):
        gate.refuses = lambda _: rng.random() < 0.3
        sent = _send(pipeline, article)
        assert _all_counted(pipeline, article, sent) == 0


def test_a_forwarder_killed_in_mid_batch_loses_no_click(pipeline: Pipeline, faults: Faults) -> None:
    if sys.platform != "linux":
        pytest.skip("finds the function's process in /proc")
    article = "killed"
    faults.set({**PUT, "latency": 3000})
    fired = faults.fired()
    sent = _send(pipeline, article)
    pipeline.wait_until(lambda: faults.fired() > fired, "a request on its way")
    killed = _kill_forwarder(pipeline)
    faults.set()
    assert killed >= 1
    assert _all_counted(pipeline, article, sent) <= len(sent)


def _kill_forwarder(pipeline: Pipeline) -> int:
    """SIGKILL every process of this twin's forwarder. Returns how many."""
    function = f"AWS_LAMBDA_FUNCTION_NAME={pipeline.twin.names.forwarder}\0".encode()
    this_twin = f"AWS_ENDPOINT_URL={pipeline.twin.emulator.endpoint}\0".encode()
    killed = 0
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        with suppress(OSError):  # another user's, or ended meanwhile
            environment = (process / "environ").read_bytes()
            if function in environment and this_twin in environment:
                os.kill(int(process.name), signal.SIGKILL)
                killed += 1
    return killed


def test_poison_at_the_head_of_a_shard_delays_others_by_seconds(pipeline: Pipeline, faults: Faults) -> None:
    faults.set()
    poison = [b"\xf3\x89\x9a\xc2aggregated", b"broken", b'{"click_id": 7']

    def seconds_to_arrive(article: str, head: list[bytes]) -> float:
        began = time.monotonic()
        if head:
            pipeline.send(EntryPoint.MOBILE, head * 20)
        sent = _send(pipeline, article, number=200)
        pipeline.wait_until(lambda: set(_arrived(pipeline, article)) == sent, f"clicks of {article}")
        return time.monotonic() - began

    undisturbed = seconds_to_arrive("undisturbed", [])
    assert seconds_to_arrive("behind-poison", poison) - undisturbed < POISON_DELAY_SECONDS


def test_all_clicks_arrive_after_oregon_was_away_for_two_minutes(pipeline: Pipeline, faults: Faults) -> None:
    article = "away"
    faults.set({**PUT, "reset": True})
    sent = _send(pipeline, article, over_seconds=OUTAGE_SECONDS)
    assert not _arrived(pipeline, article)
    faults.set()
    # Records that arrived behind a batch's lowest refused one are sent again once Oregon is back.
    assert _all_counted(pipeline, article, sent) <= len(sent)
