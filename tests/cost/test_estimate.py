"""Each billed dimension is in the estimate, in its region, and nothing that costs is left out of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cost.basis import Basis, MeanTraffic, UnknownFlowError
from cost.estimate import Estimate, estimate_resources
from cost.prices import PriceError, Prices
from cost.range import Range
from cost.template import AssemblyError, read_resources
from cost.types import FREE, PRICED
from names import OREGON, TOKYO
from settings import Settings
from tests.cost.changes import Resources, changed


def test_every_type_in_the_templates_is_priced_or_free_and_none_is_both(resources: Resources) -> None:
    assert {resource.type for resource in resources} <= PRICED.keys() | FREE.keys()
    assert not PRICED.keys() & FREE.keys()


def test_a_type_that_nothing_tells_of_ends_the_estimate(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    new = replace(resources[0], type="AWS::Redshift::Cluster")
    with pytest.raises(PriceError, match=r"AWS::Redshift::Cluster costs: add it to cost/types\.py"):
        estimate_resources((*resources, new), production, prices)


@pytest.mark.parametrize(
    ("resource_type", "key"),
    [
        ("AWS::Kinesis::Stream", "Name"),
        ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"),
        ("AWS::S3::Bucket", "BucketName"),
    ],
)
def test_a_flow_that_nothing_tells_of_ends_the_estimate(
    resources: Resources, production: Settings, prices: Prices, resource_type: str, key: str
) -> None:
    [stranger, *_] = [one for one in resources if one.type == resource_type]
    stranger = replace(stranger, properties={**stranger.properties, key: "stranger"})
    with pytest.raises(UnknownFlowError, match=r"stranger: add it to cost/"):
        estimate_resources((*resources, stranger), production, prices)


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
        ("delivery", "records, each as 5 KB", OREGON),
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
        ("other", "accounts that log in", TOKYO),
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
    with pytest.raises(UnknownFlowError, match="needs all stacks"):
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
def test_a_dimension_of_the_domain_without_a_price_ends_the_estimate(
    resources: Resources, production: Settings, prices: Prices, change: dict[str, Any]
) -> None:
    with pytest.raises(UnknownFlowError, match="of the domain"):
        estimate_resources(changed(resources, "AWS::OpenSearchService::Domain", **change), production, prices)
