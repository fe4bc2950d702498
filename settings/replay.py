"""Replays on AWS."""

from typing import Annotated

from pydantic import Field

from settings.section import Section


class ReplaySettings(Section):
    parallelism: Annotated[int, Field(ge=1, le=32)] = Field(
        default=2, description="KPUs of the application that exists while a replay counts."
    )
    longest_hours: Annotated[int, Field(ge=1, le=24)] = Field(
        default=4,
        description="Stop and delete that application after so many hours, whether or not it has counted.",
    )
