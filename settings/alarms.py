"""Alarm notifications, and how long producers may be silent.

An alarm can notify only a topic of its own region.
"""

from typing import Annotated

from pydantic import Field

from settings.regions import Place
from settings.section import Section

QuietMinutes = Annotated[int, Field(ge=5, le=1440)]
"""An alarm may evaluate at most a day (CloudWatch API reference, PutMetricAlarm, EvaluationPeriods)."""
TopicArn = Annotated[str, Field(pattern=r"^arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$")]

PageUrl = Annotated[str, Field(pattern=r"^https://[^\s#/?@:\\]+(:[0-9]+)?([/?][^\s#]*)?$", max_length=512)]
"""An alarm's description ends with it and has at most 1,024 characters. It is for all who read alarms, so the
address holds no user and no password."""


class AlarmSettings(Section):
    tokyo_topic_arn: TopicArn | None = Field(
        default=None,
        description="ARN of the SNS topic that Tokyo's alarms notify. Without it they notify nobody. "
        "CloudWatch cannot publish to a topic encrypted with alias/aws/sns: use your own key or none.",
    )
    oregon_topic_arn: TopicArn | None = Field(
        default=None, description="The same for Oregon's alarms: a topic in that region."
    )
    runbook_url: PageUrl | None = Field(
        default=None,
        description="HTTPS address at which the on-call reads docs/operate/runbook.md, without a fragment. "
        "Descriptions of alarms link to it; without it they name the page.",
    )
    mobile_quiet_minutes: QuietMinutes | None = Field(
        default=None,
        description="Minutes without a click from the apps before an alarm enters ALARM. Without it there is "
        "no such alarm.",
    )
    source_quiet_minutes: QuietMinutes | None = Field(
        default=None,
        description="The same for the source stream, which receives all clicks, including the apps'.",
    )

    def topic_arn(self, place: Place) -> str | None:
        arn: str | None = getattr(self, self.key(place))
        return arn

    def key(self, place: Place) -> str:
        """Name of the setting that holds the topic of a place."""
        return f"{place}_topic_arn"
