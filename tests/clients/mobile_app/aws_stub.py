"""Cognito and a Kinesis stream as HTTP servers of one process, told by a test how to behave."""

import json
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any

Answer = tuple[int, dict[str, Any] | bytes]
Put = list[dict[str, Any]]

REFUSED = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"}


def lines_in(record: dict[str, Any]) -> list[bytes]:
    """The lines of a record, each a click with its newline."""
    return b64decode(record["Data"]).splitlines(keepends=True)


def clicks_in(put: Put) -> int:
    return sum(len(lines_in(record)) for record in put)


def error(code: str, status: int = 400) -> Answer:
    return status, {"__type": code, "message": "told so by the test"}


@dataclass
class AwsStub:
    """`on_put` gets the number of a PutRecords call (from 1) and its records, and answers for the stream:
    the positions it refuses, a whole answer in place of taking anything, or None to cut the connection after
    taking all. `taken`: the lines of all records that it took.

    `on_vend` gets the request of GetCredentialsForIdentity. `valid_seconds`: of the credentials it vends.
    `clock_ahead_seconds`: of its clock before this machine's.
    """

    on_put: Callable[[int, Put], set[int] | Answer | None] = lambda _number, _records: set()
    on_vend: Callable[[dict[str, Any]], Answer | None] = lambda _request: None
    valid_seconds: float = 3600
    clock_ahead_seconds: float = 0
    endpoint: str = ""
    taken: list[bytes] = field(default_factory=list)
    puts: list[Put] = field(default_factory=list)
    cognito_calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tokens_used: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, action: str, request: dict[str, Any], token: str) -> Answer | None:
        with self._lock:
            if action == "PutRecords":
                self.tokens_used.append(token)
                return self._put(request["Records"])
            self.cognito_calls.append((action, request))
            if action == "GetId":
                return 200, {"IdentityId": f"identity-of-{sorted(request.get('Logins', {}).values())}"}
            assert action == "GetCredentialsForIdentity"
            return self.on_vend(request) or self._vend(request)

    def _vend(self, request: dict[str, Any]) -> Answer:
        number = sum(action == "GetCredentialsForIdentity" for action, _ in self.cognito_calls)
        credentials = {
            "AccessKeyId": f"key-{number}",
            "SecretKey": "secret",
            "SessionToken": f"token-{number}",
            "Expiration": time() + self.clock_ahead_seconds + self.valid_seconds,
        }
        return 200, {"IdentityId": request["IdentityId"], "Credentials": credentials}

    def _put(self, records: Put) -> Answer | None:
        self.puts.append(records)
        told = self.on_put(len(self.puts), records)
        if isinstance(told, tuple):
            return told
        refused = told or set()
        for at, record in enumerate(records):
            self.taken += lines_in(record) if at not in refused else []
        if told is None:
            return None
        results = [REFUSED if at in refused else {"SequenceNumber": "1"} for at in range(len(records))]
        return 200, {"FailedRecordCount": len(refused), "Records": results}


@contextmanager
def running(stub: AwsStub) -> Iterator[AwsStub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            action = self.headers["x-amz-target"].rsplit(".", 1)[-1]
            answer = stub.answer(action, request, self.headers.get("x-amz-security-token", ""))
            if answer is None:
                self.close_connection = True
                return
            status, content = answer
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time()) + stub.clock_ahead_seconds)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub.endpoint = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
