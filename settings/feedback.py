"""Settings of the feedback, which writes the most clicked articles of each segment for the service."""

from typing import Annotated, Literal

from pydantic import Field

from contract.ranking import MAX_ARTICLES
from settings.section import Section

Segments = Literal["all readers", "each value", "each combination"]


class FeedbackSettings(Section):
    segments: Annotated[list[Segments], Field(min_length=1)] = Field(
        default=["all readers", "each value", "each combination"],
        description="Segments with a ranking: all readers, one for each value of each column, one for each "
        "combination of a value of every column. More of them: more is written (docs/feedback.md).",
    )
    period_minutes: Annotated[int, Field(ge=1, le=60)] = Field(
        default=1, description="The function runs once in this time, in minutes."
    )
    window_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        default=10,
        description="A ranking is of the clicks of the last minutes, this many and the running one. Longer: "
        "steadier rankings, slower to follow.",
    )
    articles: Annotated[int, Field(ge=1, le=MAX_ARTICLES)] = Field(
        default=20,
        description=f"Articles in a ranking, at most; {MAX_ARTICLES} are the most that an item has room for. "
        "A run lists them for all segments at once, in OpenSearch's 65,535 buckets: 700 segments have room "
        "for 85.",
    )
    min_clicks: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=2,
        description="An article with fewer clicks in a segment is in no ranking of it. 1: the click of one "
        "reader is enough.",
    )
    max_input_age_seconds: Annotated[int, Field(ge=60, le=86_400)] = Field(
        default=180,
        description="Counts that were published longer ago, in seconds, are out of date: the rankings stay "
        "as they are.",
    )
    refresh_minutes: Annotated[int, Field(ge=1, le=60)] = Field(
        default=5,
        description="A ranking that does not change is written again after this time, in minutes, so that "
        "its age can be read from it. Shorter: more is written.",
    )
    keep_hours: Annotated[int, Field(ge=2, le=8_760)] = Field(
        default=72,
        description="A segment without clicks loses its ranking after this time, in hours. The time does not "
        "run while the counts are out of date.",
    )

    @property
    def fresh_seconds(self) -> int:
        """How long a ranking counts as fresh after it was computed: until it would be written again, were it
        unchanged, and three more runs."""
        return 60 * (self.refresh_minutes + 3 * self.period_minutes)
