"""GitHub's REST API as far as the workflows need it, with retries and errors that say what to do."""

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

API_VERSION = "2022-11-28"
BOT = "github-actions[bot]"
"""Who writes with a workflow's own token."""
MAX_BODY_CHARACTERS = 65_536
"""Of a comment or an issue, by the API's own error, https://github.com/danger/danger/issues/424. Others
measured 262,144 bytes, https://github.com/dead-claudia/github-limits/pull/13: so many fit into that too."""
PAGE_SIZE = 100
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 2.0
MAX_PAUSE_SECONDS = 60.0
TIMEOUT_SECONDS = 30
RETRYABLE = {429, 500, 502, 503, 504}


class GitHubError(Exception):
    """GitHub refused a request, or could not be reached; the text says which, why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """api: base address without a slash at its end; repository: owner/name; pause: called with seconds."""

    api: str
    repository: str
    token: str
    pause: Callable[[float], None] = time.sleep

    def get(self, path: str, **query: str) -> Any:
        return self._request("GET", path, query=query)

    def every(self, path: str, **query: str) -> Iterator[Any]:
        """Each element of a list, whatever number of pages it has."""
        page = 1
        while True:
            elements = self.get(path, **query, per_page=str(PAGE_SIZE), page=str(page))
            yield from elements
            if len(elements) < PAGE_SIZE:
                return
            page += 1

    def post(self, path: str, *, made: Callable[[], Any] | None = None, **values: str) -> Any:
        """made: looks whether it is there already, and returns it or None. It is asked before each retry: the
        attempt before may have been carried out, and only its answer lost."""
        return self._request("POST", path, values=values, made=made)

    def patch(self, path: str, **values: str) -> Any:
        return self._request("PATCH", path, values=values)

    def delete(self, path: str) -> None:
        """What is not there any more counts as deleted."""
        self._request("DELETE", path)

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        values: dict[str, str] | None = None,
        made: Callable[[], Any] | None = None,
    ) -> Any:
        address = f"{self.api}/repos/{self.repository}/{path}"
        if query:
            address += "?" + urllib.parse.urlencode(query)
        request = urllib.request.Request(
            address,
            method=method,
            data=None if values is None else json.dumps(values).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": API_VERSION,
            },
        )
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                if (method, error.code) == ("DELETE", 404):
                    return None
                reason = _reason(error)
                wait = _wait(error, attempt)
                if wait is None or attempt == ATTEMPTS:
                    raise GitHubError(f"{method} {path}: {error.code} {reason}{_advice(error)}") from error
            except (OSError, http.client.HTTPException, ValueError) as error:  # nothing, a part, or no JSON
                if attempt == ATTEMPTS:
                    raise GitHubError(
                        f"{method} {path}: {self.api} does not answer as GitHub does: {error}"
                    ) from error
                wait = _pause(attempt)
            self.pause(wait)
            if made is not None and (found := made()) is not None:
                return found
        raise AssertionError("unreachable: the last attempt returns or raises")


def is_ours(written: Mapping[str, Any], marker: str) -> bool:
    """Whether a comment or an issue is one that a workflow wrote, with this as its first line. The author is
    null where the user was deleted, the text where there is none."""
    return (written["user"] or {}).get("login") == BOT and (written["body"] or "").startswith(marker)


def of_workflow() -> GitHub:
    """As the environment of a workflow describes it; the token in GITHUB_TOKEN."""
    return GitHub(
        api=os.environ["GITHUB_API_URL"],
        repository=os.environ["GITHUB_REPOSITORY"],
        token=os.environ["GITHUB_TOKEN"],
    )


def _wait(error: urllib.error.HTTPError, attempt: int) -> float | None:
    """Seconds until the next attempt; None if the answer will not change. A 403 is retryable only where it is
    a rate limit."""
    asked: str | None = error.headers.get("Retry-After")
    if error.code not in RETRYABLE and not (error.code == 403 and _is_rate_limit(error)):
        return None
    if asked and asked.isdigit():
        return min(float(asked), MAX_PAUSE_SECONDS)
    return MAX_PAUSE_SECONDS if _is_rate_limit(error) else _pause(attempt)


def _is_rate_limit(error: urllib.error.HTTPError) -> bool:
    """A secondary limit says when to come back, the primary one only that nothing remains of the hour,
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api."""
    headers = error.headers
    return "Retry-After" in headers or headers.get("x-ratelimit-remaining") == "0"


def _pause(attempt: int) -> float:
    return FIRST_PAUSE_SECONDS * float(2 ** (attempt - 1))


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        answer = json.loads(error.read())
        return " ".join([answer["message"], *(json.dumps(part) for part in answer.get("errors", []))])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _advice(error: urllib.error.HTTPError) -> str:
    if error.code in (403, 429) and _is_rate_limit(error):
        return ". The token's rate limit is used up: run the job again in an hour."
    return {
        401: ". The token in GITHUB_TOKEN is not valid (any more).",
        403: ". The job's `permissions:` do not allow this, or the repository's settings forbid it "
        "(Actions, General, Workflow permissions): docs/operate/ci.md.",
        404: ". It does not exist, or the token may not see it: docs/operate/ci.md.",
    }.get(error.code, "")
