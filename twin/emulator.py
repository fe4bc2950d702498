"""Starts the emulated AWS and creates boto3 clients for it: both regions, one account, IAM enforced."""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from twin.alarms.clock import WALL_CLOCK, AlarmClock
from twin.permission_calls import CALLS_FILE, TEST_FILE
from twin.processes import ChildProcess, free_port
from twin.working_folders import remove, removed_on_failure, working_folder

ROOT_KEY = "test"
START_TIMEOUT_SECONDS = 180
_CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=32,
    s3={"addressing_style": "path"},
)
_PROJECT = Path(__file__).parent.parent


class _Models(Loader):
    """Those of the services, read once for all sessions: that takes most of the making of a client."""

    @property
    def search_paths(self) -> list[str]:
        """Without what each session of boto3 would add to it."""
        return list(super().search_paths)


MODELS = _Models()


def session_of(region: str, **credentials: str) -> boto3.Session:
    core = botocore.session.get_session()
    core.register_component("data_loader", MODELS)
    return boto3.Session(botocore_session=core, region_name=region, **credentials)


class Emulator:
    """A started MiniStack; `endpoint` serves the AWS APIs, `search_endpoint` the search domain."""

    def __init__(
        self,
        *,
        opensearch_endpoint: str,
        log: Path,
        runs_flink: bool = False,
        minutes_ahead: bool = False,
        clock: AlarmClock = WALL_CLOCK,
    ) -> None:
        """runs_flink: an application runs when twin/analytics.py runs its job; otherwise without a job.

        minutes_ahead: an application without a job reports the next minute at once, so that deployments need
        not wait for it. clock: of alarms and schedules.
        """
        port, search_port = free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.search_endpoint = f"http://127.0.0.1:{search_port}"
        self.folder = working_folder("emulator")
        """Folder of its state, with keys; only its user can enter it."""
        with removed_on_failure(self.folder):
            self._process = ChildProcess(
                "MiniStack",
                [sys.executable, "-m", "twin.emulator_server"],
                log=log,
                cwd=_PROJECT,
                env={
                    **self.client_environment(),
                    **clock.environment(),
                    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                    "HOME": str(self.folder),
                    "TMPDIR": str(self.folder),
                    "PYTHONPATH": str(_PROJECT),
                    "BIND_HOST": "127.0.0.1",
                    "GATEWAY_PORT": str(port),
                    "AUTH": "true",
                    "IOT_MTLS_ENABLED": "0",
                    "SFTP_ENABLED": "0",
                    "S3_DATA_DIR": str(self.folder / "s3"),
                    "STATE_DIR": str(self.folder / "state"),
                    "LOG_LEVEL": "WARNING",
                    "FLINK_JOBS": "twin" if runs_flink else "none",
                    "JOB_MINUTES": "ahead" if minutes_ahead else "as they pass",
                    "SEARCH_GATEWAY_PORT": str(search_port),
                    "OPENSEARCH_ENDPOINT": opensearch_endpoint,
                    "MINISTACK_OPENSEARCH_ENDPOINT": f"127.0.0.1:{search_port}",
                    CALLS_FILE: os.environ.get(CALLS_FILE, ""),
                    TEST_FILE: os.environ.get(TEST_FILE, ""),
                },
            )

    def client_environment(self) -> dict[str, str]:
        """Environment variables with which any AWS SDK reaches the emulator as the account's root."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        }

    def wait_until_ready(self) -> None:
        self._process.wait_until(self._healthy, timeout_seconds=START_TIMEOUT_SECONDS)

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def client(self, service: str, region: str, config: Config = _CLIENT_CONFIG) -> Any:
        """A boto3 client that acts as the account's root."""
        return self._client(self.root_session(region), service, config)

    def client_as(self, role_arn: str, service: str, region: str, config: Config = _CLIENT_CONFIG) -> Any:
        """A boto3 client with the permissions of a role in the templates, and no others."""
        return self._client(self.session_as(role_arn, region), service, config)

    def _client(self, session: Any, service: str, config: Config) -> Any:
        return session.client(service, endpoint_url=self.endpoint, config=config)

    def root_session(self, region: str) -> boto3.Session:
        return session_of(region, aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_KEY)

    def session_as(self, role_arn: str, region: str) -> boto3.Session:
        """A session of the role, valid for 12 hours: longer than any run of the twin."""
        sts = self.client("sts", region)
        credentials = sts.assume_role(RoleArn=role_arn, RoleSessionName="twin", DurationSeconds=43_200)[
            "Credentials"
        ]
        return session_of(
            region,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    def check(self) -> None:
        """Raise TwinError if it has ended."""
        self._process.check()

    def stop(self) -> None:
        # It has nothing worth saving, and ignores SIGTERM while a custom resource waits.
        self._process.kill()
        remove(self.folder)
