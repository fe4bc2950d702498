"""The counts that the analytics application publishes to OpenSearch, each sink described once."""

from dataclasses import dataclass

from contract.count import COUNT_KEY


@dataclass(frozen=True, kw_only=True)
class Sink:
    """A table of counts on its way into an index family.

    table: its name in the SQL, which is the property group of its options; name: part of the names of its
    delivery stream and role; index_family: its documents are in the indices <index_family>-<day>; key: the
    columns whose values make a document's id, so that of each key the largest count wins.
    """

    table: str
    name: str
    index_family: str
    key: tuple[str, ...]

    @property
    def construct_id(self) -> str:
        """`counts-by-platform` as `CountsByPlatform`: part of the ids in its stack."""
        return self.name.title().replace("-", "")


CLICK_COUNTS = Sink(table="click_counts", name="counts", index_family="click-counts", key=COUNT_KEY)

SINKS = (CLICK_COUNTS,)
REJECTS_TABLE = "rejected_clicks"
"""The table of the clicks that could not be counted; its delivery stream writes to S3."""
