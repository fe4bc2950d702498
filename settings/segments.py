"""The segments' door: which uploaded files are published as versions, and when a version begins to hold."""

from math import ceil
from typing import Annotated

from pydantic import Field

from settings.analytics import AnalyticsSettings
from settings.delivery import DeliverySettings
from settings.section import Section

LOAD_SECONDS_PER_MILLION = 3.0
"""For which a task reads a version, per million users. Alone it takes 0.5 s, and 1.5 s while the SQL job runs
at full speed (docs/reference/benchmarks.md, "The reference table"); twice that allows for S3."""
LEAD_MARGIN_SECONDS = 20
"""For a check that begins late, as while a task manager collects garbage, and for clocks."""
VALIDATION_SECONDS_PER_MILLION = 5.0
"""Of users, on one vCPU of Lambda, a hyperthread: a core takes 2.4 s (docs/reference/benchmarks.md)."""
VALIDATION_BYTES_PER_USER = 60
VALIDATION_BASE_MIB = 300
"""Of the function with its libraries and the parts of a staged copy."""
FUNCTION_MIB = 1769
"""One vCPU (Lambda developer guide, "Configure Lambda function memory")."""
MIN_FUNCTION_SECONDS, MAX_FUNCTION_SECONDS = 120, 900
"""Lambda ends an invocation after at most 15 minutes (developer guide, "Lambda quotas")."""
FUNCTION_RESERVE_SECONDS = 60
"""Of an invocation beside validating: a version is staged, copied and recorded."""
LEASE_MARGIN_SECONDS = 60
"""After the end of an invocation, for requests that are still under way."""
KEPT_MARGIN_DAYS = 2
"""S3 deletes what has expired some time after the midnight that follows (user guide, "Expiring objects")."""


class SegmentsSettings(Section):
    max_users: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        default=10_000_000, description="Most users in a version. More of them lengthen the lead."
    )
    max_plain_mib: Annotated[int, Field(ge=1, le=4_000)] = Field(
        default=500, description="Largest unpacked file, in MiB."
    )
    max_shrink_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        default=20,
        description="Refuse a file that lacks more than this percentage of the former version's users, "
        "unless its publisher allows it.",
    )

    @property
    def validation_seconds(self) -> int:
        """For the largest file, twice over: it is also staged meanwhile."""
        return ceil(2 * VALIDATION_SECONDS_PER_MILLION * self.max_users / 1e6)

    @property
    def function_seconds(self) -> int:
        """The longest invocation; longer than Lambda allows if the settings ask for too much."""
        return max(MIN_FUNCTION_SECONDS, self.validation_seconds + FUNCTION_RESERVE_SECONDS)

    @property
    def lease_seconds(self) -> int:
        return self.function_seconds + LEASE_MARGIN_SECONDS

    @property
    def memory_mib(self) -> int:
        """That validating the largest file takes."""
        return VALIDATION_BASE_MIB + ceil(VALIDATION_BYTES_PER_USER * self.max_users / 1024**2)


def lead_seconds(segments: SegmentsSettings, analytics: AnalyticsSettings) -> int:
    """From a version's publication until every task has read it."""
    load = LOAD_SECONDS_PER_MILLION * segments.max_users / 1e6
    return analytics.segments_check_seconds + ceil(load) + LEAD_MARGIN_SECONDS


def keep_seconds(analytics: AnalyticsSettings, delivery: DeliverySettings) -> int:
    """For which a version is kept after the next one began to hold: no raw click from before is left then."""
    days = delivery.raw_retention_days + KEPT_MARGIN_DAYS
    return days * 86_400 + analytics.allowed_lateness_hours * 3600


def most_users() -> int:
    """For which the function has time and memory."""
    in_time = (MAX_FUNCTION_SECONDS - FUNCTION_RESERVE_SECONDS) / (2 * VALIDATION_SECONDS_PER_MILLION) * 1e6
    in_memory = (FUNCTION_MIB - VALIDATION_BASE_MIB) * 1024**2 / VALIDATION_BYTES_PER_USER
    return int(min(in_time, in_memory) / 1e6) * 1_000_000
