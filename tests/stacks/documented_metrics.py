"""Metrics of AWS as its documents give them: the source that the templates are held against.

Written down from the pages named here, not from the code. A metric that is not here needs its page first.
"""

from dataclasses import dataclass

ALL = ("Minimum", "Maximum", "Average", "Sum")


@dataclass(frozen=True)
class Documented:
    """unit: as the page gives it; statistics: those that the page calls meaningful."""

    unit: str
    dimensions: tuple[str, ...]
    statistics: tuple[str, ...] = ALL


STREAM, DELIVERY, FUNCTION = ("StreamName",), ("DeliveryStreamName",), ("FunctionName",)
MAPPING, DOMAIN, APPLICATION = ("EventSourceMappingUUID",), ("ClientId", "DomainName"), ("Application",)

# Kinesis Data Streams developer guide, "Monitor the Amazon Kinesis Data Streams service with CloudWatch"
KINESIS = {
    "IncomingRecords": Documented("Count", STREAM),
    "GetRecords.Records": Documented("Count", STREAM),
    "GetRecords.IteratorAgeMilliseconds": Documented(
        "Milliseconds", STREAM, ("Minimum", "Maximum", "Average")
    ),
    "WriteProvisionedThroughputExceeded": Documented("Count", STREAM),
}
# Data Firehose developer guide, "Monitor Amazon Data Firehose with CloudWatch metrics"
FIREHOSE = {
    "IncomingRecords": Documented("Count", DELIVERY),
    "ThrottledRecords": Documented("Count", DELIVERY),
    "DataReadFromKinesisStream.Records": Documented("Count", DELIVERY),
    "DeliveryToS3.Records": Documented("Count", DELIVERY),
    "DeliveryToS3.DataFreshness": Documented("Seconds", DELIVERY),
    "DeliveryToAmazonOpenSearchService.Records": Documented("Count", DELIVERY),
    "DeliveryToAmazonOpenSearchService.DataFreshness": Documented("Seconds", DELIVERY),
}
# Lambda developer guide, "Types of metrics for Lambda functions". Those of a mapping have to be switched on:
# CloudFormation template reference, AWS::Lambda::EventSourceMapping MetricsConfig.
LAMBDA = {
    "Invocations": Documented("Count", FUNCTION, ("Sum",)),
    "Errors": Documented("Count", FUNCTION, ("Sum",)),
    "Throttles": Documented("Count", FUNCTION, ("Sum",)),
    "IteratorAge": Documented("Milliseconds", FUNCTION, ("Average", "Maximum")),
    "PolledEventCount": Documented("Count", MAPPING, ("Sum",)),
    "DroppedEventCount": Documented("Count", MAPPING, ("Sum",)),
    "OnFailureDestinationDeliveredEventCount": Documented("Count", MAPPING, ("Sum",)),
}
# SQS developer guide, "Available CloudWatch metrics for Amazon SQS"
SQS = {"ApproximateNumberOfMessagesVisible": Documented("Count", ("QueueName",))}
# DynamoDB developer guide, "DynamoDB metrics and dimensions"
DYNAMODB = {
    "ConsumedReadCapacityUnits": Documented("Count", ("TableName",)),
    "ConsumedWriteCapacityUnits": Documented("Count", ("TableName",)),
}
# OpenSearch Service developer guide, "Monitoring OpenSearch cluster metrics with Amazon CloudWatch"
OPENSEARCH = {
    "ClusterStatus.red": Documented("Count", DOMAIN, ("Maximum",)),
    "ClusterIndexWritesBlocked": Documented("Count", DOMAIN, ("Maximum",)),
    "FreeStorageSpace": Documented("Megabytes", DOMAIN),
    "Nodes": Documented("Count", DOMAIN, ("Maximum",)),
    "AutomatedSnapshotFailure": Documented("Count", DOMAIN, ("Minimum", "Maximum")),
    "CPUUtilization": Documented("Percent", DOMAIN, ("Maximum", "Average")),
    "JVMMemoryPressure": Documented("Percent", DOMAIN, ("Maximum",)),
    "SearchRate": Documented("Count", DOMAIN, ("Average", "Maximum", "Sum")),
    "IndexingRate": Documented("Count", DOMAIN, ("Average", "Maximum", "Sum")),
}
# Managed Service for Apache Flink developer guide, "Metrics and dimensions in Managed Service for Apache
# Flink": those of the level Application, and of a Kinesis source
FLINK = {
    "runningTime": Documented("Milliseconds", APPLICATION),
    "numRestarts": Documented("Count", APPLICATION),
    "numberOfFailedCheckpoints": Documented("Count", APPLICATION),
    "lastCheckpointDuration": Documented("Milliseconds", APPLICATION),
    "containerCPUUtilization": Documented("Percent", APPLICATION),
    "heapMemoryUtilization": Documented("Percent", APPLICATION),
    "millisBehindLatest": Documented("Milliseconds", APPLICATION),
}

METRICS = {
    "AWS/Kinesis": KINESIS,
    "AWS/Firehose": FIREHOSE,
    "AWS/Lambda": LAMBDA,
    "AWS/SQS": SQS,
    "AWS/DynamoDB": DYNAMODB,
    "AWS/ES": OPENSEARCH,
    "AWS/KinesisAnalytics": FLINK,
}
