"""The analytics application."""

from typing import Annotated

from pydantic import Field

from settings.section import Section


class AnalyticsSettings(Section):
    publish_every_seconds: Annotated[int, Field(ge=1, le=300)] = Field(
        default=5,
        description="Seconds between two publications of the running counts: the checkpoint interval.",
    )
    allowed_lateness_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=24,
        description="Allowed lateness, in hours: reject a click as too_old if it is older than this when it "
        "is read.",
    )
    segments_check_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=10, description="Seconds between two checks for a new version of the segments."
    )
    parallelism: Annotated[int, Field(ge=1, le=256)] = Field(default=1, description="Parallelism of the job.")
    state_generation: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=0,
        description="Raise it by one to start the application once without state, at the next deployment: it "
        "counts again from the oldest click in the stream. A snapshot is taken first "
        "(docs/start/deployment.md).",
    )
    parallelism_per_kpu: Annotated[int, Field(ge=1, le=8)] = Field(
        default=1, description="Parallel tasks on each KPU (1 vCPU and 4 GB of memory)."
    )
