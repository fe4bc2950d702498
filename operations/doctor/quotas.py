"""Quotas of both regions against what the templates make and the declared peak needs.

Service Quotas names each by a code. Codes and defaults: AWS General Reference, "Service endpoints and
quotas", of Lambda, Kinesis Data Analytics, Firehose, OpenSearch Service and DynamoDB; alarms: CloudWatch user
guide, "CloudWatch service quotas". What a service tells by itself (DescribeLimits, GetAccountSettings,
GetAccountSummary) is asked there, as that is what it decides by.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

from botocore.exceptions import ClientError

from cloudformation import Resource
from operations.doctor.aws import Aws
from operations.doctor.check import Check, Diagnosis, lacks, ok, warning
from operations.doctor.deployed import Deployed
from operations.doctor.wanted import WantedResources
from settings.capacity import forwarder_executions

UNRESERVED_MIN = 100
"""Lambda developer guide, "Configuring reserved concurrency": 100 stay for functions without any. An account
with a quota of up to 100 can reserve nothing ("decreases account's UnreservedConcurrentExecution below its
minimum value"); new accounts were seen with 10 and 50."""
USUAL_EXECUTIONS = 1_000
ALARMS_MAX = 5_000
CLICKS_A_LOGIN = 10
"""Assumed: an app logs in when it starts and once an hour, and its reader clicks so often meanwhile."""
OTHER_FUNCTIONS = 1
"""Executions at a time of a function that does little: the schedules' and the custom resources'."""


@dataclass(frozen=True, kw_only=True)
class Quota:
    """default: where Service Quotas has no value of the account's own and none by default."""

    service: str
    code: str
    name: str
    default: int


APPLICATIONS = Quota(service="kinesisanalytics", code="L-3729A2EF", name="Application count", default=100)
KPUS = Quota(service="kinesisanalytics", code="L-3A88E041", name="Apache Flink KPUs", default=64)
DELIVERY_STREAMS = Quota(service="firehose", code="L-14BB0BE7", name="Delivery streams", default=50)
DOMAINS = Quota(service="es", code="L-076D529E", name="Domains per Region", default=100)
DOMAIN_NODES = Quota(service="es", code="L-6408ABDE", name="Instances per domain", default=80)
TABLES = Quota(service="dynamodb", code="L-F98FE922", name="Maximum number of tables", default=2_500)
LOGINS = (
    Quota(service="cognito-identity", code="L-A38ADA84", name="Rate of GetId requests", default=25),
    Quota(
        service="cognito-identity",
        code="L-5AE9F13D",
        name="Rate of GetCredentialsForIdentity requests",
        default=200,
    ),
)
"""A login of an app is one of each."""


def checks(wanted: WantedResources, aws: Aws, deployed: Deployed) -> list[Check]:
    asked = _Asked(wanted, aws, deployed)
    tokyo, oregon = wanted.regions
    looks: list[tuple[str, str, Callable[[str], Iterator[Diagnosis]]]] = [
        *(("Lambda executions", region, asked.executions) for region in (tokyo, oregon)),
        *(("Kinesis streams and shards", region, asked.streams) for region in (tokyo, oregon)),
        *(("CloudWatch alarms", region, asked.alarms) for region in (tokyo, oregon)),
        ("logins of the apps", tokyo, asked.logins),
        ("DynamoDB tables", tokyo, asked.tables),
        ("KPUs of an application", oregon, asked.kpus),
        ("Flink applications", oregon, asked.applications),
        ("Firehose delivery streams", oregon, asked.delivery_streams),
        ("OpenSearch domains", oregon, asked.domains),
        ("nodes of an OpenSearch domain", oregon, asked.domain_nodes),
        ("IAM roles", "account", asked.roles),
    ]
    return [Check(name=name, where=where, look=partial(look, where)) for name, where, look in looks]


class _Asked:
    def __init__(self, wanted: WantedResources, aws: Aws, deployed: Deployed) -> None:
        self._wanted, self._aws, self._deployed = wanted, aws, deployed
        self._settings = wanted.settings

    def executions(self, region: str) -> Iterator[Diagnosis]:
        """What may be reserved, and what is left for the functions that reserve nothing."""
        limit = self._aws.client("lambda", region).get_account_settings()["AccountLimit"]
        quota, unreserved = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
        functions = list(self._wanted.of_type("AWS::Lambda::Function", region))
        new = {
            function.name or function.logical_id: reserved
            for function in functions
            if (reserved := int(function.properties.get("ReservedConcurrentExecutions", 0)))
            and not self._deployed.has(function)
        }
        left = unreserved - sum(new.values())
        others = [one for one in functions if "ReservedConcurrentExecutions" not in one.properties]
        busy = len(others) * OTHER_FUNCTIONS
        told = f"{busy} functions"
        if any(one.name == self._settings.names.forwarder for one in others):
            shards, lanes = forwarder_executions(self._settings)
            busy += lanes - OTHER_FUNCTIONS
            told = f"{shards} shards of {self._settings.forwarder.parallelization_factor} lanes"
        ask = max(USUAL_EXECUTIONS, quota - left + max(busy, UNRESERVED_MIN))
        remedy = (
            f"Ask for {ask:,}: aws service-quotas request-service-quota-increase --service-code lambda "
            f"--quota-code L-B99A9384 --desired-value {ask} --region {region}"
        )
        if new and left < UNRESERVED_MIN:
            yield lacks(
                f"{sum(new.values())} of {quota:,} concurrent executions are to be reserved for "
                f"{', '.join(new)}, and {left:,} would be left unreserved, of which {UNRESERVED_MIN} must "
                "be: the creation of the function would fail.",
                remedy,
            )
        elif left < busy:  # it stops no deployment
            yield warning(
                f"{left:,} of {quota:,} concurrent executions are unreserved, the declared peak needs "
                f"{busy:,} ({told}): functions would be throttled, and clicks late.",
                f"{remedy}; or lower forwarder.parallelization_factor.",
            )
        else:
            yield ok(f"{left:,} of {quota:,} unreserved, {busy:,} needed at the declared peak")

    def streams(self, region: str) -> Iterator[Diagnosis]:
        kinesis = self._aws.client("kinesis", region)
        limits = kinesis.describe_limits()
        shards = on_demand = 0
        for stream in self._wanted.of_type("AWS::Kinesis::Stream", region):
            there = self._deployed.has(stream)
            if "ShardCount" in stream.properties:
                shards += max(
                    0, int(stream.properties["ShardCount"]) - (_open(kinesis, stream) if there else 0)
                )
            else:
                on_demand += not there
        free_shards = limits["ShardLimit"] - limits["OpenShardCount"]
        free_streams = limits["OnDemandStreamCountLimit"] - limits["OnDemandStreamCount"]
        remedy = f"Ask for more in Service Quotas: Kinesis Data Streams, {region}."
        if shards > free_shards:
            yield lacks(
                f"{free_shards:,} of {limits['ShardLimit']:,} shards are free, {shards:,} needed.", remedy
            )
        elif on_demand > free_streams:
            yield lacks(
                f"{free_streams:,} of {limits['OnDemandStreamCountLimit']:,} on-demand streams are free, "
                f"{on_demand} needed.",
                f'{remedy} Or set streams.mode = "provisioned".',
            )
        else:
            yield ok(f"{free_shards:,} shards and {free_streams:,} on-demand streams free")

    def alarms(self, region: str) -> Iterator[Diagnosis]:
        pages = self._aws.client("cloudwatch", region).get_paginator("describe_alarms").paginate()
        used = sum(len(page["MetricAlarms"]) for page in pages)
        yield self._counted("AWS::CloudWatch::Alarm", region, used, ALARMS_MAX, "CloudWatch, alarms")

    def tables(self, region: str) -> Iterator[Diagnosis]:
        pages = self._aws.client("dynamodb", region).get_paginator("list_tables").paginate()
        used = sum(len(page["TableNames"]) for page in pages)
        yield self._of_quota("AWS::DynamoDB::Table", region, used, TABLES)

    def logins(self, region: str) -> Iterator[Diagnosis]:
        """Beyond the quota Cognito throttles: apps keep their clicks and retry, so this stops no
        deployment."""
        clicks = self._settings.peak.mobile_clicks_per_second
        needed = ceil(clicks / CLICKS_A_LOGIN)
        limits = {quota: self._limit(quota, region) for quota in LOGINS}
        short = [quota for quota, limit in limits.items() if needed > limit]
        for quota in short:
            yield warning(
                f"{clicks:,.0f} clicks a second of apps are {needed:,} logins a second if each makes "
                f"{CLICKS_A_LOGIN} clicks, {quota.name} is {limits[quota]:,}: apps would be throttled, and "
                "their clicks late.",
                _more(quota, region, needed),
            )
        if not short:
            yield ok(f"{needed:,} a second needed, the least quota is {min(limits.values()):,}")

    def applications(self, region: str) -> Iterator[Diagnosis]:
        found = self._aws.listed("kinesisanalyticsv2", region, "list_applications", "ApplicationSummaries")
        yield self._of_quota("AWS::KinesisAnalyticsV2::Application", region, len(found), APPLICATIONS)

    def delivery_streams(self, region: str) -> Iterator[Diagnosis]:
        used = len(_delivery_streams(self._aws.client("firehose", region)))
        yield self._of_quota("AWS::KinesisFirehose::DeliveryStream", region, used, DELIVERY_STREAMS)

    def domains(self, region: str) -> Iterator[Diagnosis]:
        used = len(self._aws.client("opensearch", region).list_domain_names()["DomainNames"])
        yield self._of_quota("AWS::OpenSearchService::Domain", region, used, DOMAINS)

    def kpus(self, region: str) -> Iterator[Diagnosis]:
        """The quota is of one application (Managed Service for Apache Flink guide, "Implement application
        scaling"); its orchestration has a KPU beside them."""
        analytics = self._settings.analytics
        needed = ceil(analytics.parallelism / analytics.parallelism_per_kpu)
        yield self._against(KPUS, region, needed, "analytics.parallelism and parallelism_per_kpu")

    def domain_nodes(self, region: str) -> Iterator[Diagnosis]:
        yield self._against(
            DOMAIN_NODES, region, self._settings.search.instance_count, "search.instance_count"
        )

    def roles(self, _: str) -> Iterator[Diagnosis]:
        summary = self._aws.client("iam", self._settings.regions.oregon).get_account_summary()["SummaryMap"]
        yield self._counted("AWS::IAM::Role", None, summary["Roles"], summary["RolesQuota"], "IAM, roles")

    def _against(self, quota: Quota, region: str, needed: int, settings: str) -> Diagnosis:
        limit = self._limit(quota, region)
        if needed > limit:
            return lacks(
                f"{settings} need {needed:,}, {quota.name} is {limit:,}.", _more(quota, region, needed)
            )
        return ok(f"{needed:,} needed, {quota.name} is {limit:,}")

    def _of_quota(self, resource_type: str, region: str, used: int, quota: Quota) -> Diagnosis:
        limit = self._limit(quota, region)
        needed = used + self._new(resource_type, region)
        return self._counted(
            resource_type, region, used, limit, quota.name, remedy=_more(quota, region, needed)
        )

    def _counted(
        self, resource_type: str, region: str | None, used: int, limit: int, name: str, *, remedy: str = ""
    ) -> Diagnosis:
        new = self._new(resource_type, region)
        if used + new > limit:
            return lacks(
                f"{used:,} of {limit:,} are used, {new} more are needed ({name}).",
                remedy or "Delete what nobody needs, or ask for more in Service Quotas.",
            )
        return ok(f"{used:,} of {limit:,} used, {new} more to come")

    def _new(self, resource_type: str, region: str | None) -> int:
        return sum(not self._deployed.has(one) for one in self._wanted.of_type(resource_type, region))

    def _limit(self, quota: Quota, region: str) -> int:
        client: Any = self._aws.client("service-quotas", region)
        for ask in (client.get_service_quota, client.get_aws_default_service_quota):
            try:
                return int(ask(ServiceCode=quota.service, QuotaCode=quota.code)["Quota"]["Value"])
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchResourceException":
                    raise
        return quota.default


def _open(kinesis: Any, stream: Resource) -> int:
    """Shards of a stream that is there."""
    summary = kinesis.describe_stream_summary(StreamName=stream.name)["StreamDescriptionSummary"]
    return int(summary["OpenShardCount"])


def _more(quota: Quota, region: str, value: int) -> str:
    return (
        f"Ask for it: aws service-quotas request-service-quota-increase --service-code {quota.service} "
        f"--quota-code {quota.code} --desired-value {value} --region {region}"
    )


def _delivery_streams(client: Any) -> list[str]:
    """All of the region: Firehose has no pages, only a name to go on from."""
    names: list[str] = []
    while True:
        after = {"ExclusiveStartDeliveryStreamName": names[-1]} if names else {}
        answer = client.list_delivery_streams(Limit=100, **after)
        names += answer["DeliveryStreamNames"]
        if not answer["HasMoreDeliveryStreams"]:
            return names
