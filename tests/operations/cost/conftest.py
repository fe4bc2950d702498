"""One synthesis of `production`, shared by all tests of its cost."""

from pathlib import Path

import pytest

from cloudformation import Resource, read_resources
from operations.cost.estimate import Estimate, estimate
from operations.cost.prices import Prices, load_prices
from settings import Settings, load
from stacks.app import build_app


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("assembly")
    build_app("production", destroy=False, outdir=outdir, jar=outdir / "no.jar").synth()
    return outdir


@pytest.fixture(scope="session")
def resources(assembly: Path) -> tuple[Resource, ...]:
    return read_resources(assembly)


@pytest.fixture(scope="session")
def production() -> Settings:
    return load("production")


@pytest.fixture(scope="session")
def prices() -> Prices:
    return load_prices()


@pytest.fixture(scope="session")
def of_production(assembly: Path, production: Settings) -> Estimate:
    return estimate(assembly, production)
