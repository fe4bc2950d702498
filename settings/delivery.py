"""The delivery streams, redelivery, and what they write to S3."""

from typing import Annotated

from pydantic import Field

from settings.section import Section


class DeliverySettings(Section):
    counts_buffer_seconds: Annotated[int, Field(ge=0, le=5)] = Field(
        default=0, description="Buffering interval of the delivery stream of counts, in seconds."
    )
    counts_retry_seconds: Annotated[int, Field(ge=0, le=7200)] = Field(
        default=60,
        description="How long Firehose retries a request that OpenSearch refused, in seconds. After that the "
        "counts go to S3.",
    )
    redelivery_first_pause_seconds: Annotated[int, Field(ge=1, le=3_600)] = Field(
        default=60,
        description="Shortest pause before a failed count is redelivered, in seconds. The pause grows with "
        "the count's age, up to an hour.",
    )
    redelivery_give_up_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=24,
        description="Give up a count that fails more than this many hours after its publication. It is kept "
        "in S3, and an alarm notifies.",
    )
    archive_buffer_seconds: Annotated[int, Field(ge=60, le=900)] = Field(
        default=300,
        description="Buffering interval of raw, rejected and failed records on their way to S3, in seconds.",
    )
    raw_retention_days: Annotated[int, Field(ge=1)] = Field(
        default=90,
        description="Days after which the raw backup, rejected records and given-up counts are deleted.",
    )
    direct_put_mib_per_second: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None,
        description="Direct PUT quota of a delivery stream in Oregon, in MiB/s; used only by the checks. "
        "Without it the region's initial quota: 5 in us-west-2, us-east-1 and eu-west-1, 1 elsewhere.",
    )
