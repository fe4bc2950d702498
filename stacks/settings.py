"""What may differ between environments, checked before synthesis: environments/<name>.toml."""

import platform
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from names import Names
from stacks import capacity
from stacks.flow_settings import PeakSettings, StreamSettings
from stacks.forwarder_settings import ForwarderSettings

ENVIRONMENTS = Path(__file__).parent.parent / "environments"

TWIN_ACCOUNT = "000000000000"
"""No AWS account has this number: an environment that uses it can be deployed in the local twin only."""

LogDays = Literal[1, 7, 30, 90, 365]
"""Of the periods that CloudWatch Logs knows."""


class SettingsError(Exception):
    """The settings of an environment cannot be used; the message names the file and says how to fix it."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebServerSettings(Section):
    """Where things stand on a web server, for web_servers/."""

    click_log: str = Field(
        default="/var/log/nginx/clicks.log",
        pattern=r"^/\S+$",
        description="File to which the web server writes a line of JSON for each click; an absolute path.",
    )
    state_directory: str = Field(
        default="/var/lib/click-trends",
        pattern=r"^/\S+[^/\s]$",
        description="Directory of the buffer and of the position in the log, on a lasting disk.",
    )
    buffer_gib: Annotated[int, Field(ge=1, le=64)] = Field(
        default=8,
        description="Most that fluentd buffers, in GiB; when it is full, reading the log waits. 8 GiB are "
        "some 25 million clicks.",
    )


class AnalyticsSettings(Section):
    publish_every_seconds: Annotated[int, Field(ge=1, le=300)] = Field(
        default=5,
        description="How often running counts are published, in seconds; it is the checkpoint interval.",
    )
    horizon_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=24, description="A click older than this when it arrives is rejected as too_old, in hours."
    )
    segments_check_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=10, description="How often the join looks for a new version of the segments, in seconds."
    )
    parallelism: Annotated[int, Field(ge=1, le=256)] = Field(
        default=1, description="Parallel tasks of the job."
    )
    parallelism_per_kpu: Annotated[int, Field(ge=1, le=8)] = Field(
        default=1, description="Parallel tasks that share one KPU (1 vCPU and 4 GB of memory)."
    )


class DeliverySettings(Section):
    counts_buffer_seconds: Annotated[int, Field(ge=0, le=5)] = Field(
        default=0, description="How long Firehose collects counts before it sends them on, in seconds."
    )
    counts_retry_seconds: Annotated[int, Field(ge=0, le=7200)] = Field(
        default=60,
        description="How long Firehose repeats a refused request to OpenSearch, in seconds; then to S3.",
    )
    archive_buffer_seconds: Annotated[int, Field(ge=60, le=900)] = Field(
        default=300,
        description="Longest time that raw, rejected and failed records wait for their S3 object, in "
        "seconds.",
    )
    raw_retention_days: Annotated[int, Field(ge=1)] = Field(
        default=90,
        description="Objects of the raw backup and of rejected records are deleted after it, in days.",
    )
    direct_put_mib_per_second: Annotated[int, Field(ge=5, le=1_000)] = Field(
        default=capacity.DIRECT_PUT_MIB_PER_SECOND,
        description="Quota of a delivery stream for direct puts in Oregon, in MiB/s; for the check only.",
    )


class SearchSettings(Section):
    instance_type: str = Field(
        default="m7g.medium.search",
        pattern=r"^[a-z0-9]+\.[a-z0-9]+\.search$",
        description="Instance type of the OpenSearch data nodes.",
    )
    instance_count: Annotated[int, Field(ge=1, le=80)] = Field(
        default=3, description="Data nodes of the OpenSearch domain."
    )
    availability_zones: Literal[1, 2, 3] = Field(
        default=3, description="Availability zones over which the data nodes are spread."
    )
    volume_gib: Annotated[int, Field(ge=10, le=3072)] = Field(
        default=50, description="gp3 volume of each data node, in GiB."
    )
    retention_days: Annotated[int, Field(ge=2)] | None = Field(
        default=None,
        description="A day's index is deleted this many days after its creation; left out: kept for ever, "
        "and no index state management policy is written.",
    )
    documents_per_second_per_node: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=4_000,
        description="Assumed number of counts that a data node indexes, in documents/s; for the check only. "
        "4,000 were measured on two cores.",
    )
    scheme: Literal["https", "http"] = Field(
        default="https",
        description="How the domain's endpoint is spoken to; http only in the twin, whose server has no TLS.",
    )

    @property
    def replicas(self) -> int:
        """A copy of each shard on a second node, where there is one."""
        return 1 if self.instance_count > 1 else 0


class MobileAppsSettings(Section):
    issuer: str | None = Field(
        default=None,
        pattern=r"^https://[^?#\s]+$",
        description="URL of the OpenID Connect provider with the accounts of the readers, as in `iss` of its "
        "ID tokens; left out, a Cognito user pool is made, in which an administrator makes accounts.",
    )
    client_ids: list[str] = Field(
        default=[],
        description="Client ids under which the apps are known to the issuer, as in the `aud` of its ID "
        "tokens.",
    )
    guest_access: bool = Field(
        default=False,
        description="Whether apps may put clicks before their reader has logged in; then anyone can.",
    )


class Settings(Section):
    """The settings of one environment."""

    environment: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,13}[a-z0-9]$",
        description="Part of every physical name, at most 15 characters: the domain's name has at most 28.",
    )
    account: str = Field(pattern=r"^\d{12}$", description="The AWS account, 12 digits in quotes.")
    allow_destroy: bool = Field(
        default=False,
        description="First of two keys to delete data with its stack; the second is `-c destroy=yes`.",
    )
    log_retention_days: LogDays = Field(
        default=30, description="How long log groups keep their events, in days."
    )
    lambda_processor: Literal["arm64", "x86_64", "host"] = Field(
        default="arm64",
        description="Processor of the Lambda functions; 'host' takes this machine's, for the twin.",
    )
    peak: PeakSettings = PeakSettings()
    streams: StreamSettings = StreamSettings()
    web_servers: WebServerSettings = WebServerSettings()
    mobile_apps: MobileAppsSettings = MobileAppsSettings()
    forwarder: ForwarderSettings = ForwarderSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    delivery: DeliverySettings = DeliverySettings()
    search: SearchSettings = SearchSettings()

    @property
    def names(self) -> Names:
        return Names(environment=self.environment, account=self.account)

    @property
    def is_twin(self) -> bool:
        return self.account == TWIN_ACCOUNT

    @property
    def architecture(self) -> Literal["arm64", "x86_64"]:
        """Processor of the Lambda functions, with 'host' resolved."""
        if self.lambda_processor == "host":
            return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
        return self.lambda_processor

    @model_validator(mode="after")
    def _fields_fit_each_other(self) -> "Settings":
        if problems := list(_problems(self)):
            raise ValueError("; ".join(problems))
        return self


def load(environment: str, folder: Path = ENVIRONMENTS) -> Settings:
    """Settings of `environment` from its TOML file; raises SettingsError."""
    path = folder / f"{environment}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.toml"))) or "none"
        raise SettingsError(
            f"There is no environment '{environment}' (known: {known}). "
            f"Choose one with -c environment=NAME or write {_shown(path)}."
        )
    try:
        values = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{_shown(path)} is not valid TOML: {error}.") from error
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        lines = "\n".join(f"  {_explained(detail)}" for detail in error.errors())
        raise SettingsError(f"{_shown(path)} cannot be used:\n{lines}") from error
    if settings.environment != environment:
        raise SettingsError(
            f'{_shown(path)} says environment = "{settings.environment}": '
            f'write "{environment}" there, or rename the file to {settings.environment}.toml.'
        )
    return settings


def _problems(settings: Settings) -> Iterator[str]:
    """What is wrong between fields that are each right, with the way to mend it."""
    streams, analytics, search = settings.streams, settings.analytics, settings.search
    if analytics.horizon_hours > streams.retention_hours:
        yield (
            f"analytics.horizon_hours ({analytics.horizon_hours}) must not be longer than "
            f"streams.retention_hours ({streams.retention_hours}), or a click could be gone from the stream "
            f"while it is still accepted: set streams.retention_hours = {analytics.horizon_hours}, or "
            "shorten the horizon"
        )
    kept_seconds = streams.retention_hours * 3600
    if settings.forwarder.max_record_age_seconds > kept_seconds:
        yield (
            f"forwarder.max_record_age_seconds ({settings.forwarder.max_record_age_seconds}) must not be "
            f"longer than streams.retention_hours ({streams.retention_hours}), or a record could be gone "
            f"from the stream before it is given up to the dead-letter bucket: set it to {kept_seconds} or "
            "less, or lengthen the retention"
        )
    if analytics.parallelism_per_kpu > analytics.parallelism:
        yield (
            f"analytics.parallelism_per_kpu ({analytics.parallelism_per_kpu}) must not exceed "
            f"analytics.parallelism ({analytics.parallelism}): set it to {analytics.parallelism} or less"
        )
    if search.instance_count % search.availability_zones:
        equal_shares = -(-search.instance_count // search.availability_zones) * search.availability_zones
        yield (
            f"search.instance_count ({search.instance_count}) must be a multiple of "
            f"search.availability_zones ({search.availability_zones}), so that each zone has as many nodes: "
            f"set it to {equal_shares}, or change the zones"
        )
    if bool(settings.mobile_apps.issuer) != bool(settings.mobile_apps.client_ids):
        yield (
            "mobile_apps.issuer and mobile_apps.client_ids belong together: write the issuer's URL and the "
            "client ids of the apps, or neither"
        )
    if search.scheme == "http" and not settings.is_twin:
        yield 'search.scheme = "http" is for the twin only: remove it, OpenSearch Service speaks https'
    if settings.lambda_processor == "host" and not settings.is_twin:
        yield (
            'lambda_processor = "host" is for the twin only: write "arm64" or "x86_64", so that every '
            "machine synthesises the same template"
        )
    yield from capacity.problems(settings)


def _explained(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return (
            f"{key}: there is no such setting. Correct its name or remove it: stacks/settings.py lists all."
        )
    if detail["type"] == "missing":
        return f"{key}: is required. {_described(key)}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{key}: {message}. {_described(key)}".rstrip() if key else message


def _described(key: str) -> str:
    model: Any = Settings
    field = None
    for part in key.split("."):
        fields = getattr(model, "model_fields", {})
        field = fields.get(part)
        model = field.annotation if field else None
    return (field.description or "") if field else ""


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
