"""A stand-in for GitHub's REST API on a free port: comments and issues as far as the workflows use them."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from operations.ci.github import BOT, GitHub

REPOSITORY = "somebody/click-trends"
MAX_REAL_BODY = 65_536


@dataclass
class StandIn:
    """What the repository holds, and how the API is to behave."""

    address: str = ""
    pulls: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    may_write: bool = True
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Answers given before any other, as (status, headers)."""
    lost: list[tuple[str, int | None]] = field(default_factory=list)
    """Requests that are carried out and then answered otherwise, as (method, status); None: not at all."""
    strange: list[bytes] = field(default_factory=list)
    """Contents of answers with status 200 given in place of others."""

    def comment(self, body: str, *, by: str = BOT, on: int = 7) -> int:
        number = 1000 + len(self.comments)
        self.comments[number] = {"id": number, "body": body, "user": {"login": by}, "on": on}
        return number

    def issue(self, body: str | None, *, by: str = BOT, state: str = "open", **more: Any) -> int:
        number = 1 + len(self.issues)
        self.issues[number] = {
            "number": number,
            "body": body,
            "user": {"login": by},
            "state": state,
            "comments": [],
            **more,
        }
        return number

    def answer(
        self, method: str, path: str, query: dict[str, str], values: dict[str, str]
    ) -> tuple[int, Any]:
        if method != "GET" and not self.may_write:
            return 403, {"message": "Resource not accessible by integration"}
        if len(values.get("body", "")) > MAX_REAL_BODY:
            message = "body is too long (maximum is 65536 characters)"
            return 422, {"message": "Validation Failed", "errors": [{"message": message}]}
        match path.split("/"):
            case ["pulls"]:
                return self._pulls(query)
            case ["issues", *rest]:
                return self._below_issues(method, rest, query, values)
            case _:
                return 404, {"message": "Not Found"}

    def _below_issues(
        self, method: str, rest: list[str], query: dict[str, str], values: dict[str, str]
    ) -> tuple[int, Any]:
        match rest:
            case ["comments", number]:
                return self._comment(method, int(number), values)
            case [number, "comments"]:
                return self._comments(method, int(number), query, values)
            case [number]:
                self.issues[int(number)].update(values)
                return 200, self.issues[int(number)]
            case _:
                return self._issues(method, query, values)

    def _pulls(self, query: dict[str, str]) -> tuple[int, Any]:
        found = [
            pull
            for pull in self.pulls
            if f"{pull['owner']}:{pull['head']['ref']}" == query["head"]
            and pull["base"] == query["base"]
            and pull["state"] == query["state"]
        ]
        return 200, _page(found, query)

    def _comment(self, method: str, number: int, values: dict[str, str]) -> tuple[int, Any]:
        if number not in self.comments:
            return 404, {"message": "Not Found"}
        if method == "DELETE":
            del self.comments[number]
            return 204, None
        self.comments[number].update(values)
        return 200, self.comments[number]

    def _comments(
        self, method: str, on: int, query: dict[str, str], values: dict[str, str]
    ) -> tuple[int, Any]:
        if method == "GET":
            return 200, _page([one for one in self.comments.values() if one["on"] == on], query)
        if on in self.issues:
            self.issues[on]["comments"].append(values["body"])
        return 201, self.comments[self.comment(values["body"], on=on)]

    def _issues(self, method: str, query: dict[str, str], values: dict[str, str]) -> tuple[int, Any]:
        if method == "GET":
            return 200, _page([i for i in self.issues.values() if i["state"] == query["state"]], query)
        return 201, self.issues[self.issue(values["body"], title=values["title"])]


def _page(elements: list[Any], query: dict[str, str]) -> list[Any]:
    size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
    return elements[(page - 1) * size : page * size]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    state = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            values = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            prefix = f"/repos/{REPOSITORY}/"
            headers: dict[str, str] = {}
            if self.headers["Authorization"] != "Bearer right":
                status, answer = 401, {"message": "Bad credentials"}
            elif state.failures:
                status, headers = state.failures.pop(0)
                answer = {"message": "not now"}
            elif not parts.path.startswith(prefix):
                status, answer = 404, {"message": "Not Found"}
            else:
                query = {key: value[0] for key, value in parse_qs(parts.query).items()}
                status, answer = state.answer(self.command, parts.path.removeprefix(prefix), query, values)
                if state.lost and state.lost[0][0] == self.command:
                    _, instead = state.lost.pop(0)
                    if instead is None:
                        self.close_connection = True
                        return
                    status, answer = instead, {"message": "not now"}
            content = b"" if answer is None else json.dumps(answer).encode()
            if state.strange:
                status, content = 200, state.strange.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def github(stand_in: StandIn, pauses: list[float]) -> GitHub:
    return GitHub(api=stand_in.address, repository=REPOSITORY, token="right", pause=pauses.append)
