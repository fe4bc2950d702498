"""The two Kinesis streams and their capacity."""

from typing import Annotated, Literal

from pydantic import Field

from settings.section import Section

Shards = Annotated[int, Field(ge=1, le=10_000)]


class StreamSettings(Section):
    mode: Literal["on_demand", "provisioned"] = Field(
        default="on_demand",
        description="Who sets the number of shards: AWS by the traffic (on_demand), or mobile_shards and "
        "source_shards (provisioned). On demand costs more a record and takes up to twice the peak of the "
        "last 30 days.",
    )
    mobile_shards: Shards | None = Field(
        default=None, description="Shards of the mobile stream in Tokyo, if provisioned."
    )
    source_shards: Shards | None = Field(
        default=None, description="Shards of the source stream in Oregon, if provisioned."
    )
    retention_hours: Annotated[int, Field(ge=24, le=8760)] = Field(
        default=24, description="Hours for which both streams keep a record; 24 cost nothing extra."
    )
