"""Ways in which AWS fails: a proxy that fails requests as AWS does, one that refuses single records, and an
endpoint that answers as a script says."""

import json
import os
import sys
import threading
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import pytest
from botocore.config import Config

from twin.processes import ChildProcess, free_port

MICROBURST = Path(sys.executable).parent / "microburst"


class Faults:
    """microburst: fails requests in AWS's own way."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def set(self, *rules: dict[str, Any]) -> None:
        self._call("rules", list(rules))

    def fired(self) -> int:
        with urllib.request.urlopen(f"{self.endpoint}/_microburst/fired") as answer:
            return len(json.load(answer))

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_microburst/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _call(self, path: str, body: object) -> None:
        request = urllib.request.Request(
            f"{self.endpoint}/_microburst/{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        urllib.request.urlopen(request).close()


@contextmanager
def running_microburst(upstream: str, *, log: Path, keys: Mapping[str, str]) -> Iterator[Faults]:
    """microburst in front of `upstream`; it signs what it passes on with `keys` (AWS_... variables)."""
    port = free_port()
    process = ChildProcess(
        "microburst",
        [str(MICROBURST), "--upstream", upstream, "--port", str(port), "--resign"],
        log=log,
        env={**os.environ, **keys},
    )
    faults = Faults(f"http://127.0.0.1:{port}")
    try:
        process.wait_until(faults.answers, timeout_seconds=30)
        _let_it_read_its_models(faults)
        yield faults
    finally:
        process.stop()


def _let_it_read_its_models(faults: Faults) -> None:
    """The first fault of a service takes seconds, in which microburst answers nobody."""
    client = boto3.client(
        "kinesis",
        region_name="us-west-2",
        endpoint_url=faults.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(read_timeout=60, retries={"total_max_attempts": 1}),
    )
    faults.set({"service": "kinesis", "error": {"code": "ProvisionedThroughputExceededException"}})
    with pytest.raises(client.exceptions.ProvisionedThroughputExceededException):
        client.put_records(StreamName="any", Records=[{"Data": b"any", "PartitionKey": "any"}])
    faults.set()


class _Serving:
    """Its server answers inside of a `with`."""

    _server: ThreadingHTTPServer

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class RefusingGate(_Serving):
    """A proxy that refuses the records of PutRecords for which `refuses` says so, and passes on the rest.

    kinesis: the client that puts them, so with its credentials.
    """

    def __init__(self, kinesis: Any) -> None:
        gate = self
        self.refuses: Callable[[bytes], bool] = lambda _: False
        self._lock = threading.Lock()
        self._kinesis = kinesis

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                answer = json.dumps(gate.put_records(request)).encode()
                self.send_response(200)
                self.send_header("content-type", "application/x-amz-json-1.1")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def put_records(self, request: dict[str, Any]) -> dict[str, Any]:
        records = request["Records"]
        with self._lock:
            refused = [self.refuses(b64decode(record["Data"])) for record in records]
        passed = [record for record, no in zip(records, refused, strict=True) if not no]
        taken = iter(self._pass_on({**request, "Records": passed}) if passed else [])
        no_room = {
            "ErrorCode": "ProvisionedThroughputExceededException",
            "ErrorMessage": "Rate exceeded for shard",
        }
        return {
            "FailedRecordCount": sum(refused),
            "Records": [no_room if no else next(taken) for no in refused],
        }

    def _pass_on(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        decoded = [{**record, "Data": b64decode(record["Data"])} for record in request["Records"]]
        taken: list[dict[str, Any]] = self._kinesis.put_records(**{**request, "Records": decoded})["Records"]
        return taken


class ScriptedEndpoint(_Serving):
    """Gives each request the next of `answers` (status and body), and the others `status` and `otherwise`."""

    def __init__(self, *, otherwise: bytes) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.requests = 0
        self.status = 200
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                endpoint.requests += 1
                status, body = endpoint.answers.pop(0) if endpoint.answers else (endpoint.status, otherwise)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
