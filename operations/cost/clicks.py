"""The records in which the clicks flow: of the web servers, the apps and the forwarder, at any share of the
peak."""

from math import exp

from cloudformation import Resource, of_type
from contract.limits import PUT_RECORDS
from operations.cost.assumptions import SECONDS
from operations.cost.basis import Basis, number, only
from operations.cost.packs import Flow, Packs
from operations.cost.range import Range
from settings import Settings
from settings.latency import LAMBDA_POLL_SECONDS


def mobile_flow(basis: Basis) -> Flow:
    """Into the mobile stream. An app's readers click no faster at the peak, when there are only more."""
    shares = basis.traffic.shares
    return Flow(low=(_of_apps(basis.settings, shares.low),), high=(_of_apps(basis.settings, shares.high),))


def source_flow(basis: Basis, shares: Range | None = None) -> Flow:
    """Into the source stream. shares: of the peak, at the low and the high end; without them the month's
    mean."""
    settings, shares = basis.settings, shares or basis.traffic.shares
    calls = forwarder_calls(basis, shares)
    return Flow(
        low=(_of_web_servers(settings, shares.low), _of_forwarder(settings, shares.low, calls.low)),
        high=(_of_web_servers(settings, shares.high), _of_forwarder(settings, shares.high, calls.high)),
    )


def forwarder_calls(basis: Basis, shares: Range) -> Range:
    """Invocations a second. Each lane is invoked once a window if anything is in it (records come at random).

    The window begins with the first record, so it is between the setting and one second more. It may be
    longer, and the shards fewer, at the low end.
    """
    mapping = _mapping(basis)
    lanes = number(mapping, "ParallelizationFactor", 1)
    window = number(mapping, "MaximumBatchingWindowInSeconds", 0)
    peak, shards = basis.settings.peak, basis.mobile_shards()
    records = shares * (peak.mobile_clicks_per_second / peak.mobile_clicks_per_record)

    def calls(lane_count: float, rate: float, window_seconds: float) -> float:
        return lane_count * (1 - exp(-rate * window_seconds / lane_count)) / window_seconds

    return Range(
        calls(shards.low * lanes, records.low, window + LAMBDA_POLL_SECONDS),
        calls(shards.high * lanes, records.high, max(window, LAMBDA_POLL_SECONDS)),
    )


def forwarder_calls_a_month(basis: Basis) -> Range:
    return forwarder_calls(basis, basis.traffic.shares) * SECONDS


def _mapping(basis: Basis) -> Resource:
    forwarders = [
        function
        for function in of_type(basis.resources, "AWS::Lambda::Function")
        if function.properties.get("FunctionName") == basis.settings.names.forwarder
    ]
    name = basis.settings.names.forwarder
    return only(
        [
            mapping
            for mapping in of_type(basis.resources, "AWS::Lambda::EventSourceMapping")
            for forwarder in forwarders
            if mapping.stack == forwarder.stack
            and forwarder.is_meant_by(mapping.properties.get("FunctionName"))
        ],
        f"event source mapping of the function {name}",
    )


def _of_apps(settings: Settings, share: float) -> Packs:
    peak = settings.peak
    return Packs(
        items_per_second=share * peak.mobile_clicks_per_second,
        item_bytes=peak.click_bytes,
        waiting=peak.mobile_clicks_per_record,
        record_bytes=PUT_RECORDS.record_bytes,
    )


def _of_web_servers(settings: Settings, share: float) -> Packs:
    """Between two flushes a server gathers as much less as there are fewer clicks than at the peak."""
    peak = settings.peak
    return Packs(
        items_per_second=share * peak.web_clicks_per_second,
        item_bytes=peak.click_bytes,
        waiting=max(1.0, share * peak.web_clicks_per_record),
        record_bytes=PUT_RECORDS.record_bytes,
    )


def _of_forwarder(settings: Settings, share: float, calls: float) -> Packs:
    """A batch of a lane in one record, and in several where it has more bytes than one may have."""
    peak = settings.peak
    clicks = share * peak.mobile_clicks_per_second
    return Packs(
        items_per_second=clicks,
        item_bytes=peak.click_bytes,
        waiting=max(1.0, clicks / calls) if calls else 1.0,
        record_bytes=settings.forwarder.record_bytes,
    )
