"""An account in the twin's emulated AWS as the doctor sees it. What the emulator lacks is answered here, and
only that: a call that is not named below reaches the emulator."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from names import OREGON, TOKYO, TWIN_ACCOUNT
from operations.doctor.account import BOOTSTRAP_PARAMETER
from operations.doctor.aws import Aws
from operations.doctor.check import CheckResult, Verdict, run
from operations.doctor.command import account_checks, examine
from operations.doctor.wanted import WantedResources, read_assembly
from settings import Settings, load
from stacks import app as stacks_app
from twin.emulator import Emulator

ENVIRONMENT = "patient"
SETTINGS = f"""
environment = "{ENVIRONMENT}"
account = "{TWIN_ACCOUNT}"
[search]
instance_type = "m7g.large.search"
"""

Answers = Mapping[str, Mapping[str, Any]]

LIMITS = {
    "InstanceLimits": {"InstanceCountLimits": {"MinimumInstanceCount": 1, "MaximumInstanceCount": 80}},
    "StorageTypes": [
        {
            "StorageTypeName": "ebs",
            "StorageSubTypeName": "gp3",
            "StorageTypeLimits": [
                {"LimitName": "MinimumVolumeSize", "LimitValues": ["10"]},
                {"LimitName": "MaximumVolumeSize", "LimitValues": ["1024"]},
            ],
        }
    ],
}

NOT_IN_THE_EMULATOR: Answers = {
    "kinesis.DescribeLimits": {
        "ShardLimit": 1_000,
        "OpenShardCount": 10,
        "OnDemandStreamCount": 2,
        "OnDemandStreamCountLimit": 50,
    },
    "service-quotas.GetServiceQuota": {"Quota": {"Value": 100.0}},
    "lambda.GetAccountSettings": {  # the emulator's is of this machine's memory
        "AccountLimit": {"ConcurrentExecutions": 1_000, "UnreservedConcurrentExecutions": 1_000}
    },
    "kinesisanalyticsv2.ListApplications": {"ApplicationSummaries": []},
    "opensearch.ListVersions": {"Versions": ["OpenSearch_3.7", "OpenSearch_3.5"]},
    "opensearch.ListInstanceTypeDetails": {
        "InstanceTypeDetails": [
            {
                "InstanceType": "m7g.large.search",
                "AvailabilityZones": ["us-west-2a", "us-west-2b", "us-west-2c"],
            }
        ]
    },
    "opensearch.DescribeInstanceTypeLimits": {"LimitsByRole": {"data": LIMITS}},
}
"""Service and operation -> what a healthy account answers."""


class AnsweringAws(Aws):
    """The emulator's, with answers of the given operations, each checked against the service's model."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator.root_session(OREGON))
        self.answers: dict[str, Mapping[str, Any]] = {}

    def client(self, service: str, region: str) -> Any:
        client = super().client(service, region)
        client.meta.events.register("before-call", self._answered, unique_id="answered")
        return client

    def _answered(self, model: OperationModel, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        answer = self.answers.get(f"{model.service_model.service_name}.{model.name}")
        if answer is None:
            return None
        status = 200
        if "Error" in answer:
            status = 403 if answer["Error"]["Code"] == "403" else 400
        else:
            assert model.output_shape
            errors = ParamValidator().validate(dict(answer), model.output_shape)
            assert not errors.has_errors(), errors.generate_report()
        return SimpleNamespace(status_code=status), {"ResponseMetadata": {"HTTPStatusCode": status}, **answer}


@dataclass
class Patient:
    """The account, and what the doctor says of it."""

    emulator: Emulator
    settings: Settings
    wanted: WantedResources
    aws: AnsweringAws

    @property
    def answers(self) -> dict[str, Mapping[str, Any]]:
        return self.aws.answers

    def findings(self, settings: Settings | None = None, *, only: str | None = None) -> list[CheckResult]:
        """settings: in place of the environment's, for what is compared with them; only: the checks of this
        name."""
        looked_at = settings or self.settings
        wanted = WantedResources(
            settings=looked_at,
            resources=self.wanted.resources,
            bootstrap_version=self.wanted.bootstrap_version,
        )
        if only:
            return run([check for check in account_checks(wanted, self.aws) if check.name == only])
        return examine(looked_at, self.aws, wanted)

    def not_ok(
        self, settings: Settings | None = None, *, only: str | None = None
    ) -> dict[tuple[str, str], CheckResult]:
        """(where, check) -> finding."""
        return {
            (finding.where, finding.check): finding
            for finding in self.findings(settings, only=only)
            if finding.diagnosis.verdict is not Verdict.OK
        }

    def bootstrap(self, region: str, version: int) -> None:
        self.emulator.client("ssm", region).put_parameter(
            Name=BOOTSTRAP_PARAMETER, Value=str(version), Type="String", Overwrite=True
        )


@pytest.fixture(scope="session")
def patient_assembly(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings]:
    folder = tmp_path_factory.mktemp("patient")
    (folder / f"{ENVIRONMENT}.toml").write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacks_app, "load", lambda environment: load(environment, folder))
        stacks_app.build_app(ENVIRONMENT, outdir=folder / "cdk.out", jar=folder / "none.jar").synth()
    return folder / "cdk.out", load(ENVIRONMENT, folder)


@pytest.fixture(scope="session")
def answering_aws(emulator: Emulator) -> AnsweringAws:
    """One for all tests: its clients take seconds to make."""
    return AnsweringAws(emulator)


@pytest.fixture
def patient(
    emulator: Emulator,
    patient_assembly: tuple[Path, Settings],
    answering_aws: AnsweringAws,
    monkeypatch: pytest.MonkeyPatch,
) -> Patient:
    """A healthy account; what else a test makes in it is removed by `put`."""
    assembly, settings = patient_assembly
    for key, value in emulator.client_environment().items():
        monkeypatch.setenv(key, value)
    answering_aws.answers = dict(NOT_IN_THE_EMULATOR)
    patient = Patient(emulator, settings, read_assembly(assembly, settings), answering_aws)
    for region in (TOKYO, OREGON):
        patient.bootstrap(region, 30)
    return patient


Put = Callable[[Callable[..., Any], dict[str, Any], Callable[..., Any], dict[str, Any]], None]


@pytest.fixture
def put() -> Iterator[Put]:
    """put(make, arguments, remove, arguments): makes something, and removes it after the test."""
    removals: list[tuple[Callable[..., Any], dict[str, Any]]] = []

    def make(
        make: Callable[..., Any], given: dict[str, Any], remove: Callable[..., Any], removed: dict[str, Any]
    ) -> None:
        make(**given)
        removals.append((remove, removed))

    yield make
    for remove, arguments in reversed(removals):
        remove(**arguments)
