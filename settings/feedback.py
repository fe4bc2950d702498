"""Feedback: the rankings of the most clicked articles in each segment."""

from typing import Annotated, Literal

from pydantic import Field

from contract.ranking import MAX_ARTICLES
from settings.section import Section

Segments = Literal["all readers", "each value", "each combination"]


class FeedbackSettings(Section):
    segments: Annotated[list[Segments], Field(min_length=1)] = Field(
        default=["all readers", "each value", "each combination"],
        description="Which segments get a ranking: all readers, each value of each column, each combination "
        "of values of all columns. More segments mean more writes (docs/operate/feedback.md).",
    )
    period_minutes: Annotated[int, Field(ge=1, le=60)] = Field(
        default=1, description="Minutes between two runs of the function."
    )
    window_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        default=10,
        description="A ranking covers the clicks of this many past minutes and of the current one. A longer "
        "window makes rankings steadier and slower to react.",
    )
    articles: Annotated[int, Field(ge=1, le=MAX_ARTICLES)] = Field(
        default=20,
        description=f"Most articles in a ranking; an item has room for {MAX_ARTICLES}. One query lists them "
        "for all segments within OpenSearch's limit of 65,535 buckets: with 700 segments, 85 fit.",
    )
    min_clicks: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=2,
        description="Fewest clicks in a segment that put an article into its ranking. With 1, one reader's "
        "click is enough.",
    )
    max_input_age_seconds: Annotated[int, Field(ge=60, le=86_400)] = Field(
        default=180,
        description="Leave the rankings as they are if the newest counts were published more than this many "
        "seconds ago.",
    )
    refresh_minutes: Annotated[int, Field(ge=1, le=60)] = Field(
        default=5,
        description="Minutes after which an unchanged ranking is written again, so that it shows its age. "
        "A shorter time means more writes.",
    )
    keep_hours: Annotated[int, Field(ge=2, le=8_760)] = Field(
        default=72,
        description="Hours after which a segment without clicks loses its ranking. Time during which the "
        "counts are out of date does not count.",
    )

    @property
    def fresh_seconds(self) -> int:
        """How long a ranking counts as fresh after it was computed: `refresh_minutes`, after which even an
        unchanged one is written again, and three more runs."""
        return 60 * (self.refresh_minutes + 3 * self.period_minutes)
