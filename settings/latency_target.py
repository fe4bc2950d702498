"""How late a count may be: latency.py checks the settings against it."""

from typing import Annotated

from pydantic import Field

from settings.section import Section


class LatencySettings(Section):
    visible_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=30,
        description="Declared target, in seconds: while nothing fails, a search finds a click's count within "
        "this time.",
    )
    served_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=120,
        description="Declared target, in seconds: while nothing fails, the rankings include a click within "
        "this time.",
    )
