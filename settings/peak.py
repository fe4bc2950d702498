"""The declared peak: capacity.py checks that every hop carries it, with headroom."""

from typing import Annotated

from pydantic import Field

from settings.section import Section

Share = Annotated[float, Field(gt=0, le=1)]
ClicksPerRecord = Annotated[float, Field(ge=1, le=1_000_000)]


class PeakSettings(Section):
    clicks_per_second: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=1_000, description="Clicks in the busiest second, from web servers and apps together."
    )
    click_bytes: Annotated[int, Field(ge=1, le=1_048_576)] = Field(
        default=300, description="Mean size of a click with its partition key, in bytes."
    )
    mobile_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="Share of the clicks that come from mobile apps, 0 to 1."
    )
    web_servers: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None,
        description="Web servers that share the clicks of the busiest second. It bounds "
        "`web_clicks_per_record`.",
    )
    web_clicks_per_record: ClicksPerRecord = Field(
        default=1.0,
        description="Mean clicks in a record of a web server in the busiest second; 1 for log collectors "
        "that do not pack. At most what a server logs between two flushes.",
    )
    mobile_clicks_per_record: ClicksPerRecord = Field(
        default=1.0,
        description="Mean clicks in a record of an app: those that wait when it sends, mostly one.",
    )
    counts_per_click: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0,
        description="Counts published per click, 0 to 1. It is 1 if no two clicks between two publications "
        "share minute, article and segment, and lower the more of them do.",
    )

    mean_to_peak_min: Share = Field(
        default=0.2,
        description="Low estimate of the month's mean click rate as a share of the peak; used for the cost "
        "and the disks.",
    )
    mean_to_peak_max: Share = Field(default=0.4, description="High estimate of the same share.")

    @property
    def mobile_clicks_per_second(self) -> float:
        return self.clicks_per_second * self.mobile_share

    @property
    def web_clicks_per_second(self) -> float:
        return self.clicks_per_second - self.mobile_clicks_per_second

    @property
    def counts_per_second(self) -> float:
        return self.clicks_per_second * self.counts_per_click
