"""Bytes that are billed of a click: the quieter the moment, the fewer clicks a record gathers."""

from collections.abc import Iterator
from dataclasses import dataclass

from operations.cost.assumptions import QUIET_SHARE
from operations.cost.basis import Basis
from operations.cost.clicks import source_flow
from operations.cost.flows import FIREHOSE_STEP, ON_DEMAND_STEP
from operations.cost.range import Range, exactly


@dataclass(frozen=True, kw_only=True)
class BilledMoment:
    """waiting: mean clicks in a record, or in a batch of the forwarder that may fill several; bytes: of one
    click. Low and high are by how long Lambda's window is."""

    name: str
    clicks_per_second: float
    web_waiting: Range
    forwarder_waiting: Range
    source_bytes: Range
    raw_bytes: Range


def billed_moments(basis: Basis) -> Iterator[BilledMoment]:
    peak = basis.settings.peak
    for name, share in (
        ("a quiet hour", QUIET_SHARE),
        ("mean, low", peak.mean_to_peak_min),
        ("mean, high", peak.mean_to_peak_max),
        ("peak", 1.0),
    ):
        flow = source_flow(basis, exactly(share))
        clicks = share * peak.clicks_per_second
        (web, few_calls), (_, many_calls) = flow.low, flow.high
        yield BilledMoment(
            name=name,
            clicks_per_second=clicks,
            web_waiting=exactly(web.waiting),
            forwarder_waiting=Range(many_calls.waiting, few_calls.waiting),
            source_bytes=flow.billed_per_second(ON_DEMAND_STEP) * (1 / clicks),
            raw_bytes=flow.billed_per_second(FIREHOSE_STEP) * (1 / clicks),
        )
