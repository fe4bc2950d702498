"""Readers of a stream that go on, but no longer hand over every record."""

from typing import Any

import pytest

from review.differences import differences
from review.effects import effect_findings
from review.findings import Finding, Kind
from tests.review.handmade import one, resource

READING = {
    "BatchSize": 100,
    "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::kept"}},
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "MaximumRecordAgeInSeconds": -1,
}


def found(**new: Any) -> list[Finding]:
    properties = {key: value for key, value in {**READING, **new}.items() if value is not None}
    old, changed = (
        one({"M": resource("AWS::Lambda::EventSourceMapping", **values)}) for values in (READING, properties)
    )
    return list(effect_findings(differences(old, changed)))


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ({"Enabled": False}, "stops reading"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, "nothing keeps it"),
        ({"DestinationConfig": None}, "on-failure destination is gone"),
        ({"FunctionResponseTypes": None}, "takes no partial failures"),
        ({"MaximumRecordAgeInSeconds": 60}, "gives up sooner"),
        ({"MaximumRetryAttempts": 2}, "gives up sooner"),
    ],
    ids=str,
)
def test_a_reader_that_loses_records_is_data_lost_and_not_said_to_go_on(
    new: dict[str, Any], says: str
) -> None:
    (finding,) = found(**new)
    assert finding.kind is Kind.DATA_LOSS
    assert says in finding.text


def test_another_size_of_batch_is_a_pause() -> None:
    (finding,) = found(BatchSize=200)
    assert finding.kind is Kind.INTERRUPTION


def test_a_delivery_stream_that_writes_elsewhere_leaves_its_data_behind() -> None:
    def delivering(bucket: str) -> Any:
        destination = {"BucketARN": bucket}
        return one(
            {
                "D": resource(
                    "AWS::KinesisFirehose::DeliveryStream", ExtendedS3DestinationConfiguration=destination
                )
            }
        )

    (finding,) = effect_findings(differences(delivering("arn:aws:s3:::a"), delivering("arn:aws:s3:::b")))
    assert finding.kind is Kind.DATA_LEFT
