"""All settings of one environment, section by section."""

import platform
from typing import Literal

from pydantic import Field

from names import TWIN_ACCOUNT, Names
from settings.alarms import AlarmSettings
from settings.analytics import AnalyticsSettings
from settings.delivery import DeliverySettings
from settings.deployment import DeploymentSettings
from settings.feedback import FeedbackSettings
from settings.forwarder import ForwarderSettings
from settings.latency import LatencySettings
from settings.mobile_apps import MobileAppsSettings
from settings.peak import PeakSettings
from settings.queries import QuerySettings
from settings.quotas import DirectPut, direct_put
from settings.regions import RegionSettings
from settings.replay import ReplaySettings
from settings.search import SearchSettings
from settings.section import Section
from settings.segments import SegmentsSettings
from settings.streams import StreamSettings
from settings.web_servers import WebServerSettings

LogDays = Literal[1, 7, 30, 90, 365]
"""Some of the retention periods that CloudWatch Logs accepts."""


class Settings(Section):
    """Each field is valid by itself; `settings.load` checks that the fields fit each other."""

    environment: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,13}[a-z0-9]$",
        description="Part of every physical name; at most 15 characters, as a domain's name has at most 28.",
    )
    account: str = Field(pattern=r"^\d{12}$", description="AWS account id: 12 digits in quotes.")
    allow_destroy: bool = Field(
        default=False,
        description="First of two keys to delete data with its stack; the second is `-c destroy=yes`.",
    )
    log_retention_days: LogDays = Field(default=30, description="Days for which log groups keep events.")
    lambda_processor: Literal["arm64", "x86_64", "host"] = Field(
        default="arm64",
        description="Processor of the Lambda functions; `host`, for the twin only, is that of this machine.",
    )
    regions: RegionSettings = RegionSettings()
    deployment: DeploymentSettings = DeploymentSettings()
    alarms: AlarmSettings = AlarmSettings()
    peak: PeakSettings = PeakSettings()
    latency: LatencySettings = LatencySettings()
    streams: StreamSettings = StreamSettings()
    web_servers: WebServerSettings = WebServerSettings()
    mobile_apps: MobileAppsSettings = MobileAppsSettings()
    forwarder: ForwarderSettings = ForwarderSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    segments: SegmentsSettings = SegmentsSettings()
    delivery: DeliverySettings = DeliverySettings()
    search: SearchSettings = SearchSettings()
    feedback: FeedbackSettings = FeedbackSettings()
    replay: ReplaySettings = ReplaySettings()
    queries: QuerySettings = QuerySettings()

    @property
    def names(self) -> Names:
        return Names(
            environment=self.environment,
            account=self.account,
            tokyo=self.regions.tokyo,
            oregon=self.regions.oregon,
            counts_generation=self.analytics.counts_generation,
        )

    @property
    def direct_put(self) -> DirectPut:
        """Direct PUT quota of a delivery stream in Oregon: as it was raised, or the region's initial one."""
        initial, raised = direct_put(self.regions.oregon), self.delivery.direct_put_mib_per_second
        return initial if raised is None else initial.raised_to(raised)

    @property
    def is_twin(self) -> bool:
        return self.account == TWIN_ACCOUNT

    @property
    def architecture(self) -> Literal["arm64", "x86_64"]:
        """Processor of the Lambda functions, with `host` resolved."""
        if self.lambda_processor == "host":
            return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
        return self.lambda_processor
