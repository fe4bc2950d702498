"""SQL over the raw and the rejected clicks, for analysts."""

from typing import Annotated

from pydantic import Field

from settings.section import Section


class QuerySettings(Section):
    scan_limit_gib: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=50,
        description="Athena cancels a query after reading this many GiB of gzipped objects. At USD 5 a TB, "
        "50 GiB cost a quarter of a dollar.",
    )
