"""The two regions. Pages and names call them Tokyo and Oregon wherever they are."""

from typing import Annotated, Literal

from pydantic import Field

from names import OREGON, TOKYO
from settings.section import Section

Region = Annotated[str, Field(pattern=r"^[a-z]{2}-[a-z]+-\d$")]
Place = Literal["tokyo", "oregon"]


class RegionSettings(Section):
    tokyo: Region = Field(
        default=TOKYO,
        description="Region in place of Tokyo: clicks of mobile apps arrive and rankings are read there.",
    )
    oregon: Region = Field(
        default=OREGON,
        description="Region in place of Oregon: clicks are counted and counts are stored there. Neither can "
        "change once deployed: another region is another deployment (docs/operate/operations.md).",
    )
