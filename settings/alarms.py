"""Settings of the alarms: whom they call, and when the silence of producers is a fault.

An alarm can call a topic of its own region only.
"""

from typing import Annotated

from pydantic import Field

from settings.regions import Place
from settings.section import Section

QuietMinutes = Annotated[int, Field(ge=5, le=1440)]
"""An alarm may look back over a day (CloudWatch API reference, PutMetricAlarm, EvaluationPeriods)."""
TopicArn = Annotated[str, Field(pattern=r"^arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$")]


class AlarmSettings(Section):
    tokyo_topic_arn: TopicArn | None = Field(
        default=None,
        description="ARN of the SNS topic that the alarms of Tokyo call; left out: nobody. A topic encrypted "
        "with the key alias/aws/sns gets nothing from CloudWatch: use none or one of your own.",
    )
    oregon_topic_arn: TopicArn | None = Field(
        default=None, description="The same for the alarms of Oregon: a topic of that region."
    )
    mobile_quiet_minutes: QuietMinutes | None = Field(
        default=None,
        description="Minutes without a click from the apps after which an alarm rings; left out: never.",
    )
    source_quiet_minutes: QuietMinutes | None = Field(
        default=None,
        description="The same for the source stream, where all clicks arrive: those of the apps too.",
    )

    def topic_arn(self, place: Place) -> str | None:
        arn: str | None = getattr(self, self.key(place))
        return arn

    def key(self, place: Place) -> str:
        """The setting that holds the topic of a place."""
        return f"{place}_topic_arn"
