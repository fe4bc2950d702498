"""What is billed of clicks in records of many is what a hand would reckon."""

import pytest

from operations.cost.assumptions import SECONDS
from operations.cost.estimate import estimate_resources
from operations.cost.prices import Prices
from operations.cost.range import Range
from settings import Settings
from settings.measured import FORWARDER_CPU_SECONDS_PER_CLICK, FORWARDER_CPU_SECONDS_PER_RECORD
from tests.operations.cost.changes import Resources, changed, mean_of, usd

GIB = 1024**3


def test_a_record_of_many_clicks_on_demand_is_billed_little_above_its_bytes(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    found = estimate_resources(resources, mean_of(production, 0.5), prices).lines
    put = usd(found, "records put", "-source")
    real = 500 * 300 * SECONDS / GIB * 0.08
    assert real * 1.01 < put.low <= put.high < real * 1.07
    # Half a kilobyte is lost in each record: three servers send one a second, of 80 clicks.
    web = 3.125 * (80 * 300 + 512)
    lanes = Range(8 / 3, 8 / 2)  # four shards of two lanes, a window of two to three seconds
    forwarder = Range(250 * 300 + lanes.low * 512, 250 * 300 + lanes.high * 512)
    assert put.low == pytest.approx((web + forwarder.low) * SECONDS / GIB * 0.08, rel=0.01)
    assert put.high == pytest.approx((web + forwarder.high) * SECONDS / GIB * 0.08, rel=0.01)
    read = usd(found, "records read", "-source")
    assert read.low == pytest.approx(2 * real / 2)  # two consumers, and 0.04 a GB


def test_the_fewer_clicks_the_less_a_record_of_a_web_server_gathers(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    """Half of a step is lost in each record."""
    web_only = production.peak.model_copy(update={"mobile_share": 0.0})
    for ratio, clicks_per_record in ((0.5, 80), (0.25, 40)):
        settings = mean_of(production.model_copy(update={"peak": web_only}), ratio)
        found = estimate_resources(resources, settings, prices).lines
        raw = usd(found, "records, in steps of 5 KB", "-raw-backup")
        billed = 1_000 * ratio * (300 + 2_560 / clicks_per_record)
        assert raw.low == pytest.approx(billed * SECONDS / GIB * 0.029, rel=0.005)


def test_smaller_records_of_the_forwarder_are_billed_more(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    small = production.forwarder.model_copy(update={"record_bytes": 1_000})
    found = estimate_resources(resources, production.model_copy(update={"forwarder": small}), prices).lines
    raw = usd(found, "records, in steps of 5 KB", "-raw-backup")
    assert raw.low > 100 * SECONDS / 3 * 5 * 1024 / GIB * 0.029  # three clicks in a record


def test_packed_clicks_cross_to_oregon_with_less_beside_them(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    found = estimate_resources(resources, mean_of(production, 0.5), prices).lines
    sent = 500 * SECONDS * 300 / GIB * 0.09
    crossed = usd(found, "clicks from Tokyo to Oregon")
    assert crossed.low == pytest.approx(sent * 1.05)
    assert crossed.high == pytest.approx(sent * 1.45)


def test_the_forwarder_is_billed_by_invocations_records_and_clicks(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    """A smaller function is a smaller share of a vCPU, and lengthens what is no waiting."""
    peak = production.peak.model_copy(update={"mobile_clicks_per_record": 4.0})
    settings = mean_of(production.model_copy(update={"peak": peak}), 0.5)
    functions = changed(resources, "AWS::Lambda::Function", MemorySize=512)
    found = estimate_resources(functions, settings, prices).lines
    [calls] = [line for line in found if line.item == "invocations" and line.named.endswith("-forwarder")]
    [time] = [line for line in found if line.item == "memory and time" and line.named.endswith("-forwarder")]
    share = 512 / 1769
    fixed = 0.02 / share + 0.150
    clicks = 250 * SECONDS
    cpu = clicks / 4 * FORWARDER_CPU_SECONDS_PER_RECORD + clicks * FORWARDER_CPU_SECONDS_PER_CLICK
    assert time.quantity.low == pytest.approx((calls.quantity.low * fixed + cpu / share) * 0.5)
    assert time.quantity.high == pytest.approx((calls.quantity.high * fixed * 2 + cpu / share) * 0.5)


def test_records_of_one_click_are_billed_as_ever(
    resources: Resources, production: Settings, prices: Prices
) -> None:
    """Of producers that do not pack; the forwarder packs all the same."""
    web_only = production.peak.model_copy(
        update={"mobile_share": 0.0, "web_servers": None, "web_clicks_per_record": 1.0}
    )
    settings = mean_of(production.model_copy(update={"peak": web_only}), 0.5)
    found = estimate_resources(resources, settings, prices).lines
    kilobytes = 500 * SECONDS * 1024 / GIB
    assert usd(found, "records put", "-source").low == pytest.approx(kilobytes * 0.08)
    assert usd(found, "records, in steps of 5 KB", "-raw-backup").low == pytest.approx(kilobytes * 5 * 0.029)
    assert usd(found, "clicks from Tokyo to Oregon").high == pytest.approx(
        500 * SECONDS * 300 * 1.7 / GIB * 0.09
    )
