"""Puts definitions into the search domain, waiting for it until a deadline."""

import logging
import time
from collections.abc import Callable
from typing import Any

from lambdas.search_bootstrap.definitions import POLICIES, Definition
from lambdas.search_bootstrap.domain import REQUEST_TIMEOUT_SECONDS, BootstrapError, Send
from lambdas.shared.custom_resource import CONNECTION_ERRORS

PAUSE_SECONDS = 3.0
CONFLICT = 409
RETRYABLE_STATUSES = {403, 429, 500, 502, 503, 504}
"""A new domain or role is not known everywhere at once (403), and a new domain may not be up yet."""

log = logging.getLogger()


class Bootstrap:
    """Deadlines are values of `clock`."""

    def __init__(
        self,
        send: Send,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._sleep = sleep
        self._clock = clock

    def put(self, wanted: list[Definition], deadline: float) -> None:
        """Put each definition, waiting for the domain until the deadline. Raises BootstrapError."""
        for definition in wanted:
            if definition.body is None:
                self._remove(definition.path, deadline)
                continue
            status, answered = self._put(definition, deadline)
            if status >= 300:
                raise BootstrapError(f"the search domain refused {definition.path} with {status}: {answered}")
            log.info("put %s", definition.path)

    def _remove(self, path: str, deadline: float) -> None:
        """Raises BootstrapError. A domain without index state management, like the twin's, answers 400."""
        status, answered = self._until_answered("GET", path, None, deadline)
        if status in {404, 400}:
            return
        if status < 300:
            status, answered = self._until_answered("DELETE", path, None, deadline)
        if status >= 300 and status != 404:
            raise BootstrapError(f"the search domain refused to delete {path} with {status}: {answered}")
        log.info("deleted %s", path)

    def _put(self, definition: Definition, deadline: float) -> tuple[int, dict[str, Any]]:
        if not definition.path.startswith(POLICIES):
            return self._until_answered("PUT", definition.path, definition.body, deadline)
        while True:
            path = definition.path + self._version_of_policy(definition.path, deadline)
            status, answered = self._until_answered("PUT", path, definition.body, deadline)
            # The version is out of date if an earlier request of this loop succeeded but its answer was lost.
            if status != CONFLICT or not self._has_time(deadline):
                return status, answered
            self._sleep(PAUSE_SECONDS)

    def _version_of_policy(self, path: str, deadline: float) -> str:
        """The query string that index state management requires for replacing a policy."""
        status, found = self._until_answered("GET", path, None, deadline)
        if status == 404:
            return ""
        if status >= 300 or not {"_seq_no", "_primary_term"} <= found.keys():
            raise BootstrapError(f"the search domain answered GET {path} with {status}: {found}")
        return f"?if_seq_no={found['_seq_no']}&if_primary_term={found['_primary_term']}"

    def _until_answered(
        self, method: str, path: str, body: dict[str, Any] | None, deadline: float
    ) -> tuple[int, dict[str, Any]]:
        while True:
            try:
                status, answered = self._send(method, path, body)
                if status not in RETRYABLE_STATUSES:
                    return status, answered
                seen = f"{status} {answered}"
            except CONNECTION_ERRORS as error:
                seen = str(error)
            if not self._has_time(deadline):
                raise BootstrapError(
                    f"the search domain did not take {path} in time; the last answer was: {seen}"
                )
            log.info("waiting for the search domain: %s", seen)
            self._sleep(PAUSE_SECONDS)

    def _has_time(self, deadline: float) -> bool:
        """Whether a pause and one more request fit."""
        return self._clock() + PAUSE_SECONDS + REQUEST_TIMEOUT_SECONDS <= deadline
