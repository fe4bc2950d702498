"""Encryption at rest of a delivery stream that records are put into; one that reads a stream takes none."""

from aws_cdk import aws_kinesisfirehose as firehose

ENCRYPTED_WITH_AWS_KEY = firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(
    key_type="AWS_OWNED_CMK"
)
