"""Settings of the analytics application."""

from typing import Annotated

from pydantic import Field

from settings.section import Section


class AnalyticsSettings(Section):
    publish_every_seconds: Annotated[int, Field(ge=1, le=300)] = Field(
        default=5,
        description="How often running counts are published, in seconds; it is the checkpoint interval.",
    )
    allowed_lateness_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=24, description="A click older than this when it is read is rejected as too_old, in hours."
    )
    segments_check_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=10, description="How often the join looks for a new version of the segments, in seconds."
    )
    parallelism: Annotated[int, Field(ge=1, le=256)] = Field(
        default=1, description="Parallel tasks of the job."
    )
    state_generation: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=0,
        description="Raised by one, the next deployment starts the application once without its state: it "
        "counts again from the oldest click in the stream. A snapshot is taken first: docs/deployment.md.",
    )
    parallelism_per_kpu: Annotated[int, Field(ge=1, le=8)] = Field(
        default=1, description="Parallel tasks that share one KPU (1 vCPU and 4 GB of memory)."
    )
