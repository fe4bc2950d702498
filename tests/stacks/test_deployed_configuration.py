"""The lifecycle is told what the application's own template says, so that both can be compared on AWS."""

from typing import Any

from lambdas.application_lifecycle.running_configuration import described_configuration, differences

Template = dict[str, Any]


def properties_of(template: Template, resource_type: str) -> dict[str, Any]:
    [found] = [one for one in template["Resources"].values() if one["Type"] == resource_type]
    properties: dict[str, Any] = found["Properties"]
    return properties


def as_described(application: dict[str, Any]) -> dict[str, Any]:
    """What DescribeApplication answers for the resource: each part under a name that ends in Description."""
    asked = application["ApplicationConfiguration"]
    flink = asked["FlinkApplicationConfiguration"]
    location = asked["ApplicationCodeConfiguration"]["CodeContent"]["S3ContentLocation"]
    return {
        "RuntimeEnvironment": application["RuntimeEnvironment"],
        "ApplicationConfigurationDescription": {
            "ApplicationCodeConfigurationDescription": {
                "CodeContentDescription": {"S3ApplicationCodeLocationDescription": location}
            },
            "FlinkApplicationConfigurationDescription": {
                "CheckpointConfigurationDescription": flink["CheckpointConfiguration"],
                "ParallelismConfigurationDescription": flink["ParallelismConfiguration"],
            },
            "EnvironmentPropertyDescriptions": {
                "PropertyGroupDescriptions": asked["EnvironmentProperties"]["PropertyGroups"]
            },
        },
    }


def test_the_lifecycle_asks_for_just_what_the_application_is_deployed_with(
    templates: dict[str, Template],
) -> None:
    template = templates["OregonAnalytics"]
    asked = properties_of(template, "Custom::ApplicationLifecycle")["Configuration"]
    application = properties_of(template, "AWS::KinesisAnalyticsV2::Application")
    assert differences(asked, described_configuration(as_described(application))) == []
    assert len(asked) > 20


def test_the_application_keeps_its_state_at_a_stop_and_its_parallelism_under_load(
    templates: dict[str, Template],
) -> None:
    template = templates["OregonAnalytics"]
    asked = properties_of(template, "AWS::KinesisAnalyticsV2::Application")["ApplicationConfiguration"]
    assert asked["ApplicationSnapshotConfiguration"] == {"SnapshotsEnabled": True}
    assert asked["ApplicationSystemRollbackConfiguration"] == {"RollbackEnabled": True}
    flink = asked["FlinkApplicationConfiguration"]
    # Scaling by itself restarts the job, and the lifecycle would find another parallelism than it asks for.
    assert flink["ParallelismConfiguration"]["AutoScalingEnabled"] is False
    checkpoints = flink["CheckpointConfiguration"]
    assert checkpoints["CheckpointingEnabled"] is True
    # Counts are published at checkpoints: a longer pause between two would decide how often.
    assert checkpoints["MinPauseBetweenCheckpoints"] < checkpoints["CheckpointInterval"]


def test_both_resources_of_the_lifecycle_have_the_same_generation_of_the_state(
    templates: dict[str, Template],
) -> None:
    template = templates["OregonAnalytics"]
    generations = {
        properties_of(template, resource_type)["StateGeneration"]
        for resource_type in ("Custom::ApplicationLifecycle", "Custom::ApplicationPause")
    }
    assert generations == {0}
