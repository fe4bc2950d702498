"""One emulated AWS for all tests of the forwarder, and two gates before it: one that fails as AWS does
(microburst), one that refuses single records of a request."""

import json
import os
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas.shared import destinations
from tests.faults import Faults, RefusingGate, running_microburst
from tests.lambdas.forwarder.oregon import Site
from twin.processes import ChildProcess, free_port

TOOLS = Path(sys.executable).parent


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Endpoint of MiniStack."""
    folder = tmp_path_factory.mktemp("emulator")
    endpoint = f"http://127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": endpoint.rpartition(":")[2],
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "S3_DATA_DIR": str(folder / "s3"),
    }
    process = ChildProcess(
        "MiniStack", [str(TOOLS / "ministack")], log=folder / "log", env=environment, cwd=folder
    )
    try:
        process.wait_until(lambda: _answers(f"{endpoint}/_ministack/health"), timeout_seconds=30)
        yield endpoint
    finally:
        process.stop()


ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture(scope="session")
def faults(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    """microburst in front of the emulator."""
    log = tmp_path_factory.mktemp("microburst") / "log"
    with running_microburst(emulator, log=log, keys=ROOT_KEYS) as faults:
        yield faults


@pytest.fixture(scope="session")
def gate(emulator: str) -> Iterator[RefusingGate]:
    root = boto3.Session("test", "test", region_name="us-west-2")
    with RefusingGate(root.client("kinesis", endpoint_url=emulator)) as gate:
        yield gate


@pytest.fixture
def site(emulator: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A source stream and a dead-letter bucket of the test's own."""
    name = f"t{abs(hash(request.node.name)):x}"[:20]
    for variable, value in {
        "AWS_ENDPOINT_URL": emulator,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "ap-northeast-1",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
    }.items():
        monkeypatch.setenv(variable, value)
    # On a busy machine the emulator may be slower than Oregon; a timeout would deliver twice.
    monkeypatch.setattr(destinations, "READ_TIMEOUT_SECONDS", 30)
    kinesis = boto3.client("kinesis", region_name="us-west-2")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    s3 = boto3.client("s3", region_name="ap-northeast-1")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
    return Site(name=name, kinesis=kinesis, s3=s3)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def tallies(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """The metrics published since the last call, one dictionary of numbers per invocation."""

    def read() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
        return [line for line in lines if "Received" in line]

    return read
