"""Settings of the flow: how the streams get their capacity, and the peak that every hop has to carry."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Shards = Annotated[int, Field(ge=1, le=10_000)]


class StreamSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["on_demand", "provisioned"] = Field(
        default="on_demand",
        description="Who sets the number of shards: AWS, following the traffic, or mobile_shards and "
        "source_shards. On demand costs more per record and takes twice the peak of the last 30 days.",
    )
    mobile_shards: Shards | None = Field(
        default=None, description="Shards of the mobile stream in Tokyo, if provisioned."
    )
    source_shards: Shards | None = Field(
        default=None, description="Shards of the source stream in Oregon, if provisioned."
    )
    retention_hours: Annotated[int, Field(ge=24, le=8760)] = Field(
        default=24, description="How long both streams keep a record, in hours; 24 costs nothing extra."
    )


class PeakSettings(BaseModel):
    """The declared peak: stacks/capacity.py checks at synth that every hop carries it, with head-room."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clicks_per_second: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=1_000, description="Clicks in the busiest second, from web servers and apps together."
    )
    click_bytes: Annotated[int, Field(ge=1, le=1_048_576)] = Field(
        default=300, description="Mean size of a click with its partition key, in bytes."
    )
    mobile_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="Share of the clicks that comes from mobile apps, 0 to 1."
    )
    counts_per_click: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0,
        description="Counts published per click, 0 to 1. It is 1 if no two clicks between two publications "
        "share minute, article and segment; the more they do, the fewer counts there are.",
    )

    @property
    def mobile_clicks_per_second(self) -> float:
        return self.clicks_per_second * self.mobile_share

    @property
    def counts_per_second(self) -> float:
        return self.clicks_per_second * self.counts_per_click
