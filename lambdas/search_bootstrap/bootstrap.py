"""Puts definitions into the search domain, waiting for it until a deadline, and gives readers their alias."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lambdas.search_bootstrap.definitions import POLICIES, TEMPLATES, Definition
from lambdas.search_bootstrap.domain import REQUEST_TIMEOUT_SECONDS, BootstrapError, Send
from lambdas.shared.custom_resource import CONNECTION_ERRORS
from names import counts_alias, delivery_index

PAUSE_SECONDS = 3.0
CONFLICT = 409
ABSENT = 404
INDICES_A_REQUEST = 50
"""Named in a path: OpenSearch takes a request line of 4,096 bytes."""
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
        for each in wanted:
            if each.body is None:
                self._remove(each.path, deadline)
                continue
            definition = self._with_present_patterns(each, deadline) if each.serves else each
            status, answered = self._put(definition, deadline)
            if status >= 300:
                raise BootstrapError(f"the search domain refused {definition.path} with {status}: {answered}")
            log.info("put %s", definition.path)

    def serve(self, family: str, deadline: float) -> None:
        """Give the alias to indices of days that no index serves: a release without an alias left them.

        Only of the generation that serves, so a correction loses nothing and shows nothing early. Later
        indices have the alias from their template. Raises BootstrapError.
        """
        alias = counts_alias(family)
        [template] = self._read(f"{TEMPLATES}{family}", deadline)["index_templates"]
        [pattern] = template["index_template"]["index_patterns"]
        served = {_day(index) for index in self._read(f"/_alias/{alias}", deadline)}
        unserved = sorted(
            index
            for index in self._read(f"/{pattern}/_alias", deadline)
            if _day(index) not in {*served, _day(delivery_index(family))}
        )
        for first in range(0, len(unserved), INDICES_A_REQUEST):
            path = f"/{','.join(unserved[first : first + INDICES_A_REQUEST])}/_alias/{alias}"
            status, answered = self._until_answered("PUT", path, None, deadline)
            if status >= 300:
                raise BootstrapError(f"the search domain refused {path} with {status}: {answered}")
            log.info("put %s", path)

    def _read(self, path: str, deadline: float) -> dict[str, Any]:
        """{} for what is not there. Raises BootstrapError."""
        status, found = self._until_answered("GET", path, None, deadline)
        if status == ABSENT:
            return {}
        if status >= 300:
            raise BootstrapError(f"the search domain answered GET {path} with {status}: {found}")
        return found

    def _with_present_patterns(self, definition: Definition, deadline: float) -> Definition:
        """The template with the patterns that it has in the domain, if any: a correction changes them, and a
        deployment takes nothing back. A release without an alias served the first generation."""
        found = self._read(definition.path, deadline).get("index_templates")
        if not found:
            return definition
        present = found[0]["index_template"]["index_patterns"]
        return replace(definition, body={**(definition.body or {}), "index_patterns": present})

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


def _day(index: str) -> str:
    """The part of its name by which the indices of two generations are of the same day."""
    return index.partition(".")[2]
