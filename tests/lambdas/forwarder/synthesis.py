"""The forwarder's template, for a test environment."""

from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from names import Names
from settings.forwarder import ForwarderSettings
from stacks.constructs.service_function import FunctionDefaults
from stacks.forwarder.forwarder import Forwarder

NAMES = Names(environment="local", account="000000000000")


def synthesised(destinations: dict[str, str], **forwarder: Any) -> Template:
    stack = Stack(App(), "Ingest", env=Environment(account=NAMES.account, region="ap-northeast-1"))
    Forwarder(
        stack,
        "Forwarder",
        source_arn=NAMES.mobile_stream_arn,
        destinations=destinations,
        dead_letter_bucket=NAMES.dead_letter_bucket,
        names=NAMES,
        settings=ForwarderSettings(**forwarder),
        defaults=FunctionDefaults(architecture="arm64", log_days=30),
    )
    return Template.from_stack(stack)
