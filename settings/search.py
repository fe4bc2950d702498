"""Settings of the OpenSearch domain."""

from typing import Annotated, Literal

from pydantic import Field

from settings.measured import DOCUMENTS_PER_SECOND_PER_NODE
from settings.section import Section


class SearchSettings(Section):
    instance_type: str = Field(
        default="m7g.medium.search",
        pattern=r"^[a-z0-9]+\.[a-z0-9]+\.search$",
        description="Instance type of the OpenSearch data nodes.",
    )
    instance_count: Annotated[int, Field(ge=1, le=80)] = Field(
        default=3, description="Data nodes of the OpenSearch domain."
    )
    availability_zones: Literal[1, 2, 3] = Field(
        default=3, description="Availability zones over which the data nodes are spread."
    )
    volume_gib: Annotated[int, Field(ge=10, le=3072)] = Field(
        default=50, description="gp3 volume of each data node, in GiB."
    )
    retention_days: Annotated[int, Field(ge=2)] | None = Field(
        default=None,
        description="A day's index is deleted this many days after its creation; left out: kept for ever. "
        "A change holds for the indices made after it (docs/deployment.md).",
    )
    documents_per_second_per_node: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=DOCUMENTS_PER_SECOND_PER_NODE,
        description="Assumed number of counts that a data node indexes, in documents/s; for the check only. "
        "docs/benchmarks.md measured more on two cores.",
    )
    scheme: Literal["https", "http"] = Field(
        default="https",
        description="How the domain's endpoint is spoken to; http only in the twin, whose server has no TLS.",
    )

    @property
    def replicas(self) -> int:
        """A copy of each shard on a second node, where there is one."""
        return 1 if self.instance_count > 1 else 0
