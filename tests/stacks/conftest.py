"""One synthesis of `production`, shared: it takes seconds, most of them in cdk-nag."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from stacks.app import build_app
from stacks.monitoring.alarm import AlarmDefinition, built_alarms
from tests.stacks.dashboard_bodies import REGIONS, Body, properties_of, text

Template = dict[str, Any]


@pytest.fixture(scope="session")
def no_jar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where no jar is: templates must not depend on whether this machine has built one."""
    return tmp_path_factory.mktemp("jar") / "analytics-aws.jar"


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, no_jar: Path) -> App:
    """Of `production`."""
    return build_app("production", destroy=False, outdir=tmp_path_factory.mktemp("assembly"), jar=no_jar)


@pytest.fixture(scope="session")
def assembly(app: App) -> Path:
    """The cloud assembly of `production`; having it means that cdk-nag found nothing."""
    return Path(app.synth().directory)


@pytest.fixture(scope="session")
def definitions(app: App) -> dict[str, AlarmDefinition]:
    """Of the alarms of `production`, by the alarm's name."""
    return {built.definition.name: built.definition for built in built_alarms(app)}


@pytest.fixture(scope="session")
def templates(assembly: Path) -> dict[str, Template]:
    """Templates of `production`, by the last part of their stack's name."""
    return {
        file.name.removesuffix(".template.json").rsplit("-", 1)[-1]: json.loads(file.read_text())
        for file in assembly.glob("*.template.json")
    }


@pytest.fixture(scope="session")
def resources(templates: dict[str, Template]) -> Callable[[str], list[dict[str, Any]]]:
    """Properties of every resource of a type, over all stacks."""

    def of_type(resource_type: str) -> list[dict[str, Any]]:
        return [
            resource["Properties"]
            for template in templates.values()
            for resource in template["Resources"].values()
            if resource["Type"] == resource_type
        ]

    return of_type


@pytest.fixture(scope="session")
def bodies(templates: dict[str, Any]) -> dict[str, Body]:
    """Of the dashboards, by the place whose stacks have them."""
    found = {}
    for place in REGIONS:
        [dashboard] = properties_of(templates, place, "AWS::CloudWatch::Dashboard")
        found[place] = json.loads(text(dashboard["DashboardBody"]))
    return found
