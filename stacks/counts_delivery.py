"""The counts on their way from the application to OpenSearch; what OpenSearch refuses goes to S3."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from constructs import Construct

from names import DELIVERY_INDEX, FAILED_DOCUMENTS_PREFIX
from stacks import search_access
from stacks.acknowledge import acknowledge_wildcards
from stacks.delivery_parts import (
    ENCRYPTED_WITH_AWS_KEY,
    DeliveryLog,
    acknowledge_objects,
    alarm_when_behind,
    alarm_when_throttled,
    delivery_role,
    may_deliver_to,
)
from stacks.settings import Settings

BUCKET = "bucket"
SEARCH = "search"
BULK_REQUEST_MIB = 1
"""A count is about 200 bytes: some thousands make a bulk request that a small node takes in a second."""
FAILED_BUFFER_MIB = 5


class CountsDelivery(Construct):
    """One index name and no rotation: the ingest pipeline gives each document its index, id and version."""

    def __init__(
        self, scope: Construct, construct_id: str, *, bucket: s3.IBucket, settings: Settings
    ) -> None:
        super().__init__(scope, construct_id)
        names = settings.names
        name = names.counts_delivery_stream
        log = DeliveryLog(self, "Log", delivery_stream=name, settings=settings)
        prefixes = [FAILED_DOCUMENTS_PREFIX]
        finds_the_domain = iam.PolicyStatement(
            sid="FindsTheDomain",
            actions=["es:DescribeDomain", "es:DescribeDomainConfig", "es:DescribeDomains"],
            resources=[names.search_domain_arn],
        )
        to_search = [
            finds_the_domain,
            *(access.statement(names) for access in search_access.COUNTS_DELIVERY),
        ]
        role = delivery_role(
            self,
            role_name=names.counts_delivery_role,
            may=[*to_search, *may_deliver_to(bucket, prefixes=prefixes), log.may_be_written(BUCKET, SEARCH)],
        )
        acknowledge_objects(role, bucket, prefixes)
        acknowledge_wildcards(
            role,
            [
                path
                for access in search_access.COUNTS_DELIVERY
                for path in access.resources(names)
                if "*" in path
            ],
            reason="The paths that the Firehose developer guide asks for; the domain holds nothing but the "
            "counts.",
        )
        self.delivery_stream = firehose.CfnDeliveryStream(
            self,
            "DeliveryStream",
            delivery_stream_name=name,
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=ENCRYPTED_WITH_AWS_KEY,
            amazonopensearchservice_destination_configuration=firehose.CfnDeliveryStream.AmazonopensearchserviceDestinationConfigurationProperty(
                domain_arn=names.search_domain_arn,
                role_arn=role.role_arn,
                index_name=DELIVERY_INDEX,
                index_rotation_period="NoRotation",
                document_id_options=firehose.CfnDeliveryStream.DocumentIdOptionsProperty(
                    default_document_id_format="NO_DOCUMENT_ID"
                ),
                buffering_hints=firehose.CfnDeliveryStream.AmazonopensearchserviceBufferingHintsProperty(
                    interval_in_seconds=settings.delivery.counts_buffer_seconds, size_in_m_bs=BULK_REQUEST_MIB
                ),
                retry_options=firehose.CfnDeliveryStream.AmazonopensearchserviceRetryOptionsProperty(
                    duration_in_seconds=settings.delivery.counts_retry_seconds
                ),
                cloud_watch_logging_options=log.options(SEARCH),
                s3_backup_mode="FailedDocumentsOnly",
                s3_configuration=firehose.CfnDeliveryStream.S3DestinationConfigurationProperty(
                    bucket_arn=bucket.bucket_arn,
                    role_arn=role.role_arn,
                    prefix=FAILED_DOCUMENTS_PREFIX,  # Firehose adds what failed and the hour
                    compression_format="GZIP",
                    buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                        interval_in_seconds=settings.delivery.archive_buffer_seconds,
                        size_in_m_bs=FAILED_BUFFER_MIB,
                    ),
                    cloud_watch_logging_options=log.options(BUCKET),
                ),
            ),
        )
        alarm_when_behind(
            self,
            delivery_stream=name,
            destination="AmazonOpenSearchService",
            buffer_seconds=settings.delivery.counts_buffer_seconds,
        )
        alarm_when_throttled(self, delivery_stream=name)
