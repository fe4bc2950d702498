"""The same work done with the services available in 2017: docs/operate/cost.md tells the assumptions."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from operations.cost.assumptions import GB, GZIP, HOURS, SECONDS
from operations.cost.basis import MeanTraffic, monthly
from operations.cost.estimate import Estimate
from operations.cost.line import Line
from operations.cost.prices import Prices
from operations.cost.range import Range, exactly, total
from settings import Settings
from settings.capacity import WANTED_HEADROOM
from settings.measured import CLICKS_PER_SECOND_PER_KPU, SPARK_SHARE_OF_FLINK

EMR_VCPUS = 4
EMR_PRIMARIES = Range(1, 3)
"""One, or three so that the cluster survives the loss of one."""
EMR_DISK_GB = Range(64, 128)
SPARK_FILES_PER_BATCH = Range(10, 200)
"""Puts of offsets, commits and state for each micro-batch: one a shuffle partition, by default 200."""

REDSHIFT_ROWS_PER_SECOND = Range(10_000, 40_000)
"""Clicks that a node takes from the stream while it answers questions; assumed."""
REDSHIFT_KEPT_DAYS = 90

FLUENTD_RECORDS_PER_SECOND = Range(5_000, 20_000)
"""Records that a server of two processors takes, parses and puts; assumed."""
FLUENTD_DISK_GB = Range(20, 100)
"""Its buffer, for as long as Oregon is away."""
LEAST_SERVERS = 2
"""One in each of two zones."""
BALANCER_UNIT_BYTES = GB
"""An hour: Elastic Load Balancing, network load balancer capacity units."""


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """instead_of: what of ours it takes the place of, and what that costs; costs: itself. USD a month."""

    name: str
    instead_of: str
    ours: Range
    costs: Range
    shape: str


def alternatives(settings: Settings, prices: Prices, ours: Estimate) -> tuple[Alternative, ...]:
    """ours: the estimate of these settings."""
    return (
        _spark(settings, prices, ours),
        _redshift(settings, prices, ours),
        _fluentd(settings, prices, ours),
    )


def _spark(settings: Settings, prices: Prices, ours: Estimate) -> Alternative:
    per_core = CLICKS_PER_SECOND_PER_KPU * SPARK_SHARE_OF_FLINK
    cores = ceil(settings.peak.clicks_per_second * WANTED_HEADROOM / per_core)
    workers = max(LEAST_SERVERS, ceil(cores / EMR_VCPUS))
    nodes = exactly(workers) + EMR_PRIMARIES
    batches = SECONDS / settings.analytics.publish_every_seconds
    costs = _sum(
        prices,
        settings.regions.oregon,
        ec2_m5_xlarge_hour=nodes * HOURS,
        emr_m5_xlarge_hour=nodes * HOURS,
        ebs_gp3_month=nodes * EMR_DISK_GB,
        s3_put=SPARK_FILES_PER_BATCH * batches,
    )
    return Alternative(
        name="Spark Structured Streaming on EMR",
        instead_of="application",
        ours=_of(ours, lambda line: line.part == "application"),
        costs=costs,
        shape=f"{_shown(nodes)} m5.xlarge, a micro-batch every {settings.analytics.publish_every_seconds} s",
    )


def _redshift(settings: Settings, prices: Prices, ours: Estimate) -> Alternative:
    wanted = settings.peak.clicks_per_second * WANTED_HEADROOM
    nodes = Range(
        max(LEAST_SERVERS, ceil(wanted / REDSHIFT_ROWS_PER_SECOND.high)),
        max(LEAST_SERVERS, ceil(wanted / REDSHIFT_ROWS_PER_SECOND.low)),
    )
    traffic = MeanTraffic.of(settings)
    days = settings.search.retention_days or REDSHIFT_KEPT_DAYS
    stored = traffic.clicks * GZIP * (traffic.click_bytes * days * 24 * 3600 / GB)
    costs = _sum(
        prices,
        settings.regions.oregon,
        redshift_ra3_xlplus_hour=nodes * HOURS,
        redshift_month=stored,
    )
    counts = settings.names.delivery_stream("counts")
    return Alternative(
        name="Redshift reading the stream",
        instead_of="application, counts' delivery, search",
        ours=_of(
            ours,
            lambda line: (
                line.part in {"application", "search"} or (line.part == "delivery" and line.named == counts)
            ),
        ),
        costs=costs,
        shape=f"{_shown(nodes)} ra3.xlplus, clicks kept for {days} days",
    )


def _fluentd(settings: Settings, prices: Prices, ours: Estimate) -> Alternative:
    peak = settings.peak
    wanted = peak.mobile_clicks_per_second * WANTED_HEADROOM
    servers = Range(
        max(LEAST_SERVERS, ceil(wanted / FLUENTD_RECORDS_PER_SECOND.high)),
        max(LEAST_SERVERS, ceil(wanted / FLUENTD_RECORDS_PER_SECOND.low)),
    )
    carried = monthly(MeanTraffic.of(settings).mobile_clicks) * (peak.click_bytes / BALANCER_UNIT_BYTES)
    costs = _sum(
        prices,
        settings.regions.tokyo,
        ec2_m7i_large_hour=servers * HOURS,
        ebs_gp3_month=servers * FLUENTD_DISK_GB,
        load_balancer_hour=exactly(HOURS),
        load_balancer_unit_hour=carried,
    )
    mobile = settings.names.mobile_stream
    return Alternative(
        name="fluentd servers that take the apps' clicks",
        instead_of="mobile stream, forwarder",
        ours=_of(
            ours,
            lambda line: line.part == "forwarder" or (line.part == "streams" and line.named == mobile),
        ),
        costs=costs,
        shape=f"{_shown(servers)} m7i.large behind a load balancer",
    )


def _sum(prices: Prices, region: str, **quantities: Range) -> Range:
    return total([prices.price(name, region).usd(quantity, region) for name, quantity in quantities.items()])


def _of(ours: Estimate, wanted: Callable[[Line], bool]) -> Range:
    return total([line.usd for line in ours.lines if wanted(line)])


def _shown(number: Range) -> str:
    return f"{number.low:.0f}" if number.low == number.high else f"{number.low:.0f} to {number.high:.0f}"
