"""The policies of `production`, read as if they were the twin's, and the recorded calls."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from aws_cdk import App

from cloudformation import Stack, read_stacks
from operations.permissions.deciding import ResourcePolicy, Role, resource_policies_of, roles_of
from operations.permissions.options import PRODUCTION, added, with_every_option
from operations.permissions.record import RecordedCall, read_record
from stacks.app import build_app
from tests.stacks.permissions.made_at import places_that_make_permissions


@pytest.fixture(scope="session")
def stacks(assembly: Path) -> tuple[Stack, ...]:
    return read_stacks(assembly)


@pytest.fixture(scope="session")
def roles(stacks: tuple[Stack, ...]) -> Mapping[str, Role]:
    return roles_of(stacks, PRODUCTION)


@pytest.fixture(scope="session")
def app_with_options(tmp_path_factory: pytest.TempPathFactory, no_jar: Path) -> tuple[App, set[str]]:
    """Of `production` with every optional setting, and the places in our code that made its permissions."""
    with places_that_make_permissions() as places:
        app = build_app(
            settings=with_every_option(), destroy=True, outdir=tmp_path_factory.mktemp("options"), jar=no_jar
        )
    return app, places


@pytest.fixture(scope="session")
def stacks_with_options(app_with_options: tuple[App, set[str]]) -> tuple[Stack, ...]:
    return read_stacks(Path(app_with_options[0].synth(skip_validation=True).directory))


@pytest.fixture(scope="session")
def roles_with_options(stacks_with_options: tuple[Stack, ...]) -> Mapping[str, Role]:
    return roles_of(stacks_with_options, PRODUCTION)


@pytest.fixture(scope="session")
def every_role(roles: Mapping[str, Role], roles_with_options: Mapping[str, Role]) -> Mapping[str, Role]:
    """Those of `production`, with what only a setting makes behind it."""
    options = added(roles_with_options, roles)
    together = {
        name: replace(role, statements=role.statements + options[name].statements)
        if name in options
        else role
        for name, role in roles.items()
    }
    return dict(sorted({**options, **together}.items()))


@pytest.fixture(scope="session")
def policies(stacks: tuple[Stack, ...]) -> Mapping[str, ResourcePolicy]:
    return resource_policies_of(stacks, PRODUCTION)


@pytest.fixture(scope="session")
def record() -> list[RecordedCall]:
    return read_record()
