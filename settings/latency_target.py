"""How late a count may be: latency.py checks that the settings keep to it."""

from typing import Annotated

from pydantic import Field

from settings.section import Section


class LatencySettings(Section):
    visible_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=30,
        description="Declared target: a click is counted and found by a search after at most this long, in "
        "seconds, while nothing fails.",
    )
    served_seconds: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=120,
        description="Declared target: what the service shows has a click in it after at most this long, in "
        "seconds, while nothing fails.",
    )
