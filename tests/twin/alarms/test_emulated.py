"""The emulated CloudWatch with our evaluator, on a clock whose minute is a second."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from names import OREGON, TOKYO
from twin.alarms.clock import AlarmClock
from twin.alarms.missing_data import State
from twin.alarms.states import AlarmState, alarm_states
from twin.emulator import Emulator
from twin.processes import wait_for

TOPIC = f"arn:aws:sns:{OREGON}:000000000000:on-call"
WAIT_SECONDS = 30
QUEUE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": TOPIC.replace("sns", "sqs"),
        }
    ],
}


def _alarm(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": name,
            "AlarmDescription": "queue: it is full. What to do: docs/operate/runbook.md#full",
            "AlarmActions": [TOPIC],
            "OKActions": [TOPIC],
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 10,
            "TreatMissingData": "notBreaching",
            **properties,
        },
    }


TEMPLATE = {
    "Resources": {
        "Plain": _alarm(
            "plain",
            Namespace="Some",
            MetricName="length",
            Dimensions=[{"Name": "Queue", "Value": "full"}],
            Period=60,
            Statistic="Maximum",
        ),
        "Expression": _alarm(
            "on-an-expression",
            Metrics=[
                {"Id": "e", "Expression": "IF(FILL(sent, 0) > 0, 11, 0)"},
                {
                    "Id": "sent",
                    "MetricStat": {
                        "Metric": {"Namespace": "Some", "MetricName": "sent"},
                        "Period": "60",
                        "Stat": "Sum",
                    },
                    "ReturnData": False,
                },
            ],
        ),
        "Query": _alarm(
            "on-a-query",
            Metrics=[
                {
                    "Id": "q",
                    "Expression": "SELECT MAX(length) FROM \"Some\" WHERE Queue = 'other'",
                    "Period": 60,
                }
            ],
        ),
        "Silent": _alarm(
            "silent",
            Namespace="Some",
            MetricName="never",
            Period=60,
            Statistic="Sum",
            TreatMissingData="breaching",
        ),
        "Odd": _alarm("odd", Namespace="Some", MetricName="length", Period=60, ExtendedStatistic="p99"),
    }
}


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """With the alarms of TEMPLATE, and a queue at their topic."""
    log = tmp_path_factory.mktemp("emulator") / "log"
    clock = AlarmClock(60, origin=time.time())
    emulator = Emulator(opensearch_endpoint="http://127.0.0.1:1", log=log, clock=clock)
    try:
        emulator.wait_until_ready()
        sqs, sns = emulator.client("sqs", OREGON), emulator.client("sns", OREGON)
        sns.create_topic(Name="on-call")
        sqs.create_queue(QueueName="on-call", Attributes={"Policy": json.dumps(QUEUE_POLICY)})
        sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=TOPIC.replace("sns", "sqs"))
        cloudformation = emulator.client("cloudformation", OREGON)
        cloudformation.create_stack(StackName="alarms", TemplateBody=json.dumps(TEMPLATE))

        def created() -> bool:
            [stack] = cloudformation.describe_stacks(StackName="alarms")["Stacks"]
            assert not stack["StackStatus"].endswith("FAILED")
            return bool(stack["StackStatus"] == "CREATE_COMPLETE")

        wait_for(created, what="the stack", timeout_seconds=WAIT_SECONDS)
        yield emulator
    finally:
        emulator.stop()


def _state(emulator: Emulator, name: str) -> AlarmState:
    [found] = [alarm for alarm in alarm_states(emulator) if alarm.name == name]
    return found


def _wait(emulator: Emulator, name: str, state: State) -> None:
    wait_for(
        lambda: _state(emulator, name).state is state,
        what=f"{name} {state}",
        timeout_seconds=WAIT_SECONDS,
        seen=lambda: str(_state(emulator, name)),
    )


def _put(emulator: Emulator, name: str, value: float, **dimensions: str) -> None:
    emulator.client("cloudwatch", OREGON).put_metric_data(
        Namespace="Some",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": of} for key, of in dimensions.items()],
                "Value": value,
            }
        ],
    )


def _told(emulator: Emulator, name: str) -> list[tuple[str, str]]:
    """The states before and after each transition that reached the topic's queue."""
    sqs = emulator.client("sqs", OREGON)
    queue = sqs.get_queue_url(QueueName="on-call")["QueueUrl"]
    found = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            said = json.loads(json.loads(message["Body"])["Message"])
            if said["AlarmName"] == name:
                found.append((said["OldStateValue"], said["NewStateValue"]))
    return found


