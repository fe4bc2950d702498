"""The counts that the analytics application publishes to OpenSearch, each sink described once."""

import re
from dataclasses import dataclass

from contract.count import COUNT_GENERATION, COUNT_KEY

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""Without a dot, which separates an index family from the day in the name of an index, and without an
underscore, which separates it from a generation of the counts (names.py)."""


@dataclass(frozen=True, kw_only=True)
class Sink:
    """A table of counts and the index family that it goes to.

    table: its name in the SQL, which is the property group of its options; name: part of the names of its
    delivery stream and role; family: the name of its index family in generation 1; key: the columns whose
    values make a document's id, so that of each key the largest count wins; generation: raised whenever the
    key changes (docs/start/changing_the_query.md).

    Raises ValueError for a name that AWS does not accept or that would match another's: see _NAME.
    """

    table: str
    name: str
    family: str
    key: tuple[str, ...]
    generation: int = 1

    @property
    def index_family(self) -> str:
        """Its documents are in the indices <index_family>.<day>, such as `click-counts.2026.01.31`.

        Each generation of the key has its own: with counts of two keys in one index, every click would count
        twice. Corrections count into families derived from it (names.generation_family).
        """
        return self.family if self.generation == 1 else f"{self.family}-{self.generation}"

    def __post_init__(self) -> None:
        for name in (self.name, self.family):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r}: write the name of a sink in lower case, with single hyphens")

    @property
    def construct_id(self) -> str:
        """Part of the construct ids: `counts-by-platform` becomes `CountsByPlatform`."""
        return self.name.title().replace("-", "")


CLICK_COUNTS = Sink(
    table="click_counts", name="counts", family="click-counts", key=COUNT_KEY, generation=COUNT_GENERATION
)

SINKS = (CLICK_COUNTS,)
REJECTS_TABLE = "rejected_clicks"
"""The table of rejected clicks; its delivery stream writes to S3."""
UNPARSEABLE = "unparseable"
"""Reason of the unread rest of a line, and the column of REJECTS_TABLE with its text."""
REPEATED_CLICK_ID = "repeated_click_id"
"""Reason of a click whose id another had before, where analytics.drop_repeated_click_ids_hours is set."""
