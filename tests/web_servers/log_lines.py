"""A click in the log of a web server, as configured in docs/web_servers.md, and what it must become."""

import json
import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parent.parent.parent / "docs" / "web_servers.md").read_text()

CLICKED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

EPOCH, MILLISECONDS = "1769850896", "789"
CONTRACT = {
    "click_id": "f3b8c5d0a1e24f6c9b7d8e0f12345678",
    "clicked_at": "2026-01-31T09:14:56.789Z",
    "user_id": "u-31",
    "article_id": "記事-7",
    "platform": "web",
}
"""What each of the lines must become."""

_NGINX = {"$request_id": CONTRACT["click_id"], "$msec": f"{EPOCH}.{MILLISECONDS}"}
_APACHE = {
    "%{UNIQUE_ID}e": CONTRACT["click_id"],
    "%{sec}t": EPOCH,
    "%{msec_frac}t": MILLISECONDS,
    "\\\"": '"',
}  # fmt: skip
_BOTH = {
    "$cookie_user_id": CONTRACT["user_id"],
    "%{user_id}C": CONTRACT["user_id"],
    "$arg_article": CONTRACT["article_id"],
    "%{article}e": CONTRACT["article_id"],
}


def nginx_line() -> str:
    [parts] = re.findall(r"log_format click escape=json\n(.*?);\n", PAGE, re.DOTALL)
    return _filled("".join(re.findall(r"'([^']*)'", parts)), {**_NGINX, **_BOTH})


def apache_line() -> str:
    [text] = re.findall(r'LogFormat "(\{.*\})" click\n', PAGE)
    return _filled(text, {**_APACHE, **_BOTH})


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def click(**changes: Any) -> str:
    line = {**CONTRACT, "clicked_at": f"{EPOCH}.{MILLISECONDS}"}
    return json.dumps({**line, **changes})
