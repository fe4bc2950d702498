"""Clients of AWS that give up soon: a check that hangs says nothing."""

import threading
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


class Aws:
    """Clients by service and region, with the session's credentials. Threads may share it."""

    def __init__(self, session: boto3.Session | None = None) -> None:
        self._given = session
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()  # a session makes one client at a time

    @cached_property
    def _session(self) -> boto3.Session:
        """Made when it is first needed: an AWS_PROFILE that does not exist is a finding of a check."""
        return self._given or boto3.Session()

    def client(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._clients:
                made: Any = self._session.client(service, region_name=region, config=_CONFIG)  # type: ignore[call-overload]
                self._clients[service, region] = made
            return self._clients[service, region]

    def listed(self, service: str, region: str, operation: str, field: str) -> list[Any]:
        """All pages of an operation for which the SDK has no paginator."""
        found: list[Any] = []
        token: dict[str, str] = {}
        while True:
            answer = getattr(self.client(service, region), operation)(**token)
            found += answer[field]
            if not answer.get("NextToken"):
                return found
            token = {"NextToken": answer["NextToken"]}

    def offers(self, service: str, region: str) -> bool:
        """Whether the service has an endpoint there, as far as the installed SDK knows; asks nobody."""
        return region in self._session.get_available_regions(service)
