"""What is billed for each kind of resource is what a hand would reckon."""

from dataclasses import replace
from typing import Any

import pytest

from cloudformation import Resource
from names import OREGON, TOKYO
from operations.cost.assumptions import HOURS, SECONDS
from operations.cost.estimate import Estimate, estimate_resources
from operations.cost.prices import Prices
from operations.cost.range import Range, exactly
from operations.metrics_page import METRICS_MODULES, metrics_in
from settings import Settings
from tests.operations.cost.changes import Resources, changed, mean_of, usd

GIB = 1024**3


def test_a_record_on_demand_is_billed_as_a_kilobyte(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    found = estimate_resources(resources, mean_of(production, 0.5), prices).lines
    kilobytes = 250 * SECONDS  # of the apps, whose records hold one click
    assert usd(found, "records put", "-mobile").low == pytest.approx(kilobytes * 1024 / GIB * 0.104)
    read = usd(found, "records read", "-mobile")
    assert read.low == pytest.approx(kilobytes * 300 / GIB * 0.052)
    assert read.high == pytest.approx(kilobytes * 1024 / GIB * 0.052)


def test_a_provisioned_stream_is_billed_by_shards_and_put_units(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    streams = changed(
        resources,
        "AWS::Kinesis::Stream",
        ShardCount=7,
        StreamModeDetails={"StreamMode": "PROVISIONED"},
        RetentionPeriodHours=200,
    )
    found = estimate_resources(streams, mean_of(production, 0.5), prices).lines
    assert usd(found, "shards", "-source").low == pytest.approx(7 * 730 * 0.015)
    assert usd(found, "shards", "-mobile").low == pytest.approx(7 * 730 * 0.0195)
    assert usd(found, "records put", "-mobile").low == pytest.approx(250 * SECONDS * 0.0000000215)
    # Records of the web servers, of 24 kB, are one or two units; those of 14 lanes one.
    put_units = usd(found, "records put", "-source").low / SECONDS / 0.000000014
    assert 3.125 + 14 / 3 < put_units < 2 * 3.125 + 14 / 2
    assert usd(found, "kept for a week at most", "-source").low == pytest.approx(7 * 730 * 0.02)
    beyond_a_week = 500 * 300 * (200 - 168) * 3600 / GIB * 0.023
    assert usd(found, "kept longer than a week", "-source").low == pytest.approx(beyond_a_week)


def test_firehose_bills_a_count_as_five_kilobytes_and_a_pack_in_steps_of_five(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    found = estimate_resources(resources, mean_of(production, 0.5), prices).lines
    counts = usd(found, "records, in steps of 5 KB", "-counts")
    assert counts.low == pytest.approx(500 * SECONDS * 5 * 1024 / GIB * 0.029)
    raw = usd(found, "records, in steps of 5 KB", "-raw-backup")
    real = 500 * 300 * SECONDS / GIB
    assert 1.08 * real * 0.029 < raw.low <= raw.high < 1.15 * real * 0.032


def test_the_application_has_a_kpu_more_for_orchestration(
    of_production: Estimate, production: Settings
) -> None:
    kpus = production.analytics.parallelism // production.analytics.parallelism_per_kpu
    line = usd(of_production.lines, "KPUs, one for orchestration")
    assert line.low == pytest.approx((kpus + 1) * HOURS * 0.11)


def test_the_domain_is_billed_by_nodes_and_volumes(of_production: Estimate, prices: Prices) -> None:
    node = prices.node("m7g.large.search")
    assert usd(of_production.lines, "data nodes, m7g.large.search").low == 3 * HOURS * node.usd_hour
    assert usd(of_production.lines, "volumes").low == pytest.approx(3 * 185 * 0.122)


def test_the_domains_masters_are_billed_too(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    [domain] = [one for one in resources if one.type == "AWS::OpenSearchService::Domain"]
    cluster = {
        **domain.properties["ClusterConfig"],
        "DedicatedMasterEnabled": True,
        "DedicatedMasterType": "m7g.medium.search",
        "DedicatedMasterCount": 3,
    }
    found = estimate_resources(
        changed(resources, domain.type, ClusterConfig=cluster), production, prices
    ).lines
    assert usd(found, "dedicated masters, m7g.medium.search").low == pytest.approx(3 * HOURS * 0.068)


def test_auto_scaling_may_go_to_its_quota(resources: Resources, production: Settings, prices: Prices) -> None:
    [application] = [one for one in resources if one.type == "AWS::KinesisAnalyticsV2::Application"]
    configuration = application.properties["ApplicationConfiguration"]
    flink = configuration["FlinkApplicationConfiguration"]
    scaling = {**flink["ParallelismConfiguration"], "AutoScalingEnabled": True}
    changed_configuration = {
        **configuration,
        "FlinkApplicationConfiguration": {**flink, "ParallelismConfiguration": scaling},
    }
    scaled = changed(resources, application.type, ApplicationConfiguration=changed_configuration)
    found = estimate_resources(scaled, production, prices).lines
    assert usd(found, "KPUs, one for orchestration").high == pytest.approx(65 * HOURS * 0.121)


def calls_of(
    resources: Resources,
    settings: Settings,
    prices: Prices,
    clicks_per_second: int,
    clicks_per_record: float = 1.0,
) -> Range:
    peak = settings.peak.model_copy(
        update={
            "clicks_per_second": clicks_per_second,
            "mobile_share": 1.0,
            "mobile_clicks_per_record": clicks_per_record,
        }
    )
    quiet = mean_of(settings.model_copy(update={"peak": peak}), 1.0)
    found = estimate_resources(resources, quiet, prices).lines
    [line] = [line for line in found if line.item == "invocations" and line.named.endswith("-forwarder")]
    return line.quantity


def with_forwarder(resources: Resources, *, lanes: int, window: int) -> Resources:
    mapping = {"ParallelizationFactor": lanes, "MaximumBatchingWindowInSeconds": window}
    one_shard = changed(
        resources,
        "AWS::Kinesis::Stream",
        ShardCount=1,
        StreamModeDetails={"StreamMode": "PROVISIONED"},
    )
    return changed(one_shard, "AWS::Lambda::EventSourceMapping", **mapping)


def test_busy_lanes_are_invoked_once_a_window(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    busy = calls_of(with_forwarder(resources, lanes=10, window=4), production, prices, 1_000)
    assert busy.high == pytest.approx(10 * SECONDS / 4)
    assert busy.low == pytest.approx(10 * SECONDS / 5)


def test_quiet_lanes_are_invoked_once_a_record(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    lanes = with_forwarder(resources, lanes=10, window=0)
    quiet = calls_of(lanes, production, prices, 1)
    assert quiet.high <= SECONDS
    assert quiet.low >= 0.9 * SECONDS
    assert calls_of(lanes, production, prices, 5, clicks_per_record=5.0) == quiet


def test_a_function_whose_work_nobody_declared_is_between_never_and_once_a_minute(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    [function, *_] = [one for one in resources if one.type == "AWS::Lambda::Function"]
    stranger = replace(function, logical_id="Stranger").with_properties(FunctionName="stranger")
    found = estimate_resources((*resources, stranger), production, prices).lines
    [line] = [line for line in found if line.of == "Stranger" and line.item == "invocations"]
    assert line.quantity == Range(0, HOURS * 60)


def test_redelivery_is_invoked_as_often_as_its_schedule_says(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    def calls(changed_resources: Resources) -> Range:
        found = estimate_resources(changed_resources, production, prices).lines
        [line] = [line for line in found if line.item == "invocations" and line.named.endswith("-redelivery")]
        return line.quantity

    assert calls(resources) == exactly(43_800)
    hourly = changed(resources, "AWS::Events::Rule", ScheduleExpression="rate(2 hours)")
    assert calls(hourly) == exactly(365)
    assert calls(changed(resources, "AWS::Events::Rule", State="DISABLED")) == exactly(0)
    found = estimate_resources(resources, production, prices)
    assert usd(found.lines, "memory and time", "-redelivery").high < 5
    listed = changed(resources, "AWS::Events::Rule", State="DISABLED")
    without = estimate_resources(listed, production, prices)
    lists = usd(found.lines, "puts and lists", "-rejected-111111111111").low
    assert lists - usd(without.lines, "puts and lists", "-rejected-111111111111").low == pytest.approx(
        2 * 43_800 * 0.000005
    )


def test_a_rule_whose_schedule_is_not_understood_leaves_the_cost_unknown(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    odd = changed(resources, "AWS::Events::Rule", ScheduleExpression="cron(0 * * * ? *)")
    found = estimate_resources(odd, production, prices)
    assert any(
        "fires: add its schedule to operations/cost/supporting.py" in one.why for one in found.unpriced
    )


def test_running_storage_comes_with_each_kpu(of_production: Estimate) -> None:
    [line] = [line for line in of_production.lines if line.item == "running storage"]
    assert line.quantity == exactly(2 * 50)


def test_a_table_that_nothing_tells_of_is_not_priced_as_the_rankings(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    [table] = [one for one in resources if one.type == "AWS::DynamoDB::Table"]
    stranger = replace(table, logical_id="Stranger").with_properties(TableName="stranger")
    found = estimate_resources((*resources, stranger), production, prices)
    assert not [line for line in found.lines if line.of == "Stranger"]
    [unknown] = [one for one in found.unpriced if one.of == "Stranger"]
    assert "written to the table stranger: add it to operations/cost/supporting.py" in unknown.why


def test_the_lines_of_an_account_share_the_tiers_of_a_price(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    peak = production.peak.model_copy(update={"clicks_per_second": 320_000})
    busy = mean_of(production.model_copy(update={"peak": peak}), 0.5)
    found = estimate_resources(resources, busy, prices).lines
    lines = [line for line in found if line.item == "records, in steps of 5 KB"]
    together = sum((line.quantity for line in lines), start=exactly(0))
    assert len(lines) == 3
    assert all(line.quantity.low < 2_048_000 < together.low for line in lines)
    firehose = prices.price("firehose_in", OREGON)
    assert sum(line.usd.low for line in lines) == pytest.approx(firehose.usd(together, OREGON).low)
    rates = {round(line.usd.high / line.quantity.high, 9) for line in lines if line.quantity.high}
    assert len(rates) == 1


def test_objects_are_kept_for_as_long_as_the_bucket_says(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    found = estimate_resources(resources, mean_of(production, 0.5), prices).lines
    [line] = [line for line in found if line.item == "objects" and "-raw-" in line.named]
    raw_bytes = 500 * 300 * 90 * 24 * 3600
    assert line.quantity.low == pytest.approx(raw_bytes * 0.1 / GIB)
    assert line.quantity.high == pytest.approx(raw_bytes * 0.35 / GIB)


def test_what_is_never_deleted_grows_for_a_year(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    endless = changed(resources, "AWS::S3::Bucket", LifecycleConfiguration={"Rules": []})
    found = estimate_resources(endless, mean_of(production, 0.5), prices).lines
    [line] = [line for line in found if line.item == "objects" and "-raw-" in line.named]
    assert line.quantity.high == pytest.approx(500 * 300 * SECONDS * 12 * 0.35 / GIB)


def test_no_mobile_clicks_cost_no_invocations(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    peak = production.peak.model_copy(update={"mobile_share": 0.0})
    settings = production.model_copy(update={"peak": peak})
    found = estimate_resources(resources, settings, prices).lines
    [line] = [line for line in found if line.item == "invocations" and line.named.endswith("-forwarder")]
    assert line.usd == Range(0, 0)


@pytest.mark.parametrize("region", [TOKYO, OREGON])
@pytest.mark.parametrize(
    "of_type",
    [
        ("AWS::SNS::Topic", 0.02),
        ("AWS::SQS::Queue", 0.08),
        ("AWS::Scheduler::Schedule", 0.06),
        ("AWS::CloudWatch::Dashboard", 3),
        ("AWS::CloudWatch::CompositeAlarm", 0.6),
        ("AWS::Logs::MetricFilter", 0.3),
        ("AWS::KMS::Key", 1),
    ],
    ids=lambda of_type: of_type[0],
)
def test_what_a_later_stack_may_bring_is_priced_in_both_regions(
    resources: Resources, production: Settings, prices: Prices, region: str, of_type: tuple[str, float]
) -> None:
    resource_type, most = of_type
    new = Resource(stack="New", region=region, logical_id="New", body={"Type": resource_type})
    found = estimate_resources((*resources, new), production, prices).lines
    usd_of_new = [line.usd for line in found if line.of == "New"]
    assert usd_of_new
    assert 0 < sum(one.high for one in usd_of_new) <= most


def test_rankings_cost_by_what_changes_and_at_least_by_what_is_refreshed(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    found = estimate_resources(resources, production, prices).lines
    runs = HOURS * 60
    written = usd(found, "rankings written", "-trending")
    assert written.low == pytest.approx(50 * (1 / 5) * 1 * runs * 0.000000715)  # each once in 5 minutes
    assert written.high == pytest.approx(700 * 1 * 2 * runs * 0.000000715)  # 400 + 20 x 70 bytes: 2 KB
    slower = production.feedback.model_copy(update={"period_minutes": 5})
    found = estimate_resources(resources, production.model_copy(update={"feedback": slower}), prices).lines
    assert usd(found, "rankings written", "-trending").high == pytest.approx(written.high / 5)


def test_an_alarm_on_several_metrics_is_billed_for_each(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    queries = [{"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}, {"Id": "c", "Expression": "a/b"}]
    alarm = Resource(
        stack="New",
        region=OREGON,
        logical_id="New",
        body={"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": queries}},
    )
    found = estimate_resources((*resources, alarm), production, prices).lines
    assert [line.usd.low for line in found if line.of == "New"] == [pytest.approx(0.2)]


def test_a_rule_for_a_part_of_a_bucket_or_one_that_is_off_does_not_empty_it(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    def kept(*rules: dict[str, Any]) -> Range:
        one = changed(resources, "AWS::S3::Bucket", LifecycleConfiguration={"Rules": list(rules)})
        return usd(estimate_resources(one, production, prices).lines, "objects", "-raw-111111111111")

    whole = {"Status": "Enabled", "ExpirationInDays": 90}
    alone = kept(whole)
    assert kept(whole, {**whole, "Status": "Disabled", "ExpirationInDays": 1}) == alone
    with_part = kept(whole, {**whole, "Prefix": "tmp/", "ExpirationInDays": 1})
    assert with_part.high == pytest.approx(alone.high)
    assert with_part.low < alone.low


def test_the_metrics_of_our_functions_are_billed(of_production: Estimate) -> None:
    """Every function that publishes some, by as many as its module names."""
    for module in METRICS_MODULES:
        name = module.parent.name.replace("_", " ")
        named = len(dict(metrics_in(module)))
        [line] = [line for line in of_production.lines if line.item == f"metrics of the {name}"]
        assert line.quantity.high >= named, name
