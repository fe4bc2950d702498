"""Whom the alarms call: one place for all alarms of a stack."""

from aws_cdk import Annotations, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns

from settings import Settings
from settings.regions import Place


def notify(*stacks: Stack, settings: Settings) -> None:
    """Let every alarm of the stacks tell the topic of its region when it rings and when it is over.

    Call it when the stacks are complete. Without a topic the synthesis warns.
    """
    for stack in stacks:
        alarms = [found for found in stack.node.find_all() if isinstance(found, cloudwatch.Alarm)]
        if not alarms:
            continue
        topic_arn = settings.alarms.topic_arn(_place(stack, settings))
        if topic_arn is None:
            _warn(stack, settings)
            continue
        topic = sns.Topic.from_topic_arn(stack, "AlarmTopic", topic_arn)
        for alarm in alarms:
            alarm.add_alarm_action(actions.SnsAction(topic))
            alarm.add_ok_action(actions.SnsAction(topic))


def _place(stack: Stack, settings: Settings) -> Place:
    return "tokyo" if stack.region == settings.regions.tokyo else "oregon"


def _warn(stack: Stack, settings: Settings) -> None:
    if not settings.is_twin:
        key = settings.alarms.key(_place(stack, settings))
        Annotations.of(stack).add_warning_v2(
            "click-trends:alarms-call-nobody",
            f"The alarms of {stack.stack_name} call nobody. Make an SNS topic in {stack.region}, subscribe "
            f"whoever is on call, and set alarms.{key} to its ARN.",
        )
