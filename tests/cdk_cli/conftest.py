"""The pinned CDK command line against the emulated AWS, as an operator uses it against AWS."""

import hashlib
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from analytics_sql.operators import Record, write_record
from names import OREGON, TOKYO, TWIN_ACCOUNT, Names
from settings import load
from stacks import app as stacks_app
from stacks.analytics import package
from twin.emulator import Emulator

PROJECT = Path(__file__).parents[2]
ENVIRONMENT = "trial"
COMMAND_TIMEOUT_SECONDS = 120
SETTINGS = f"""
environment = "{ENVIRONMENT}"
account = "{TWIN_ACCOUNT}"
allow_destroy = %(allow_destroy)s
log_retention_days = 1
lambda_processor = "host"
[analytics]
publish_every_seconds = %(publish_every_seconds)d
state_generation = %(state_generation)d
[search]
instance_type = "t3.small.search"
instance_count = 1
availability_zones = 1
volume_gib = 10
scheme = "http"
[forwarder]
parallelization_factor = 1
memory_mib = 1024
[streams]
mode = "provisioned"
mobile_shards = 1
source_shards = 2
"""


def _digest(operators: Record | None) -> str:
    return hashlib.sha256(json.dumps(operators, sort_keys=True).encode()).hexdigest()[:8]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/cdk_cli" in str(item.path):
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class Outcome:
    """A command's result: whether it succeeded, and its output."""

    succeeded: bool
    text: str

    def check(self) -> None:
        assert self.succeeded, self.text


class Account:
    """An emulated account with both regions bootstrapped, the command line, and its resources."""

    def __init__(self, emulator: Emulator, home: Path) -> None:
        self.emulator = emulator
        self.names = Names(environment=ENVIRONMENT, account=TWIN_ACCOUNT)
        self.home = home
        self.applications = emulator.client("kinesisanalyticsv2", OREGON)

    def cdk(self, *arguments: str) -> Outcome:
        """Run the command line from the project's folder."""
        environment = {
            **self.emulator.client_environment(),
            "PATH": f"{PROJECT}/.venv/bin{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "CDK_HOME": str(self.home / "cdk"),  # otherwise the account's number would go to the user's cache
            "AWS_REGION": OREGON,
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "1",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        }
        ended = subprocess.run(
            [str(PROJECT / "node_modules/.bin/cdk"), *arguments, "--no-notices", "--no-color"],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=False,
        )
        return Outcome(ended.returncode == 0, ended.stdout + ended.stderr)

    def assembly(
        self,
        *,
        publish_every_seconds: int = 1,
        state_generation: int = 0,
        allow_destroy: bool = False,
        destroy: bool = False,
        operators: Record | None = None,
    ) -> str:
        """Synthesise with these settings, once. Returns the folder, for `--app`.

        operators: replaces analytics_sql/operators.json, as in another version of the SQL.
        """
        keys = f"{int(allow_destroy)}{int(destroy)}"
        folder = (
            self.home / f"assembly-{publish_every_seconds}-{state_generation}-{keys}-{_digest(operators)}"
        )
        if folder.exists():
            return str(folder / "cdk.out")
        folder.mkdir()
        (folder / f"{ENVIRONMENT}.toml").write_text(
            SETTINGS
            % {
                "publish_every_seconds": publish_every_seconds,
                "state_generation": state_generation,
                "allow_destroy": str(allow_destroy).lower(),
            }
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stacks_app, "load", lambda environment: load(environment, folder))
            if operators is not None:
                sql = shutil.copytree(package.SOURCES, folder / "analytics_sql")
                write_record(operators, sql)
                patch.setattr(package, "SOURCES", sql)
            stacks_app.build_app(ENVIRONMENT, destroy=destroy, outdir=folder / "cdk.out").synth()
        return str(folder / "cdk.out")

    def deploy(self, assembly: str, *which: str) -> Outcome:
        """which: stacks and options; by default all stacks."""
        return self.cdk("deploy", "--app", assembly, "--require-approval", "never", *(which or ("--all",)))

    def destroy(self, assembly: str, *which: str) -> Outcome:
        return self.cdk("destroy", "--app", assembly, "--force", *(which or ("--all",)))

    def status(self, stack: str, region: str = OREGON) -> str | None:
        """Of the stack whose name ends like this; None without one."""
        cloudformation = self.emulator.client("cloudformation", region)
        try:
            [found] = cloudformation.describe_stacks(StackName=self.names.stack(stack))["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return None
        return str(found["StackStatus"])

    def application(self) -> dict[str, Any]:
        """Its description. Raises ClientError without one."""
        detail = self.applications.describe_application(ApplicationName=self.names.application)
        found: dict[str, Any] = detail["ApplicationDetail"]
        return found

    def publish_interval_ms(self) -> int:
        flink = self.application()["ApplicationConfigurationDescription"][
            "FlinkApplicationConfigurationDescription"
        ]
        return int(flink["CheckpointConfigurationDescription"]["CheckpointInterval"])

    def let_fail(self, **faults: str) -> None:
        """See twin/managed_flink.py."""
        request = urllib.request.Request(
            f"{self.emulator.endpoint}/_twin/applications/{OREGON}/{self.names.application}/faults",
            data=json.dumps(faults).encode(),
        )
        urllib.request.urlopen(request, timeout=10).close()

    def data(self) -> set[str]:
        """The names of buckets, streams and domain."""
        buckets = self.emulator.client("s3", OREGON).list_buckets()["Buckets"]
        streams = [
            name
            for region in (OREGON, TOKYO)
            for name in self.emulator.client("kinesis", region).list_streams()["StreamNames"]
        ]
        domains = self.emulator.client("opensearch", OREGON).list_domain_names()["DomainNames"]
        names = {
            *(bucket["Name"] for bucket in buckets),
            *streams,
            *(domain["DomainName"] for domain in domains),
        }
        return {name for name in names if name.startswith(self.names.prefix)}

    def everything(self) -> set[str]:
        """What `data()` must show once everything is deployed."""
        names = self.names
        return {
            names.source_stream,
            names.mobile_stream,
            names.raw_bucket,
            names.segments_bucket,
            names.rejected_bucket,
            names.query_results_bucket,
            names.dead_letter_bucket,
            names.search_domain,
        }


@pytest.fixture(scope="module")
def account(opensearch: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An emulated account whose regions the command line has bootstrapped."""
    home = tmp_path_factory.mktemp("cdk-home")
    emulator = Emulator(opensearch_endpoint=opensearch, log=home / "ministack.log", minutes_ahead=True)
    try:
        emulator.wait_until_ready()
        account = Account(emulator, home)
        regions = (f"aws://{TWIN_ACCOUNT}/{region}" for region in (OREGON, TOKYO))
        # The project's cdk.out may be locked by a synthesis during the tests.
        account.cdk("bootstrap", "--output", str(home / "cdk.out"), *regions).check()
        yield account
    finally:
        emulator.stop()
