"""The rendered configurations of an environment, read."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from clients.web_servers.rendering import rendered
from settings import load
from tests.clients.web_servers.fluentd_syntax import FluentdSection, read


@pytest.fixture(scope="module", autouse=True)
def in_tokyo() -> Iterator[None]:
    """As the servers may be: a configuration that uses local time must show it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="session")
def production() -> dict[str, str]:
    return rendered(load("production"))


@pytest.fixture(scope="session")
def fluentd(production: dict[str, str]) -> FluentdSection:
    return read(production["fluentd.conf"])


@pytest.fixture(scope="session")
def fluent_bit(production: dict[str, str]) -> Any:
    return yaml.safe_load(production["fluent-bit.yaml"])
