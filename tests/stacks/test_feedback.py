"""The feedback in the templates: its table, its schedule, its package."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template
from botocore.retries.standard import ExponentialBackoff, RetryContext

from clients.batch_server.search import MAX_PAUSE_SECONDS, MAX_UNANSWERED, REQUEST_TIMEOUT_SECONDS
from lambdas.feedback.configuration import FeedbackConfiguration
from lambdas.feedback.feedback import RESERVE_SECONDS, WRITING_SECONDS
from lambdas.feedback.rankings import GROUPINGS
from lambdas.feedback.table import CLIENT_CONFIG
from names import TOKYO
from settings import Settings
from settings.feedback import Segments
from stacks.constructs.retention import Retention
from stacks.constructs.service_function import FunctionDefaults
from stacks.serving.feedback import TIMEOUT, Feedback
from stacks.serving.trending_table import TrendingTable
from tests.lambdas.feedback.conftest import SETTINGS, configuration_of

NAMES = SETTINGS.names
Build = Callable[[Stack], object]


def template_of(build: Build) -> Template:
    stack = Stack(App(), "Trial", env=Environment(account=SETTINGS.account, region=TOKYO))
    build(stack)
    return Template.from_stack(stack)


def table(*, destroys: bool) -> Template:
    retention = Retention(allowed=destroys, asked=destroys)
    return template_of(lambda stack: TrendingTable(stack, "Table", table_name="t", retention=retention))


@pytest.fixture(scope="module")
def template() -> Template:
    return feedback_of(SETTINGS)


def feedback_of(settings: Settings) -> Template:
    return template_of(
        lambda stack: Feedback(
            stack,
            "Feedback",
            domain_arn=NAMES.search_domain_arn,
            domain_scheme=settings.search.scheme,
            table_arn=NAMES.trending_table_arn,
            names=settings.names,
            settings=settings.feedback,
            defaults=FunctionDefaults(architecture="arm64", log_days=30),
        )
    )


def properties(template: Template, resource_type: str) -> dict[str, Any]:
    [found] = template.find_resources(resource_type).values()
    return dict(found["Properties"])


@pytest.mark.parametrize(("destroys", "policy"), [(False, "Retain"), (True, "Delete")])
def test_only_both_keys_delete_the_table(destroys: bool, policy: str) -> None:
    [found] = table(destroys=destroys).find_resources("AWS::DynamoDB::Table").values()
    # A table left by a failed first creation is empty, and would block the next one.
    assert found["DeletionPolicy"] == ("Delete" if destroys else "RetainExceptOnCreate")
    assert found["UpdateReplacePolicy"] == policy
    assert not found["Properties"].get("DeletionProtectionEnabled", False)


def test_the_function_needs_no_reservation_and_ends_before_the_next_run(template: Template) -> None:
    """A new account can reserve none; concurrent runs do no harm (tests/lambdas/feedback)."""
    found = properties(template, "AWS::Lambda::Function")
    assert "ReservedConcurrentExecutions" not in found
    assert found["Timeout"] < 60
    configuration = FeedbackConfiguration.read(found["Environment"]["Variables"])
    assert configuration.table == NAMES.trending_table
    assert configuration.segments == tuple(SETTINGS.feedback.segments)


def test_the_function_gets_each_feedback_setting() -> None:
    numbers = {"window_minutes": 11, "articles": 12, "min_clicks": 13, "max_input_age_seconds": 140}
    told = configuration_of(**numbers, refresh_minutes=15, period_minutes=2, keep_hours=16)
    assert told == FeedbackConfiguration(
        environment=SETTINGS.environment,
        table=NAMES.trending_table,
        domain=NAMES.search_domain,
        domain_region=SETTINGS.regions.oregon,
        domain_scheme="https",
        segments=tuple(SETTINGS.feedback.segments),
        window=timedelta(minutes=11),
        articles=12,
        min_clicks=13,
        max_input_age=timedelta(seconds=140),
        refresh_after=timedelta(minutes=15),
        fresh_for=timedelta(minutes=15 + 3 * 2),
        keep_for=timedelta(hours=16),
    )


def test_an_invocation_has_time_to_retry_to_write_and_to_report() -> None:
    pauses = MAX_PAUSE_SECONDS * (MAX_UNANSWERED - 1)
    search = MAX_UNANSWERED * REQUEST_TIMEOUT_SECONDS + pauses
    assert search + WRITING_SECONDS + RESERVE_SECONDS < TIMEOUT.to_seconds()
    config: Any = CLIENT_CONFIG
    attempts = config.retries["total_max_attempts"]
    longest = ExponentialBackoff(random=lambda: 1.0)
    waits = sum(longest.delay_amount(RetryContext(attempt)) for attempt in range(1, attempts))
    write = attempts * (config.connect_timeout + config.read_timeout) + waits
    assert write < RESERVE_SECONDS


@pytest.mark.parametrize("minutes", [1, 5])
def test_alarm_periods_equal_the_functions_period(minutes: int) -> None:
    """A shorter period would take the minutes between two runs for missing or good data."""
    feedback = SETTINGS.feedback.model_copy(update={"period_minutes": minutes, "refresh_minutes": 60})
    template = feedback_of(SETTINGS.model_copy(update={"feedback": feedback}))
    alarms = [one["Properties"] for one in template.find_resources("AWS::CloudWatch::Alarm").values()]
    periods = {alarm["MetricName"]: alarm["Period"] for alarm in alarms}
    assert periods == dict.fromkeys(("Errors", "Throttles", "RankingAge"), 60 * minutes)


def test_one_failed_run_leaves_every_alarm_ok(template: Template) -> None:
    """The next run does its work. A lasting failure enters ALARM, and leaves it by itself."""
    alarms = [one["Properties"] for one in template.find_resources("AWS::CloudWatch::Alarm").values()]
    assert {(one["DatapointsToAlarm"], one["EvaluationPeriods"]) for one in alarms} == {(3, 5)}
    silent = {one["MetricName"] for one in alarms if one["TreatMissingData"] == "breaching"}
    assert silent == {"RankingAge"}
    assert not [one for one in alarms if one["Namespace"] == "AWS/SQS"]


def test_the_function_knows_every_segment_of_the_settings() -> None:
    assert set(GROUPINGS) == set(get_args(Segments))
