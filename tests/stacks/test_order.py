"""What must be there before something else starts."""

from collections.abc import Iterator
from typing import Any

from contract.sink import SINKS

COUNTS = {f"click-trends-production-{sink.name}" for sink in SINKS}
Template = dict[str, Any]


def of_type(template: Template, resource_type: str) -> str:
    found: str
    [found] = [name for name, one in template["Resources"].items() if one["Type"] == resource_type]
    return found


def before(template: Template, name: str) -> set[str]:
    """Every resource that CloudFormation completes before it begins with this one."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        resource = template["Resources"][waiting.pop()]
        named = {*resource.get("DependsOn", []), *references(resource.get("Properties", {}))}
        new = (named & template["Resources"].keys()) - found
        found |= new
        waiting.extend(new)
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "Ref" in value:
            yield value["Ref"]
        if "Fn::GetAtt" in value:
            yield value["Fn::GetAtt"][0]
        for item in value.values():
            yield from references(item)
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_application_starts_when_its_log_and_its_delivery_streams_are_there(
    templates: dict[str, Template],
) -> None:
    template = templates["OregonAnalytics"]
    ready = before(template, of_type(template, "Custom::ApplicationLifecycle"))
    assert of_type(template, "AWS::KinesisAnalyticsV2::Application") in ready
    assert of_type(template, "AWS::KinesisAnalyticsV2::ApplicationCloudWatchLoggingOption") in ready
    delivery = {
        one["Properties"]["DeliveryStreamName"]
        for name, one in template["Resources"].items()
        if name in ready and one["Type"] == "AWS::KinesisFirehose::DeliveryStream"
    }
    assert delivery == {*COUNTS, "click-trends-production-rejects"}


def test_the_application_is_paused_before_it_is_changed_and_started_after(
    templates: dict[str, Template],
) -> None:
    template = templates["OregonAnalytics"]
    application = of_type(template, "AWS::KinesisAnalyticsV2::Application")
    pause = of_type(template, "Custom::ApplicationPause")
    role = template["Resources"][application]["Properties"]["ServiceExecutionRole"]["Fn::GetAtt"][0]
    assert pause in before(template, application)
    assert pause in before(template, role)
    assert application in before(template, of_type(template, "Custom::ApplicationLifecycle"))


def test_no_count_reaches_the_domain_before_the_ingest_pipeline(templates: dict[str, Template]) -> None:
    template = templates["OregonAnalytics"]
    counts = [
        name
        for name, one in template["Resources"].items()
        if one["Properties"].get("DeliveryStreamName") in COUNTS
    ]
    assert len(counts) == len(COUNTS)
    for delivery_stream in counts:
        assert of_type(template, "Custom::SearchBootstrap") in before(template, delivery_stream)
