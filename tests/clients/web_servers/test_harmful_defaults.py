"""No default that is known to lose, destroy or invent clicks is left in the rendered files."""

from typing import Any

from tests.clients.web_servers.fluentd_syntax import FluentdSection
from tests.clients.web_servers.harmful_defaults import fluent_bit_faults, fluentd_faults


def test_fluentd_keeps_no_harmful_default(fluentd: FluentdSection) -> None:
    assert fluentd_faults(fluentd.settings()) == []


def test_fluent_bit_keeps_no_harmful_default(fluent_bit: Any) -> None:
    assert fluent_bit_faults(fluent_bit) == []
