"""The rejects: clicks that the analytics application refused, each with its reason, in S3 by the hour."""

from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from constructs import Construct

from names import REJECTED_ERRORS_PREFIX, REJECTED_PREFIX
from stacks.delivery_parts import (
    BUFFER_MIB,
    BY_ERROR_AND_HOUR,
    BY_HOUR,
    ENCRYPTED_WITH_AWS_KEY,
    ONE_LINE_PER_RECORD,
    DeliveryLog,
    acknowledge_objects,
    alarm_when_behind,
    alarm_when_throttled,
    delivery_role,
    may_deliver_to,
)
from stacks.settings import Settings

BUCKET = "bucket"


class RejectsDelivery(Construct):
    def __init__(
        self, scope: Construct, construct_id: str, *, bucket: s3.IBucket, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        name = settings.names.rejects_delivery_stream
        log = DeliveryLog(self, "Log", delivery_stream=name, settings=settings)
        prefixes = [REJECTED_PREFIX, REJECTED_ERRORS_PREFIX]
        role = delivery_role(
            self, may=[*may_deliver_to(bucket, prefixes=prefixes), log.may_be_written(BUCKET)]
        )
        acknowledge_objects(role, bucket, prefixes)
        self.delivery_stream = firehose.CfnDeliveryStream(
            self,
            "DeliveryStream",
            delivery_stream_name=name,
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=ENCRYPTED_WITH_AWS_KEY,
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix=REJECTED_PREFIX + BY_HOUR,
                error_output_prefix=REJECTED_ERRORS_PREFIX + BY_ERROR_AND_HOUR,
                file_extension=".json.gz",
                compression_format="GZIP",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=settings.delivery.archive_buffer_seconds, size_in_m_bs=BUFFER_MIB
                ),
                processing_configuration=ONE_LINE_PER_RECORD,
                cloud_watch_logging_options=log.options(BUCKET),
            ),
        )
        alarm_when_behind(
            self,
            delivery_stream=name,
            destination="S3",
            buffer_seconds=settings.delivery.archive_buffer_seconds,
        )
        alarm_when_throttled(self, delivery_stream=name)
