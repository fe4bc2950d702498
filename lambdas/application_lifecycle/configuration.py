"""The resources' types and properties, under the names that the infrastructure uses too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LIFECYCLE_RESOURCE = "Custom::ApplicationLifecycle"
PAUSE_RESOURCE = "Custom::ApplicationPause"

APPLICATION_NAME = "ApplicationName"
CONFIGURATION = "Configuration"
OPERATORS = "Operators"
STATE_GENERATION = "StateGeneration"
DEPLOYED = "Deployed"


@dataclass(frozen=True, kw_only=True)
class LifecycleConfiguration:
    """asked: what must run, as running_configuration.py has it; pauses: the resource before the application,
    not the one after it."""

    asked: Mapping[str, str]
    pauses: bool

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> "LifecycleConfiguration":
        """event: CloudFormation's request."""
        return cls(
            asked=event["ResourceProperties"][CONFIGURATION],
            pauses=event["ResourceType"] == PAUSE_RESOURCE,
        )