def test_an_alarm_enters_alarm_and_ok_and_its_actions_reach_the_topic(fast: Emulator) -> None:
    _wait(fast, "plain", State.OK)
    _told(fast, "plain")
    _put(fast, "length", 50, Queue="other")  # which MiniStack's own evaluator would count here
    _wait(fast, "on-a-query", State.ALARM)
    assert _state(fast, "plain").state is State.OK
    _put(fast, "length", 50, Queue="full")
    _wait(fast, "plain", State.ALARM)
    _wait(fast, "plain", State.OK)  # the datapoint has left the evaluation range
    assert _told(fast, "plain") == [("OK", "ALARM"), ("ALARM", "OK")]


def test_an_alarm_on_an_expression_is_evaluated_and_described(fast: Emulator) -> None:
    _wait(fast, "on-an-expression", State.OK)
    _put(fast, "sent", 1)
    _wait(fast, "on-an-expression", State.ALARM)
    described = fast.client("cloudwatch", OREGON).describe_alarms(AlarmNames=["on-an-expression"])
    [alarm] = described["MetricAlarms"]
    assert alarm["AlarmActions"] == [TOPIC]
    assert [query["Id"] for query in alarm["Metrics"]] == ["e", "sent"]
    _wait(fast, "on-an-expression", State.OK)


def test_silence_that_breaches_is_an_alarm_and_leads_to_the_runbook(fast: Emulator) -> None:
    _wait(fast, "silent", State.ALARM)
    alarm = _state(fast, "silent")
    assert (alarm.shows, alarm.runbook) == ("queue: it is full.", "docs/operate/runbook.md#full")
    assert alarm.reason.endswith("the newest last: missing")


def test_a_state_set_by_hand_lasts_until_the_next_evaluation(fast: Emulator) -> None:
    _wait(fast, "silent", State.ALARM)
    fast.client("cloudwatch", OREGON).set_alarm_state(
        AlarmName="silent", StateValue="OK", StateReason="a test"
    )
    _wait(fast, "silent", State.ALARM)


def test_an_alarm_that_cannot_be_evaluated_says_why(fast: Emulator) -> None:
    wait_for(
        lambda: "does not know the statistic p99" in _state(fast, "odd").reason,
        what="a reason",
        timeout_seconds=WAIT_SECONDS,
    )
    assert _state(fast, "odd").state is State.INSUFFICIENT_DATA


def test_what_is_put_and_read_counts_in_the_metrics_of_its_stream(fast: Emulator) -> None:
    kinesis, cloudwatch = fast.client("kinesis", TOKYO), fast.client("cloudwatch", TOKYO)
    kinesis.create_stream(StreamName="counted", ShardCount=1)
    kinesis.put_records(
        StreamName="counted", Records=[{"Data": b"abcdef", "PartitionKey": "a"} for _ in range(3)]
    )
    kinesis.put_record(StreamName="counted", Data=b"abc", PartitionKey="a")
    now = time.time()

    def total(name: str) -> float:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Kinesis",
            MetricName=name,
            Dimensions=[{"Name": "StreamName", "Value": "counted"}],
            StartTime=now - 120,
            EndTime=now + 120,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    assert total("IncomingRecords") == 4
    assert total("IncomingBytes") == 21


def test_the_clock_stretches_times_and_durations_only() -> None:
    clock = AlarmClock(10, origin=1000)
    assert clock.at(1001.5) == 1015
    assert clock.wall_seconds(60) == 6
    assert clock.stretch("IteratorAge", "Milliseconds") == 10
    assert clock.stretch("segmentsSecondsSinceCheck", "None") == 10
    assert clock.stretch("Errors", "Count") == 1
    with pytest.raises(ValueError, match="factor must be from 1 to 60"):
        AlarmClock(0.5)
