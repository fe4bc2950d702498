"""Feedback: the function that writes rankings for the service, and what invokes it every minute."""

import json

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.feedback import configuration
from names import Names
from settings.feedback import FeedbackSettings
from stacks.constructs.acknowledge import acknowledge, acknowledge_wildcards
from stacks.constructs.lambda_package import lambda_zip
from stacks.constructs.read_progress import acknowledge_progress, reads_progress
from stacks.constructs.service_function import FunctionDefaults, ServiceFunction
from stacks.search import access as search_access
from stacks.serving.alarms import alarm_on_feedback

TIMEOUT = Duration.seconds(50)
"""Shorter than the shortest period, so that a run ends before the next."""
MEMORY_MIB = 512
"""A run waits for Oregon and for the table. 700 lists of 20 articles are 1 MB of JSON."""
MAX_EVENT_AGE = Duration.minutes(1)
"""An invocation that waited for longer is given up: the next one does its work."""
SCHEDULE_RETRIES = 2
DEAD_LETTERS_KEPT = Duration.days(14)


class Feedback(Construct):
    """domain_arn, domain_scheme: of the search domain in Oregon; table_arn: of the rankings."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        domain_arn: str,
        domain_scheme: str,
        table_arn: str,
        names: Names,
        settings: FeedbackSettings,
        defaults: FunctionDefaults,
    ) -> None:
        super().__init__(scope, construct_id)
        not_invoked = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=names.feedback_dead_letters,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=DEAD_LETTERS_KEPT,
        )
        acknowledge(not_invoked, "SQS3", reason="It is itself the queue of dead letters.")
        service = ServiceFunction(
            self,
            "Lambda",
            name=names.feedback,
            description="Writes what each kind of reader clicks most, for the service to read",
            package=lambda_zip("feedback"),
            statements=_permissions(domain_arn, table_arn, names.oregon),
            environment=environment_of(
                settings, names=names, domain_arn=domain_arn, domain_scheme=domain_scheme, table_arn=table_arn
            ),
            memory_mib=MEMORY_MIB,
            timeout=TIMEOUT,
            defaults=defaults,
        )
        acknowledge_wildcards(
            service.role,
            [path for access in search_access.FEEDBACK for path in access.resources(domain_arn)],
            reason="There is an index for each day, and only searching is allowed in them; the wildcard of "
            "the Deny takes away, it gives nothing.",
        )
        acknowledge_progress(service.role)
        # Its logical id stays: a second configuration of a function takes the first one's place, and the
        # deletion of the first would take both away.
        lambda_.CfnEventInvokeConfig(
            self,
            "Invocations",
            function_name=service.function.function_name,
            qualifier="$LATEST",
            maximum_event_age_in_seconds=round(MAX_EVENT_AGE.to_seconds()),
            maximum_retry_attempts=0,  # the schedule comes again sooner than Lambda would retry
        )
        _schedule(
            self,
            function_arn=service.function.function_arn,
            queue=not_invoked,
            minutes=settings.period_minutes,
            names=names,
        )
        alarm_on_feedback(
            self,
            function=names.feedback,
            fresh_seconds=settings.fresh_seconds,
            period_minutes=settings.period_minutes,
        )


def _permissions(domain_arn: str, table_arn: str, oregon: str) -> list[iam.PolicyStatement]:
    permissions = {
        "FindsTheDomain": ("es:DescribeDomain", domain_arn),
        "ReadsRankings": ("dynamodb:Scan", table_arn),
        "WritesRankings": ("dynamodb:PutItem", table_arn),
    }
    return [
        *(access.statement(domain_arn) for access in search_access.FEEDBACK),
        reads_progress(oregon),
        *(
            iam.PolicyStatement(sid=sid, actions=[action], resources=[resource])
            for sid, (action, resource) in permissions.items()
        ),
    ]


def environment_of(
    settings: FeedbackSettings, *, names: Names, domain_arn: str, domain_scheme: str, table_arn: str
) -> dict[str, str]:
    return {
        configuration.ENVIRONMENT: names.environment,
        configuration.TABLE: table_arn.rpartition("/")[2],
        configuration.DOMAIN: domain_arn.rpartition("/")[2],
        configuration.DOMAIN_REGION: names.oregon,
        configuration.DOMAIN_SCHEME: domain_scheme,
        configuration.SEGMENTS: json.dumps(settings.segments),
        configuration.WINDOW_MINUTES: str(settings.window_minutes),
        configuration.ARTICLES: str(settings.articles),
        configuration.MIN_CLICKS: str(settings.min_clicks),
        configuration.MAX_INPUT_AGE_SECONDS: str(settings.max_input_age_seconds),
        configuration.REFRESH_MINUTES: str(settings.refresh_minutes),
        configuration.FRESH_SECONDS: str(settings.fresh_seconds),
        configuration.KEEP_HOURS: str(settings.keep_hours),
    }


def _schedule(scope: Construct, *, function_arn: str, queue: sqs.IQueue, minutes: int, names: Names) -> None:
    role = iam.Role(
        scope,
        "ScheduleRole",
        role_name=names.feedback_schedule,
        assumed_by=iam.ServicePrincipal(
            "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": names.account}}
        ),
        inline_policies={
            "Rights": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        sid="InvokesFeedback", actions=["lambda:InvokeFunction"], resources=[function_arn]
                    ),
                    iam.PolicyStatement(
                        sid="KeepsWhatIsNotInvoked", actions=["sqs:SendMessage"], resources=[queue.queue_arn]
                    ),
                ]
            )
        },
    )
    scheduler.CfnSchedule(
        scope,
        "Schedule",
        name=names.feedback_schedule,
        description="Invokes the feedback of rankings to the service",
        schedule_expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        target=scheduler.CfnSchedule.TargetProperty(
            arn=function_arn,
            role_arn=role.role_arn,
            input="{}",
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=round(MAX_EVENT_AGE.to_seconds()),
                maximum_retry_attempts=SCHEDULE_RETRIES,
            ),
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=queue.queue_arn),
        ),
    )
