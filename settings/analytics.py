"""The analytics application."""

from typing import Annotated

from pydantic import Field

from names import SEGMENTS_CORRECTIONS_PREFIX, SEGMENTS_PREFIX
from settings.section import Section

MAX_CORRECTIONS = 16
"""Their URIs fit one property of the application: 2,048 characters
(https://docs.aws.amazon.com/managed-flink/latest/apiv2/API_PropertyGroup.html)."""


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
    drop_repeated_click_ids_hours: Annotated[int, Field(ge=1, le=168)] | None = Field(
        default=None,
        description="Hours for which a click id is remembered: a later click with the same id is rejected as "
        "repeated_click_id. Without it every click counts (docs/reference/repetition.md has the cost).",
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
    counts_generation: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=1,
        description="Raise it by one to count into new indices, which readers see once a correction switches "
        "to them (docs/operate/correction.md). The application then starts once without state.",
    )
    segments_corrections: Annotated[
        dict[Annotated[str, Field(pattern=r"^\d{8}T\d{6}Z/\d{4}$")], Annotated[int, Field(ge=2, le=1_000)]],
        Field(max_length=MAX_CORRECTIONS),
    ] = Field(
        default={},
        description="Corrections of the segments, as `click-trends publish --corrects` names them, each with "
        "the `counts_generation` from which the application counts with it "
        "(docs/operate/correction.md).",
    )
    parallelism_per_kpu: Annotated[int, Field(ge=1, le=8)] = Field(
        default=1, description="Parallel tasks on each KPU (1 vCPU and 4 GB of memory)."
    )

    def corrections_counted_with(self, generation: int) -> dict[str, str]:
        """By the key of a version of the segments, the key of what the application reads in its place.

        Nothing of it may change while it counts into this generation: a click would stand under two segments.
        """
        found: dict[str, str] = {}
        for name, since in sorted(self.segments_corrections.items(), key=lambda item: (item[1], item[0])):
            if since <= generation:
                version = f"{SEGMENTS_PREFIX}{name.partition('/')[0]}.csv"
                found[version] = f"{SEGMENTS_CORRECTIONS_PREFIX}{name}.csv"
        return found
