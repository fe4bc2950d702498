"""Clicks in the log of a web server: as the page configures it, and what they must become."""

import json
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "start" / "web_servers.md").read_text(encoding="utf-8")
COLLECTORS = (DOCS / "reference" / "log_collectors.md").read_text(encoding="utf-8")

CLICKED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

EPOCH, MILLISECONDS = "1769850896", "789"
CONTRACT = {
    "click_id": "f3b8c5d0a1e24f6c9b7d8e0f12345678",
    "clicked_at": "2026-01-31T09:14:56.789Z",
    "user_id": "u-31",
    "article_id": "記事-7",
    "platform": "web",
}
"""What the line of `click()` must become."""


def documented_configuration(server: str) -> str:
    """The block of the page, for `nginx` or `apache`."""
    [block] = re.findall(rf"```{server}\n(.*?)```", PAGE, re.DOTALL)
    return str(block)


def click(**changes: Any) -> str:
    line = {**CONTRACT, "clicked_at": f"{EPOCH}.{MILLISECONDS}"}
    return json.dumps({**line, **changes})
