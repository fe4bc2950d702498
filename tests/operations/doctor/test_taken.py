"""A name that is taken is found before a deployment fails of it."""

import json

import pytest

from names import OREGON, TOKYO
from operations.doctor import taken
from operations.doctor.check import Verdict
from tests.operations.doctor.conftest import Patient, Put


def test_a_name_of_each_kind_that_is_taken_is_found(patient: Patient, put: Put) -> None:
    names, client = patient.settings.names, patient.emulator.client
    kinesis, logs, s3 = client("kinesis", TOKYO), client("logs", OREGON), client("s3", OREGON)
    iam, sqs, table = client("iam", OREGON), client("sqs", TOKYO), client("dynamodb", TOKYO)
    firehose, events, alarms = (
        client("firehose", OREGON),
        client("events", OREGON),
        client("cloudwatch", OREGON),
    )
    group = "/aws/lambda/click-trends-patient-redelivery"
    queue = {"QueueUrl": f"{patient.emulator.endpoint}/{names.account}/{names.feedback_dead_letters}"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    alarm = "click-trends-patient-source-WriteProvisionedThroughputExceeded"
    put(
        kinesis.create_stream,
        {"StreamName": names.mobile_stream, "ShardCount": 1},
        kinesis.delete_stream,
        {"StreamName": names.mobile_stream},
    )
    put(logs.create_log_group, {"logGroupName": group}, logs.delete_log_group, {"logGroupName": group})
    put(
        s3.create_bucket,
        {
            "Bucket": names.raw_bucket,
            "CreateBucketConfiguration": {"LocationConstraint": OREGON},
        },
        s3.delete_bucket,
        {"Bucket": names.raw_bucket},
    )
    put(
        iam.create_role,
        {"RoleName": names.forwarder, "AssumeRolePolicyDocument": trust},
        iam.delete_role,
        {"RoleName": names.forwarder},
    )
    put(sqs.create_queue, {"QueueName": names.feedback_dead_letters}, sqs.delete_queue, queue)
    put(
        table.create_table,
        {
            "TableName": names.trending_table,
            "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
        table.delete_table,
        {"TableName": names.trending_table},
    )
    put(
        firehose.create_delivery_stream,
        {
            "DeliveryStreamName": names.rejects_delivery_stream,
            "ExtendedS3DestinationConfiguration": {
                "RoleARN": names.role_arn(names.forwarder),
                "BucketARN": f"arn:aws:s3:::{names.raw_bucket}",
            },
        },
        firehose.delete_delivery_stream,
        {"DeliveryStreamName": names.rejects_delivery_stream},
    )
    put(
        events.put_rule,
        {"Name": names.redelivery, "ScheduleExpression": "rate(1 minute)"},
        events.delete_rule,
        {"Name": names.redelivery},
    )
    put(
        alarms.put_metric_alarm,
        {
            "AlarmName": alarm,
            "MetricName": "m",
            "Namespace": "n",
            "Period": 60,
            "Threshold": 1,
            "Statistic": "Sum",
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
        },
        alarms.delete_alarms,
        {"AlarmNames": [alarm]},
    )
    found = {
        key: finding.diagnosis.text.partition(" exists already")[0]
        for key, finding in patient.not_ok().items()
    }
    assert found == {
        (TOKYO, "names of Kinesis streams"): names.mobile_stream,
        (OREGON, "names of Logs log groups"): group,
        (OREGON, "names of S3 buckets"): names.raw_bucket,
        (TOKYO, "names of IAM roles"): names.forwarder,
        (TOKYO, "names of SQS queues"): names.feedback_dead_letters,
        (TOKYO, "names of DynamoDB tables"): names.trending_table,
        (OREGON, "names of KinesisFirehose delivery streams"): names.rejects_delivery_stream,
        (OREGON, "names of Events rules"): names.redelivery,
        (OREGON, "names of CloudWatch alarms"): alarm,
    }


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])
def test_a_queue_that_does_not_exist_is_free_in_either_protocol_of_its_service(
    patient: Patient, code: str
) -> None:
    patient.answers["sqs.GetQueueUrl"] = {"Error": {"Code": code, "Message": "none"}}
    assert not patient.not_ok(only="names of SQS queues")


def test_a_bucket_of_another_account_is_taken(patient: Patient) -> None:
    patient.answers["s3.HeadBucket"] = {"Error": {"Code": "403", "Message": "Forbidden"}}
    outcome = patient.not_ok(only="names of S3 buckets")[OREGON, "names of S3 buckets"].diagnosis
    assert outcome.verdict is Verdict.LACKS
    assert "exist already" in outcome.text


def test_every_type_with_a_name_is_looked_for(patient: Patient) -> None:
    named = {resource.type for resource in patient.wanted.resources if resource.name}
    inside_another = {"AWS::Logs::LogStream"}
    assert {kind for kind in named if not kind.startswith("Custom::")} - {*taken.FINDERS} <= inside_another


def test_each_name_is_free_in_an_empty_account_whatever_its_service_calls_it(patient: Patient) -> None:
    found = [finding for finding in patient.findings() if finding.check.startswith("names of ")]
    assert len({finding.check for finding in found}) > 10
    assert all(finding.diagnosis.text.endswith(" free") for finding in found)
