"""Records on their way to S3: raw clicks that a delivery stream reads from a stream, rejects put into one."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from constructs import Construct

from names import Names
from settings import LogDays
from stacks.constructs.acknowledge import acknowledge
from stacks.delivery.alarms import alarm_when_behind, alarm_when_nothing_is_written, alarm_when_throttled
from stacks.delivery.delivery_stream import ENCRYPTED_WITH_AWS_KEY, DeliveryLog, delivery_role
from stacks.monitoring.flows import into_delivery_stream, into_stream

BUCKET = "bucket"
BUFFER_MIB = 64
"""Records wait for this much or for the time in the settings, whichever comes first."""

BY_HOUR = "!{timestamp:yyyy/MM/dd/HH}/"
BY_ERROR_AND_HOUR = "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"

# One line per record, whatever the producer sent: without it a record that lacks its newline would take the
# good record after it along. A record that has one leaves an empty line, which every consumer skips.
ONE_LINE_PER_RECORD = firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
    enabled=True,
    processors=[
        firehose.CfnDeliveryStream.ProcessorProperty(
            type="AppendDelimiterToRecord",
            parameters=[
                firehose.CfnDeliveryStream.ProcessorParameterProperty(
                    parameter_name="Delimiter", parameter_value="\\n"
                )
            ],
        )
    ],
)


class S3Delivery(Construct):
    """Writes every record as a line of a gzipped object below `prefix`, by the hour of its arrival.

    source: the stream it reads by itself, so that what it keeps cannot differ from what producers put; None
    for records that are put into it. hop: as in AlarmDefinition. Objects end in .json.gz, which the bounded
    run over files reads.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        source: kinesis.IStream | None,
        bucket: s3.IBucket,
        prefix: str,
        errors_prefix: str,
        hop: str,
        buffer_seconds: int,
        log_days: LogDays,
        names: Names,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self.arn = names.delivery_stream_arn(name)
        log = DeliveryLog(self, "Log", delivery_stream=name, log_days=log_days)
        role = delivery_role(
            self,
            bucket=bucket,
            prefixes=[prefix, errors_prefix],
            statements=[_read_statement(source)] if source else [],
            log=log.write_statement(BUCKET),
        )
        self.delivery_stream = firehose.CfnDeliveryStream(
            self,
            "DeliveryStream",
            delivery_stream_name=name,
            delivery_stream_type="KinesisStreamAsSource" if source else "DirectPut",
            delivery_stream_encryption_configuration_input=None if source else ENCRYPTED_WITH_AWS_KEY,
            kinesis_stream_source_configuration=firehose.CfnDeliveryStream.KinesisStreamSourceConfigurationProperty(
                kinesis_stream_arn=source.stream_arn, role_arn=role.role_arn
            )
            if source
            else None,
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix=prefix + BY_HOUR,
                error_output_prefix=errors_prefix + BY_ERROR_AND_HOUR,
                file_extension=".json.gz",
                compression_format="GZIP",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=buffer_seconds, size_in_m_bs=BUFFER_MIB
                ),
                processing_configuration=ONE_LINE_PER_RECORD,
                cloud_watch_logging_options=log.options(BUCKET),
            ),
        )
        alarm_when_behind(
            self, delivery_stream=name, hop=hop, destination="S3", buffer_seconds=buffer_seconds
        )
        alarm_when_nothing_is_written(
            self,
            delivery_stream=name,
            hop=hop,
            sent=into_stream(source.stream_name) if source else into_delivery_stream(name),
            buffer_seconds=buffer_seconds,
        )
        if source:
            acknowledge(
                self.delivery_stream,
                "KDF1",
                reason="Encryption at rest is a setting for direct puts only. This one reads a stream that "
                "is encrypted, and Firehose keeps nothing of it at rest.",
            )
        else:
            alarm_when_throttled(self, delivery_stream=name, hop=hop)


def _read_statement(source: kinesis.IStream) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="ReadsTheSourceStream",
        actions=[
            "kinesis:DescribeStream",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
        ],
        resources=[source.stream_arn],
    )
