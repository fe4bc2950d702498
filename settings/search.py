"""The OpenSearch domain."""

from typing import Annotated, Literal

from pydantic import Field

from settings.measured import DOCUMENTS_PER_SECOND_PER_NODE
from settings.section import Section


class SearchSettings(Section):
    instance_type: str = Field(
        default="m7g.medium.search",
        pattern=r"^[a-z0-9]+\.[a-z0-9]+\.search$",
        description="Instance type of the data nodes.",
    )
    instance_count: Annotated[int, Field(ge=1, le=80)] = Field(default=3, description="Number of data nodes.")
    availability_zones: Literal[1, 2, 3] = Field(
        default=3, description="Availability zones of the data nodes."
    )
    volume_gib: Annotated[int, Field(ge=10, le=3072)] = Field(
        default=50, description="Size of each data node's gp3 volume, in GiB."
    )
    retention_days: Annotated[int, Field(ge=2)] | None = Field(
        default=None,
        description="Delete a day's index this many days after its creation. Without it indices are kept for "
        "ever. A change applies to indices created after it (docs/start/deployment.md).",
    )
    documents_per_second_per_node: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=DOCUMENTS_PER_SECOND_PER_NODE,
        description="Counts that a data node is assumed to index, in documents/s; used only by the checks. "
        "docs/reference/benchmarks.md measured more on two cores.",
    )
    scheme: Literal["https", "http"] = Field(
        default="https",
        description="Protocol of the domain's endpoint; http is for the twin only, whose server has no TLS.",
    )

    @property
    def replicas(self) -> int:
        """One replica of each shard, if there is a second node."""
        return 1 if self.instance_count > 1 else 0
