"""Whether both regions offer what the templates ask for: services, engine, instance type, Flink runtime.

No call says which Flink runtimes a region offers. What can be known before CloudFormation asks for one: the
service has an endpoint there, and the installed SDK knows the runtime.
"""

from collections.abc import Iterator
from functools import partial

from operations.doctor.aws import Aws
from operations.doctor.check import Check, Diagnosis, lacks, ok
from operations.doctor.wanted import WantedResources

SERVICES = {
    "AWS::Athena::WorkGroup": "athena",
    "AWS::CloudWatch::Alarm": "cloudwatch",
    "AWS::Cognito::IdentityPool": "cognito-identity",
    "AWS::Cognito::UserPool": "cognito-idp",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::Events::Rule": "events",
    "AWS::Glue::Database": "glue",
    "AWS::Kinesis::Stream": "kinesis",
    "AWS::KinesisAnalyticsV2::Application": "kinesisanalyticsv2",
    "AWS::KinesisFirehose::DeliveryStream": "firehose",
    "AWS::Lambda::Function": "lambda",
    "AWS::Logs::LogGroup": "logs",
    "AWS::OpenSearchService::Domain": "opensearch",
    "AWS::S3::Bucket": "s3",
    "AWS::SQS::Queue": "sqs",
    "AWS::Scheduler::Schedule": "scheduler",
}


def checks(wanted: WantedResources, aws: Aws) -> list[Check]:
    offline = [
        Check(name="services", where=region, look=partial(_services, wanted, aws, region))
        for region in wanted.regions
    ]
    oregon = wanted.settings.regions.oregon
    return [
        *offline,
        Check(name="Flink runtime", where=oregon, look=lambda: _runtime(wanted, aws)),
        Check(name="OpenSearch engine", where=oregon, look=lambda: _engine(wanted, aws)),
        Check(name="OpenSearch nodes", where=oregon, look=lambda: _nodes(wanted, aws)),
        Check(name="OpenSearch limits", where=oregon, look=lambda: _limits(wanted, aws)),
    ]


def _services(wanted: WantedResources, aws: Aws, region: str) -> Iterator[Diagnosis]:
    needed = {SERVICES[one.type] for one in wanted.resources if one.region == region and one.type in SERVICES}
    missing = sorted(service for service in needed if not aws.offers(service, region))
    if missing:
        yield lacks(
            f"{region} does not offer {', '.join(missing)}, as far as the installed SDK knows.",
            "Choose another region in [regions]; AWS lists the services of each.",
        )
    else:
        yield ok(f"all {len(needed)}")


def _runtime(wanted: WantedResources, aws: Aws) -> Iterator[Diagnosis]:
    [application] = wanted.of_type("AWS::KinesisAnalyticsV2::Application")
    runtime = application.properties["RuntimeEnvironment"]
    model = aws.client("kinesisanalyticsv2", application.region).meta.service_model
    if runtime in model.shape_for("RuntimeEnvironment").enum:
        yield ok(
            f"{runtime} is known to the SDK; CloudFormation finds out whether {application.region} has it"
        )
    else:
        yield lacks(
            f"The installed SDK does not know the runtime {runtime}.",
            "Correct RUNTIME in stacks/analytics/application.py, or raise boto3 in requirements.in.",
        )


def _engine(wanted: WantedResources, aws: Aws) -> Iterator[Diagnosis]:
    [domain] = wanted.of_type("AWS::OpenSearchService::Domain")
    engine = domain.properties["EngineVersion"]
    versions = aws.listed("opensearch", domain.region, "list_versions", "Versions")
    if engine in versions:
        yield ok(engine)
    else:
        newest = next((version for version in versions if version.startswith("OpenSearch_")), "none")
        yield lacks(
            f"{domain.region} does not offer {engine}; the newest there is {newest}.",
            "Set ENGINE in stacks/search/domain.py to one that it offers, or choose another region.",
        )


def _nodes(wanted: WantedResources, aws: Aws) -> Iterator[Diagnosis]:
    search = wanted.settings.search
    [domain] = wanted.of_type("AWS::OpenSearchService::Domain")
    details = aws.client("opensearch", domain.region).list_instance_type_details(
        EngineVersion=domain.properties["EngineVersion"], InstanceType=search.instance_type, RetrieveAZs=True
    )["InstanceTypeDetails"]
    found = next((one for one in details if one["InstanceType"] == search.instance_type), None)
    if found is None:
        yield lacks(
            f"{domain.region} does not offer {search.instance_type} for "
            f"{domain.properties['EngineVersion']}.",
            "Set search.instance_type to one of `aws opensearch list-instance-type-details`.",
        )
        return
    zones = found.get("AvailabilityZones", [])
    if len(zones) < search.availability_zones:
        yield lacks(
            f"{domain.region} has {search.instance_type} in {len(zones)} availability zones, "
            f"search.availability_zones is {search.availability_zones}.",
            f"Set search.availability_zones = {len(zones) or 1}, or take another instance type.",
        )
    else:
        yield ok(f"{search.instance_type} in {len(zones)} availability zones")


def _limits(wanted: WantedResources, aws: Aws) -> Iterator[Diagnosis]:
    search = wanted.settings.search
    [domain] = wanted.of_type("AWS::OpenSearchService::Domain")
    roles = aws.client("opensearch", domain.region).describe_instance_type_limits(
        InstanceType=search.instance_type, EngineVersion=domain.properties["EngineVersion"]
    )["LimitsByRole"]
    data = roles["data"]
    nodes = data["InstanceLimits"]["InstanceCountLimits"]["MaximumInstanceCount"]
    volumes = {
        int(limit["LimitValues"][0])
        for kind in data["StorageTypes"]
        if kind["StorageTypeName"] == "ebs" and kind["StorageSubTypeName"] == "gp3"
        for limit in kind["StorageTypeLimits"]
        if limit["LimitName"] == "MaximumVolumeSize"
    }
    fits = True
    if search.instance_count > nodes:
        fits = False
        yield lacks(
            f"A domain takes at most {nodes} nodes of {search.instance_type}, search.instance_count is "
            f"{search.instance_count}.",
            "Lower it with a larger search.instance_type.",
        )
    for volume in volumes:
        if search.volume_gib > volume:
            fits = False
            yield lacks(
                f"A node {search.instance_type} takes a gp3 volume of at most {volume:,} GiB, "
                f"search.volume_gib is {search.volume_gib:,}.",
                "Lower it, with more nodes or a larger search.instance_type.",
            )
    if fits:
        told = "".join(f", {volume:,} GiB each" for volume in sorted(volumes))
        yield ok(f"up to {nodes} nodes{told}")
