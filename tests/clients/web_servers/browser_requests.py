"""What browsers ask of a web server, and the line that the real server wrote for it (recorded_lines.json)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

RECORDED = Path(__file__).parent / "recorded_lines.json"
SERVERS = ("nginx", "apache")


@dataclass(frozen=True)
class BrowserRequest:
    target: bytes
    method: str = "GET"
    cookie: str = "user_id=u-31"


REQUESTS = {
    "an id of ASCII": BrowserRequest(b"/click/news-7?from=%2Ftop"),
    "an id of ASCII beside other cookies": BrowserRequest(
        b"/click/news-7", cookie="my_user_id=9; user_id=u-31; z=1"
    ),
    "percent-encoded": BrowserRequest(b"/click/%E8%A8%98%E4%BA%8B-7"),
    "percent-encoded in lower case": BrowserRequest(b"/click/%e8%a8%98%e4%ba%8b-7"),
    "as bytes": BrowserRequest("/click/記事-7".encode()),
    "with marks": BrowserRequest(b"/click/%22a%5Cb%22%20%2525%2B+%26"),
    "in two lines": BrowserRequest(b"/click/a%0Ab"),
    "with an encoded slash": BrowserRequest(b"/click/news%2F7"),
    "with an encoded slash in front": BrowserRequest(b"/click/%2fnews-7"),
    "with dots and an encoded slash": BrowserRequest(b"/click/a%2F..%2Fnews-7"),
    "with a slash": BrowserRequest(b"/click/news/7"),
    "in Shift_JIS": BrowserRequest(b"/click/%83e%83X%83g"),
    "without an id": BrowserRequest(b"/click/"),
    "as an argument": BrowserRequest(b"/click?article=news-7"),
    "POST, as sendBeacon sends": BrowserRequest(b"/click/news-7", method="POST"),
    "HEAD": BrowserRequest(b"/click/news-7", method="HEAD"),
    "OPTIONS": BrowserRequest(b"/click/news-7", method="OPTIONS"),
    "PUT": BrowserRequest(b"/click/news-7", method="PUT"),
    "without a cookie": BrowserRequest(b"/click/news-7", cookie=""),
    "with another cookie": BrowserRequest(b"/click/news-7", cookie="my_user_id=9"),
    "with an empty cookie": BrowserRequest(b"/click/news-7", cookie="user_id="),
    "with a cookie that is percent-encoded": BrowserRequest(b"/click/news-7", cookie="user_id=%E8%AA%AD"),
    "with a cookie of bytes": BrowserRequest(b"/click/news-7", cookie="user_id=読者"),
}


class Recorded(TypedDict):
    version: str
    configuration: str
    lines: dict[str, str | None]
    """Request -> line without its end, bytes that are not UTF-8 as surrogates; None: nothing was logged."""


def recorded() -> dict[str, Recorded]:
    servers: dict[str, Recorded] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return servers


def line(server: str, request: str) -> bytes:
    """A line that was logged."""
    text = recorded()[server]["lines"][request]
    assert text is not None, f"{server} logged nothing: {request}"
    return text.encode("utf-8", "surrogateescape")


def logged(server: str) -> dict[str, Any]:
    """Request -> the line's fields, of those that were logged as text."""
    texts = {name: text for name, text in recorded()[server]["lines"].items() if text is not None}
    return {name: json.loads(text) for name, text in texts.items() if name != "in Shift_JIS"}
