"""What a deployment of the environment would make: read from its templates, as synthesis writes them."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cloudformation import Resource, read_resources, read_stacks
from settings import Settings
from stacks.app import synthesise


@dataclass(frozen=True, kw_only=True)
class WantedResources:
    """bootstrap_version: the least that the stacks need of the CDK's bootstrap."""

    settings: Settings
    resources: tuple[Resource, ...]
    bootstrap_version: int

    @property
    def regions(self) -> tuple[str, str]:
        return self.settings.regions.tokyo, self.settings.regions.oregon

    def of_type(self, resource_type: str, region: str | None = None) -> Iterator[Resource]:
        return (
            resource
            for resource in self.resources
            if resource.type == resource_type and region in (None, resource.region)
        )


def read_assembly(assembly: Path, settings: Settings) -> WantedResources:
    """Raises AssemblyError."""
    return WantedResources(
        settings=settings,
        resources=read_resources(assembly),
        bootstrap_version=max(
            int(stack.artifact.get("requiresBootstrapStackVersion", 0)) for stack in read_stacks(assembly)
        ),
    )


def wanted(settings: Settings) -> WantedResources:
    """Synthesises the environment into a folder that is removed again."""
    with tempfile.TemporaryDirectory(prefix="click-trends-doctor-") as folder:
        return read_assembly(synthesise(settings.environment, Path(folder)), settings)
