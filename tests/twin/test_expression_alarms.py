"""An alarm on an expression can be deployed in the twin."""

import json

from names import OREGON
from twin.emulator import Emulator
from twin.processes import wait_for

TEMPLATE = {
    "Resources": {
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "on-an-expression",
                "AlarmDescription": "grows",
                "AlarmActions": [f"arn:aws:sns:{OREGON}:000000000000:on-call"],
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 5,
                "Threshold": 0,
                "Metrics": [
                    {"Id": "growth", "Expression": "DIFF(counter)"},
                    {"Id": "counter", "Expression": "SELECT MAX(a) FROM b", "ReturnData": False},
                ],
            },
        }
    }
}


def test_an_alarm_on_an_expression_exists_with_its_name_and_actions(emulator: Emulator) -> None:
    cloudformation = emulator.client("cloudformation", OREGON)
    cloudformation.create_stack(StackName="expression", TemplateBody=json.dumps(TEMPLATE))

    def status() -> str:
        found: str = cloudformation.describe_stacks(StackName="expression")["Stacks"][0]["StackStatus"]
        return found

    wait_for(lambda: not status().endswith("IN_PROGRESS"), what="the stack", timeout_seconds=30)
    assert status() == "CREATE_COMPLETE"
    alarms = emulator.client("cloudwatch", OREGON).describe_alarms(AlarmNames=["on-an-expression"])
    [alarm] = alarms["MetricAlarms"]
    assert alarm["AlarmActions"] == [f"arn:aws:sns:{OREGON}:000000000000:on-call"]
    assert alarm["AlarmDescription"] == "grows"
