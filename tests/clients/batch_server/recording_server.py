"""A server that records the requests it gets and answers them all alike."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SHARDS = {"total": 0, "successful": 0, "skipped": 0, "failed": 0}
EMPTY: dict[str, Any] = {"took": 1, "timed_out": False, "_shards": SHARDS, "hits": {"hits": []}}


@dataclass
class Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RecordingServer:
    endpoint: str
    statuses: list[int]
    answers: list[bytes]
    requests: list[Request] = field(default_factory=list)


@contextmanager
def never_answering() -> Iterator[str]:
    """The endpoint of a server that takes connections and requests, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def answering(
    *statuses: int, answer: object = EMPTY, content_type: str = "application/json"
) -> Iterator[RecordingServer]:
    """A server that answers its requests with these statuses, the last of them forever.

    answer: the body of each, as bytes or what JSON is made of; a tuple has one for each request, the last of
    them forever.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _record(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            url = f"http://{self.headers['host']}{self.path}"
            recorded.requests.append(Request(self.command, url, dict(self.headers.items()), body))
            answered = len(recorded.requests) - 1
            self.send_response(recorded.statuses[min(answered, len(recorded.statuses) - 1)])
            self.send_header("content-type", content_type)
            body = recorded.answers[min(answered, len(recorded.answers) - 1)]
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_HEAD = do_PUT = _record  # noqa: N815 (names that http.server looks for)

        def log_message(self, *_: object) -> None:
            """Requests are recorded, not printed."""

    given = answer if isinstance(answer, tuple) else (answer,)
    bodies = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in given]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint = f"http://127.0.0.1:{server.server_port}"
    recorded = RecordingServer(endpoint, list(statuses) or [200], bodies)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield recorded
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
