"""What completes the alarms of a stack: whom they notify, and where the runbook is."""

from aws_cdk import Annotations, Stack
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns

from settings.alarms import AlarmSettings
from settings.regions import Place
from stacks.monitoring.alarm import RUNBOOK, built_alarms


def complete_alarms(*stacks: Stack, place: Place, settings: AlarmSettings, warn: bool) -> None:
    """Let every alarm of the stacks notify the topic of their region, and say where the runbook is.

    Call it when the stacks are complete. place: where they stand; warn: at synthesis, if there is no topic.
    """
    topic_arn = settings.topic_arn(place)
    for stack in stacks:
        alarms = list(built_alarms(stack))
        for alarm in alarms:
            alarm.describe(runbook(settings))
        if topic_arn:
            action = actions.SnsAction(sns.Topic.from_topic_arn(stack, "AlarmTopic", topic_arn))
            for alarm in alarms:
                alarm.construct.add_alarm_action(action)
                alarm.construct.add_ok_action(action)
        elif warn and alarms:
            _warn(stack, settings.key(place))


def runbook(settings: AlarmSettings) -> str:
    """Address of the page, or its path in the repository."""
    return settings.runbook_url or RUNBOOK


def _warn(stack: Stack, key: str) -> None:
    Annotations.of(stack).add_warning_v2(
        "click-trends:alarms-notify-nobody",
        f"The alarms of {stack.stack_name} notify nobody. Make an SNS topic in {stack.region}, subscribe "
        f"whoever is on call, and set alarms.{key} to its ARN.",
    )
