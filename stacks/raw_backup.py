"""The raw backup: every record of the source stream, as it came, in S3 by the hour of its arrival."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from constructs import Construct

from names import RAW_ERRORS_PREFIX, RAW_PREFIX
from stacks.acknowledge import acknowledge
from stacks.delivery_parts import (
    BUFFER_MIB,
    BY_ERROR_AND_HOUR,
    BY_HOUR,
    ONE_LINE_PER_RECORD,
    DeliveryLog,
    acknowledge_objects,
    alarm_when_behind,
    delivery_role,
    may_deliver_to,
)
from stacks.settings import Settings

BUCKET = "bucket"


class RawBackup(Construct):
    """A delivery stream that reads the source stream itself, so producers put a click once and copies
    cannot differ.

    Objects are gzipped lines with the suffix .json.gz: what `analytics_sql/main.py --clicks` reads for a
    backfill.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: kinesis.IStream,
        bucket: s3.IBucket,
        settings: Settings,
    ) -> None:
        super().__init__(scope, construct_id)
        name = settings.names.raw_backup_delivery_stream
        log = DeliveryLog(self, "Log", delivery_stream=name, settings=settings)
        reads_the_source = iam.PolicyStatement(
            sid="ReadsTheSourceStream",
            actions=[
                "kinesis:DescribeStream",
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:ListShards",
            ],
            resources=[source.stream_arn],
        )
        prefixes = [RAW_PREFIX, RAW_ERRORS_PREFIX]
        role = delivery_role(
            self,
            may=[reads_the_source, *may_deliver_to(bucket, prefixes=prefixes), log.may_be_written(BUCKET)],
        )
        acknowledge_objects(role, bucket, prefixes)
        delivery_stream = firehose.CfnDeliveryStream(
            self,
            "DeliveryStream",
            delivery_stream_name=name,
            delivery_stream_type="KinesisStreamAsSource",
            kinesis_stream_source_configuration=firehose.CfnDeliveryStream.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=source.stream_arn, role_arn=role.role_arn
            ),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix=RAW_PREFIX + BY_HOUR,
                error_output_prefix=RAW_ERRORS_PREFIX + BY_ERROR_AND_HOUR,
                file_extension=".json.gz",
                compression_format="GZIP",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=settings.delivery.archive_buffer_seconds, size_in_m_bs=BUFFER_MIB
                ),
                processing_configuration=ONE_LINE_PER_RECORD,
                cloud_watch_logging_options=log.options(BUCKET),
            ),
        )
        acknowledge(
            delivery_stream,
            "KDF1",
            reason="Encryption at rest is a setting for direct puts only. This one reads a stream that is "
            "encrypted, and Firehose keeps nothing of it at rest.",
        )
        alarm_when_behind(
            self,
            delivery_stream=name,
            destination="S3",
            buffer_seconds=settings.delivery.archive_buffer_seconds,
        )
