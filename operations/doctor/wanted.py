"""What a deployment of the environment would make: read from its templates, as synthesis writes them."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from operations.cost.template import TemplateResource, read_resources
from settings import Settings
from stacks.app import synthesise


@dataclass(frozen=True, kw_only=True)
class WantedResources:
    """bootstrap_version: the least that the stacks need of the CDK's bootstrap."""

    settings: Settings
    resources: tuple[TemplateResource, ...]
    bootstrap_version: int

    @property
    def regions(self) -> tuple[str, str]:
        return self.settings.regions.tokyo, self.settings.regions.oregon

    def of_type(self, resource_type: str, region: str | None = None) -> Iterator[TemplateResource]:
        return (
            resource
            for resource in self.resources
            if resource.type == resource_type and region in (None, resource.region)
        )


def read_assembly(assembly: Path, settings: Settings) -> WantedResources:
    """Raises AssemblyError."""
    resources = read_resources(assembly)
    artifacts = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    needed = [
        int(artifact["properties"].get("requiresBootstrapStackVersion", 0))
        for artifact in artifacts.values()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
    return WantedResources(settings=settings, resources=resources, bootstrap_version=max(needed))


def wanted(settings: Settings) -> WantedResources:
    """Synthesises the environment into a folder that is removed again."""
    with tempfile.TemporaryDirectory(prefix="click-trends-doctor-") as folder:
        return read_assembly(synthesise(settings.environment, Path(folder)), settings)
