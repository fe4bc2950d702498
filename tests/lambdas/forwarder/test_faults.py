"""Oregon throttling, failing, slow, unreachable or timing out, through microburst."""

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lambdas.shared import delivery
from tests.faults import Faults
from tests.lambdas.forwarder.events import as_bytes, click, clicks, packed
from tests.lambdas.forwarder.oregon import Site, carry
from twin.processes import wait_for

PUT = {"service": "kinesis", "operation": "PutRecords"}
THROTTLED = {"error": {"code": "ProvisionedThroughputExceededException"}}
BROKEN = {"error": {"code": "InternalFailure", "status": 500}}
PROJECT = Path(__file__).parents[3]


@pytest.fixture
def oregon(faults: Faults, site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site, with microburst between the forwarder and its stream."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", faults.endpoint)
    monkeypatch.setattr(delivery, "FIRST_BACKOFF_SECONDS", 0.02)
    return site


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({**THROTTLED, "sequence": {"fail": 2, "pass": 1}}, id="throttling"),
        pytest.param({**BROKEN, "sequence": {"fail": 2, "pass": 1}}, id="500s"),
        pytest.param({"reset": True, "sequence": {"fail": 2, "pass": 1}}, id="connection resets"),
        pytest.param({"latency": 1000}, id="1 s latency"),
    ],
)
def test_every_click_arrives_once_despite(fault: dict[str, Any], oregon: Site, faults: Faults) -> None:
    good = clicks(2_000)
    forwarder = oregon.forwarder()
    faults.set({**PUT, **fault})
    attempts = carry(forwarder, [*good[:900], b"bad", *good[900:]])
    faults.set()
    assert attempts == 1
    assert oregon.arrived() == Counter(good)
    assert oregon.rejected() == Counter([b"bad"])


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"response": {"abort_frac": 0.3}}, id="cut connection"),
        pytest.param({"response": {"truncate_frac": 0.5}}, id="cut answer"),
    ],
)
def test_a_lost_answer_duplicates_one_request_and_loses_no_click(
    fault: dict[str, Any], oregon: Site, faults: Faults
) -> None:
    a_request = 12 * 24  # of REQUEST_BYTES, with packs of 24
    good = clicks(8 * a_request, line_bytes=1_000)
    faults.set({**PUT, **fault, "times": 2})
    assert carry(oregon.forwarder(), packed(good, 12)) == 1
    faults.set()
    arrived = oregon.arrived()
    assert set(arrived) == set(good)
    assert arrived.total() == 8 * a_request + 2 * a_request


def test_every_click_arrives_after_oregon_was_away_for_several_invocations(
    oregon: Site, faults: Faults
) -> None:
    """One request only: of two, a returning Oregon might take just the second, which is then sent again."""
    good = clicks(500)
    forwarder = oregon.forwarder()
    faults.set({**PUT, "reset": True, "ttl_s": 3})
    attempts = carry(forwarder, good, seconds=9.0)
    faults.set()
    assert attempts > 1
    assert oregon.arrived() == Counter(good)


def test_a_poison_record_delays_the_shard_by_one_write_to_s3(oregon: Site) -> None:
    poison = [
        b"\xff" * 1_000_000,
        as_bytes(click(clicked_at={"deep": [[[]]]})).strip(),
        b"[" * 100_000,
        b"\xf3\x89\x9a\xc2",
        b"{}" * 500_000,
    ]
    good = clicks(1_000)
    forwarder = oregon.forwarder()
    carry(forwarder, good)
    began = time.monotonic()
    assert carry(forwarder, [*poison, *good]) == 1
    assert time.monotonic() - began < 20  # seconds even on a busy machine
    assert oregon.arrived() == Counter(good + good)
    assert oregon.rejected() == Counter(poison)


def test_a_forwarder_killed_in_mid_batch_loses_nothing(oregon: Site, faults: Faults) -> None:
    faults.set(
        {**PUT, "latency": 5_000, "sequence": {"fail": 3, "pass": 1}}
    )  # every fourth request gets through
    good = clicks(4_000, line_bytes=1_000)
    in_another_process = (
        "from tests.lambdas.forwarder.events import clicks\n"
        "from tests.lambdas.forwarder.oregon import Site, carry\n"
        f"site = Site(name={oregon.name!r}, kinesis=None, s3=None)\n"
        "carry(site.forwarder(), [b'bad', *clicks(4_000, line_bytes=1_000)])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", in_another_process], cwd=PROJECT)
    wait_for(lambda: oregon.arrived().total() > 0, what="the first requests", timeout_seconds=30)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = oregon.arrived()
    assert before.total() < 4_000

    faults.set()
    assert carry(oregon.forwarder(), [b"bad", *good]) == 1
    arrived = oregon.arrived()
    assert set(arrived) == set(good)
    assert max(arrived.values()) == 2
    assert oregon.rejected() == Counter([b"bad"])
