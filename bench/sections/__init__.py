"""The benchmarks, in the order of the page."""

from bench.report import Benchmark
from bench.sections import counting, forwarder, growth, mobile_client, path, reference, search, throughput

SECTIONS: tuple[Benchmark, ...] = (
    counting.SECTION,
    growth.SECTION,
    reference.SECTION,
    mobile_client.SECTION,
    forwarder.SECTION,
    search.SECTION,
    path.SECTION,
    throughput.SECTION,
)
