"""Templates of `production` with every optional setting, for the roles and statements that only such make."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from names import OREGON, TOKYO
from operations.permissions.deciding import Role
from settings import Settings, load

PRODUCTION = "production"
ACCOUNT = "111111111111"
TOPIC_NAME = "alarms"
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "alarms": {
        "tokyo_topic_arn": f"arn:aws:sns:{TOKYO}:{ACCOUNT}:{TOPIC_NAME}",
        "oregon_topic_arn": f"arn:aws:sns:{OREGON}:{ACCOUNT}:{TOPIC_NAME}",
        "runbook_url": "https://example.com/runbook",
        "mobile_quiet_minutes": 10,
        "source_quiet_minutes": 10,
    },
    "analytics": {"drop_repeated_click_ids_hours": 1},
    "delivery": {"direct_put_mib_per_second": 5},
    "deployment": {"permissions_boundary": "limits"},
    "forwarder": {"concurrent_executions": 1_000},
    "mobile_apps": {"issuer": "https://example.com", "client_ids": ["app"], "guest_access": True},
    "search": {"retention_days": 90},
    "streams": {"mode": "provisioned", "mobile_shards": 4, "source_shards": 4},
}
"""By section. Without mobile_apps.issuer_provider_arn, which excludes issuer and makes less."""


def with_every_option() -> Settings:
    values = load(PRODUCTION).model_dump()
    for section, options in OPTIONS.items():
        values[section] |= options
    return Settings.model_validate({**values, "allow_destroy": True})


def added(roles: Mapping[str, Role], of_production: Mapping[str, Role]) -> dict[str, Role]:
    """Roles with every option, each with the statements alone that `production` does not have."""
    found = {}
    for name, role in roles.items():
        known = of_production[name].statements if name in of_production else ()
        if new := tuple(each for each in role.statements if each not in known):
            found[name] = replace(role, statements=new)
    return found
