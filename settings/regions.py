"""In which regions the two halves stand. The pages and names call them Tokyo and Oregon wherever they are."""

from typing import Annotated, Literal

from pydantic import Field

from names import OREGON, TOKYO
from settings.section import Section

Region = Annotated[str, Field(pattern=r"^[a-z]{2}-[a-z]+-\d$")]
Place = Literal["tokyo", "oregon"]


class RegionSettings(Section):
    tokyo: Region = Field(
        default=TOKYO,
        description="Region in the place of Tokyo: clicks of mobile apps arrive and rankings are read there.",
    )
    oregon: Region = Field(
        default=OREGON,
        description="Region in the place of Oregon: clicks are counted and counts are kept there. Both stay "
        "as they are once deployed: another region is another deployment (docs/operations.md).",
    )
