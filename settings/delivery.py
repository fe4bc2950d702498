"""Settings of the delivery streams and of what they write to S3."""

from typing import Annotated

from pydantic import Field

from settings.section import Section


class DeliverySettings(Section):
    counts_buffer_seconds: Annotated[int, Field(ge=0, le=5)] = Field(
        default=0, description="How long Firehose collects counts before it sends them on, in seconds."
    )
    counts_retry_seconds: Annotated[int, Field(ge=0, le=7200)] = Field(
        default=60,
        description="How long Firehose repeats a refused request to OpenSearch, in seconds; then to S3.",
    )
    redelivery_first_pause_seconds: Annotated[int, Field(ge=1, le=3_600)] = Field(
        default=60,
        description="Shortest pause before a count that OpenSearch did not take is redelivered, in seconds; "
        "it grows with the count's age, to an hour at most.",
    )
    redelivery_give_up_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=24,
        description="A count that fails later than this after its publication is given up: kept in S3, with "
        "an alarm; in hours.",
    )
    archive_buffer_seconds: Annotated[int, Field(ge=60, le=900)] = Field(
        default=300,
        description="How long at most raw, rejected and failed records wait for their S3 object, in seconds.",
    )
    raw_retention_days: Annotated[int, Field(ge=1)] = Field(
        default=90,
        description="Objects of the raw backup, of rejected records and of given-up counts are deleted after "
        "it, in days.",
    )
    direct_put_mib_per_second: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None,
        description="Quota of a delivery stream for direct puts in Oregon, in MiB/s; for the check only. "
        "Left out: what the region begins with, 5 in us-west-2, us-east-1 and eu-west-1, 1 elsewhere.",
    )
