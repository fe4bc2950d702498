"""Faults of OpenSearch, on a server that a test makes up."""

from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from twin.drills import search_faults
from twin.drills.faults import FAULTS


def test_a_fault_of_the_indices_waits_for_the_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def answer(_: object, method: str, path: str, body: Any = None) -> Any:
        asked.append((method, path.partition("/")[0]))
        if method == "GET" and len(asked) == 1:
            raise HTTPError("", 404, "no such alias", None, None)  # type: ignore[arg-type]
        return {"click-counts.2026.01.31": {}, "body": body}

    monkeypatch.setattr("twin.drills.search_faults._ask", answer)
    run: Any = SimpleNamespace(twin=None)
    FAULTS["opensearch-read-only"].cause(run)
    assert asked == [("GET", "_alias"), ("GET", "_alias"), ("PUT", "click-counts")]


def test_a_disk_that_grew_while_opensearch_was_away_is_free_once_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search_faults, "VOLUME_POLL_SECONDS", 0.0)
    monkeypatch.setattr(search_faults, "_volume_gib", lambda _: 20)
    answers = iter([URLError("refused"), None])
    freed: list[int] = []

    def set_watermarks(_: Any, free_bytes: int) -> None:
        if (error := next(answers)) is not None:
            raise error
        freed.append(free_bytes)

    monkeypatch.setattr(search_faults, "_set_watermarks", set_watermarks)
    twin: Any = SimpleNamespace()
    search_faults._until_it_grows(twin, before=10)
    assert freed == [1]
