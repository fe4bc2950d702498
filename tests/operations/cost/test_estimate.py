"""Each billed dimension is in the estimate, in its region, and nothing that costs is left out of it."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudformation import AssemblyError, Resource, read_resources
from names import OREGON, TOKYO
from operations.cost.basis import Basis, MeanTraffic
from operations.cost.estimate import Estimate, estimate_resources
from operations.cost.prices import Prices, UnpricedError
from operations.cost.range import Range
from operations.cost.types import FREE, PRICED
from settings import Settings
from tests.operations.cost.changes import Resources, changed


def test_every_type_in_the_templates_is_priced_or_free_and_none_is_both(resources: Resources) -> None:
    assert {resource.type for resource in resources} <= PRICED.keys() | FREE.keys()
    assert not PRICED.keys() & FREE.keys()


def test_a_type_that_nothing_tells_of_is_named_as_not_known(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    new = replace(resources[0], body={"Type": "AWS::Redshift::Cluster"})
    (unknown,) = estimate_resources((*resources, new), production, prices).unpriced
    assert "AWS::Redshift::Cluster costs: add it to operations/cost/types.py" in unknown.why


@pytest.mark.parametrize(
    ("resource_type", "key"),
    [
        ("AWS::Kinesis::Stream", "Name"),
        ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"),
        ("AWS::S3::Bucket", "BucketName"),
    ],
)
def test_a_flow_that_nothing_tells_of_is_named_as_not_known(
    resources: Resources, production: Settings, prices: Prices, resource_type: str, key: str
) -> None:
    [stranger, *_] = [one for one in resources if one.type == resource_type]
    stranger = stranger.with_properties(**{key: "stranger"})
    (unknown,) = estimate_resources((*resources, stranger), production, prices).unpriced
    assert "stranger: add it to operations/cost/" in unknown.why


def test_a_folder_without_an_assembly_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="synthesise first"):
        read_resources(tmp_path)


@pytest.mark.parametrize(
    ("part", "item", "region"),
    [
        ("streams", "hours on demand", TOKYO),
        ("streams", "records put", TOKYO),
        ("streams", "records read", TOKYO),
        ("streams", "hours on demand", OREGON),
        ("streams", "records put", OREGON),
        ("streams", "records read", OREGON),
        ("streams", "encryption key", OREGON),
        ("transfer", "clicks from Tokyo to Oregon", TOKYO),
        ("transfer", "answers to the batch server in Tokyo", OREGON),
        ("forwarder", "invocations", TOKYO),
        ("forwarder", "memory and time", TOKYO),
        ("application", "KPUs, one for orchestration", OREGON),
        ("application", "running storage", OREGON),
        ("application", "snapshots", OREGON),
        ("delivery", "records, in steps of 5 KB", OREGON),
        ("search", "data nodes, m7g.large.search", OREGON),
        ("search", "volumes", OREGON),
        ("storage", "objects", TOKYO),
        ("storage", "objects", OREGON),
        ("storage", "puts and lists", OREGON),
        ("monitoring", "log written", TOKYO),
        ("monitoring", "log kept", OREGON),
        ("monitoring", "metrics of the forwarder", TOKYO),
        ("monitoring", "alarm", TOKYO),
        ("monitoring", "alarm", OREGON),
        ("serving", "rankings written", TOKYO),
        ("serving", "rankings compared", TOKYO),
        ("serving", "rankings read by the service", TOKYO),
        ("serving", "memory and time", TOKYO),
        ("transfer", "answers to the feedback in Tokyo", OREGON),
        ("other", "readers that log in", TOKYO),
    ],
)
def test_each_billed_dimension_stands_in_its_region(
    of_production: Estimate, part: str, item: str, region: str
) -> None:
    assert any((line.part, line.item, line.region) == (part, item, region) for line in of_production.lines)


def test_the_parts_and_the_regions_each_make_up_the_total(of_production: Estimate) -> None:
    for sums in (of_production.parts().values(), of_production.regions().values()):
        assert sum(one.low for one in sums) == pytest.approx(of_production.total.low)
        assert sum(one.high for one in sums) == pytest.approx(of_production.total.high)
    assert 0 < of_production.total.low < of_production.total.high


def test_programs_get_every_number(of_production: Estimate) -> None:
    plain = of_production.as_json()
    assert plain["total"]["high"] == pytest.approx(sum(line["usd"]["high"] for line in plain["lines"]))
    assert plain["prices_of"] == of_production.prices_of.isoformat()
    assert set(plain["regions"]) == {TOKYO, OREGON}


def test_more_traffic_never_costs_less(resources: Resources, production: Settings, prices: Prices) -> None:
    totals = []
    for clicks in (1, 10, 1_000, 100_000):
        peak = production.peak.model_copy(update={"clicks_per_second": clicks})
        settings = production.model_copy(update={"peak": peak})
        totals.append(estimate_resources(resources, settings, prices).total)
    assert totals == sorted(totals, key=lambda one: one.low)
    assert totals == sorted(totals, key=lambda one: one.high)


@pytest.mark.parametrize(("low", "high"), [(2, 1), (-1, 1), (0, float("inf")), (float("nan"), 1)])
def test_a_range_is_a_low_and_a_high(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="is no range"):
        Range(low, high)


def test_the_mobile_stream_must_be_there(production: Settings, prices: Prices) -> None:
    basis = Basis(settings=production, traffic=MeanTraffic.of(production), prices=prices, resources=())
    with pytest.raises(UnpricedError, match="needs all stacks"):
        basis.mobile_shards()


@pytest.mark.parametrize(
    "change",
    [
        {"EBSOptions": {"EBSEnabled": True, "VolumeSize": 100, "VolumeType": "gp3", "Iops": 12_000}},
        {"EBSOptions": {"EBSEnabled": True, "VolumeSize": 100, "VolumeType": "io1"}},
        {"ClusterConfig": {"InstanceType": "m7g.large.search", "InstanceCount": 3, "WarmEnabled": True}},
    ],
    ids=["more operations a second", "another volume", "warm nodes"],
)
def test_a_dimension_of_the_domain_without_a_price_is_not_known(
    resources: Resources, production: Settings, prices: Prices, change: dict[str, Any]
) -> None:
    found = estimate_resources(
        changed(resources, "AWS::OpenSearchService::Domain", **change), production, prices
    )
    (unknown,) = found.unpriced
    assert "of the domain" in unknown.why
    assert "data nodes, m7g.large.search" not in {line.item for line in found.lines}


def without(resources: Resources, resource_type: str, contains: str = "") -> Resources:
    return tuple(one for one in resources if one.type != resource_type or contains not in one.logical_id)


def without_property(resources: Resources, resource_type: str, path: str) -> Resources:
    def changed(one: Resource) -> Resource:
        properties = copy.deepcopy(dict(one.properties))
        *parents, last = path.split(".")
        inner = properties
        for key in parents:
            inner = inner[key]
        del inner[last]
        return replace(one, body={**one.body, "Properties": properties})

    return tuple(changed(one) if one.type == resource_type else one for one in resources)


_FLINK = "ApplicationConfiguration.FlinkApplicationConfiguration.ParallelismConfiguration"


@pytest.mark.parametrize(
    ("resource_type", "path"),
    [
        ("AWS::KinesisAnalyticsV2::Application", _FLINK),
        ("AWS::KinesisAnalyticsV2::Application", f"{_FLINK}.AutoScalingEnabled"),
        ("AWS::OpenSearchService::Domain", "EBSOptions"),
        ("AWS::OpenSearchService::Domain", "ClusterConfig.InstanceType"),
    ],
)
def test_a_property_that_is_left_out_makes_the_cost_of_its_resource_not_known(
    resources: Resources, production: Settings, prices: Prices, resource_type: str, path: str
) -> None:
    found = estimate_resources(without_property(resources, resource_type, path), production, prices)
    (unknown,) = found.unpriced
    (resource,) = (one for one in resources if one.type == resource_type)
    assert unknown.of == resource.logical_id
    assert found.as_json()["total"] is None


def test_a_neighbour_that_is_gone_or_there_twice_makes_the_cost_not_known(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    mapping = "AWS::Lambda::EventSourceMapping"
    stream = "AWS::KinesisFirehose::DeliveryStream"
    twice = (*resources, *(one for one in resources if one.type in {mapping, stream}))
    for changed_resources in (without(resources, mapping), without(resources, stream), twice):
        found = estimate_resources(changed_resources, production, prices)
        assert {one.why.split(" the ")[0] for one in found.unpriced} <= {
            "There are 0 times",
            "There are 2 times",
        }
        assert len(found.unpriced) >= 2


@pytest.mark.parametrize("value", ["many", True, {"Ref": "Count"}, -1, [3]])
def test_a_value_of_a_wrong_type_makes_the_cost_not_known(
    resources: Resources, production: Settings, prices: Prices, value: Any
) -> None:
    cluster = {"InstanceType": "m7g.large.search", "InstanceCount": value}
    wrong = changed(resources, "AWS::OpenSearchService::Domain", ClusterConfig=cluster)
    assert len(estimate_resources(wrong, production, prices).unpriced) == 1
