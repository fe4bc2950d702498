"""The benchmarks, in the order of the page."""

from bench.report import Benchmark
from bench.sections import (
    board,
    counting,
    decoder,
    forwarder,
    growth,
    mobile_client,
    path,
    reconciliation,
    reference,
    repetition,
    search,
    segments,
    throughput,
)

SECTIONS: tuple[Benchmark, ...] = (
    counting.SECTION,
    decoder.SECTION,
    growth.SECTION,
    repetition.SECTION,
    reference.SECTION,
    segments.SECTION,
    mobile_client.SECTION,
    forwarder.SECTION,
    search.SECTION,
    board.SECTION,
    path.SECTION,
    reconciliation.SECTION,
    throughput.SECTION,
)
