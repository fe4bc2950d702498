"""Counts on their way from the application to OpenSearch; what OpenSearch refuses goes to S3."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from constructs import Construct

from contract.sink import Sink
from names import FAILED_DOCUMENTS_PREFIX, Names, delivery_index
from settings import LogDays
from settings.delivery import DeliverySettings
from stacks.constructs.acknowledge import acknowledge_wildcards
from stacks.delivery.alarms import alarm_when_behind, alarm_when_throttled
from stacks.delivery.delivery_stream import ENCRYPTED_WITH_AWS_KEY, DeliveryLog, delivery_role
from stacks.monitoring.hops import delivery_of
from stacks.search import access as search_access

BUCKET = "bucket"
SEARCH = "search"
BULK_REQUEST_MIB = 1
"""A count is about 200 bytes: some thousands make a bulk request that a small node takes in a second."""
FAILED_BUFFER_MIB = 5


class SearchDelivery(Construct):
    """One index name and no rotation: the ingest pipeline gives each document its index, id and version.

    domain_arn: of the OpenSearch domain; bucket: for documents that it refuses.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sink: Sink,
        domain_arn: str,
        bucket: s3.IBucket,
        log_days: LogDays,
        names: Names,
        settings: DeliverySettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self.sink = sink
        self.name = names.delivery_stream(sink.name)
        self.arn = names.delivery_stream_arn(self.name)
        access = search_access.delivery(sink)
        failed_documents = f"{FAILED_DOCUMENTS_PREFIX}{sink.name}/"
        log = DeliveryLog(self, "Log", delivery_stream=self.name, log_days=log_days)
        finds_the_domain = iam.PolicyStatement(
            sid="FindsTheDomain",
            actions=["es:DescribeDomain", "es:DescribeDomainConfig", "es:DescribeDomains"],
            resources=[domain_arn],
        )
        role = delivery_role(
            self,
            role_name=names.delivery_role(sink.name),
            bucket=bucket,
            prefixes=[failed_documents],
            statements=[finds_the_domain, *(allowed.statement(domain_arn) for allowed in access)],
            log=log.write_statement(BUCKET, SEARCH),
        )
        acknowledge_wildcards(
            role,
            [path for allowed in access for path in allowed.resources(domain_arn) if "*" in path],
            reason="The paths that the Firehose developer guide asks for; the domain holds nothing but the "
            "counts.",
        )
        self.delivery_stream = firehose.CfnDeliveryStream(
            self,
            "DeliveryStream",
            delivery_stream_name=self.name,
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=ENCRYPTED_WITH_AWS_KEY,
            amazonopensearchservice_destination_configuration=firehose.CfnDeliveryStream.AmazonopensearchserviceDestinationConfigurationProperty(
                domain_arn=domain_arn,
                role_arn=role.role_arn,
                index_name=delivery_index(names.index_family(sink.index_family)),
                index_rotation_period="NoRotation",
                document_id_options=firehose.CfnDeliveryStream.DocumentIdOptionsProperty(
                    default_document_id_format="NO_DOCUMENT_ID"
                ),
                buffering_hints=firehose.CfnDeliveryStream.AmazonopensearchserviceBufferingHintsProperty(
                    interval_in_seconds=settings.counts_buffer_seconds, size_in_m_bs=BULK_REQUEST_MIB
                ),
                retry_options=firehose.CfnDeliveryStream.AmazonopensearchserviceRetryOptionsProperty(
                    duration_in_seconds=settings.counts_retry_seconds
                ),
                cloud_watch_logging_options=log.options(SEARCH),
                s3_backup_mode="FailedDocumentsOnly",
                s3_configuration=firehose.CfnDeliveryStream.S3DestinationConfigurationProperty(
                    bucket_arn=bucket.bucket_arn,
                    role_arn=role.role_arn,
                    prefix=failed_documents,  # Firehose adds what failed and the hour
                    compression_format="GZIP",
                    buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                        interval_in_seconds=settings.archive_buffer_seconds,
                        size_in_m_bs=FAILED_BUFFER_MIB,
                    ),
                    cloud_watch_logging_options=log.options(BUCKET),
                ),
            ),
        )
        alarm_when_behind(
            self,
            delivery_stream=self.name,
            hop=delivery_of(sink.name),
            destination="AmazonOpenSearchService",
            buffer_seconds=settings.counts_buffer_seconds,
        )
        alarm_when_throttled(self, delivery_stream=self.name, hop=delivery_of(sink.name))
