"""What flows through a part: metrics that several alarms and graphs use, each named once.

A record holds any number of clicks. So AWS's metrics of records are compared with each other or with
nothing, shares are of bytes, and our functions count clicks.
"""

from aws_cdk import Duration

from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from stacks.monitoring.measure import PERIOD, Measure, metric


def into_stream(stream: str, *, period: Duration = PERIOD) -> Measure:
    """Records that were put into a Kinesis stream, by its name."""
    return metric(
        "AWS/Kinesis IncomingRecords", dimensions={"StreamName": stream}, statistic="Sum", period=period
    )


def bytes_into_stream(stream: str) -> Measure:
    """Bytes that were put into a Kinesis stream, by its name."""
    return metric("AWS/Kinesis IncomingBytes", dimensions={"StreamName": stream}, statistic="Sum")


def into_delivery_stream(delivery_stream: str) -> Measure:
    """Records that were put into a delivery stream directly, by its name."""
    return _of_delivery_stream(delivery_stream, "IncomingRecords")


def bytes_into_delivery_stream(delivery_stream: str) -> Measure:
    """Bytes that were put into a delivery stream directly, by its name."""
    return _of_delivery_stream(delivery_stream, "IncomingBytes")


def read_by_delivery_stream(delivery_stream: str) -> Measure:
    """Records that it read from its stream."""
    return _of_delivery_stream(delivery_stream, "DataReadFromKinesisStream.Records")


def delivered_to_s3(delivery_stream: str) -> Measure:
    return _of_delivery_stream(delivery_stream, "DeliveryToS3.Records")


def delivered_to_search(delivery_stream: str) -> Measure:
    return _of_delivery_stream(delivery_stream, "DeliveryToAmazonOpenSearchService.Records")


def _of_delivery_stream(delivery_stream: str, name: str) -> Measure:
    return metric(f"AWS/Firehose {name}", dimensions={"DeliveryStreamName": delivery_stream}, statistic="Sum")


def counted(function: str, name: str, *, statistic: str = "Sum", period: Duration = PERIOD) -> Measure:
    """A metric of our own, by the name of the function that counts it."""
    return metric(
        f"{NAMESPACE} {name}",
        dimensions={SERVICE_DIMENSION: function},
        statistic=statistic,
        period=period,
    )
