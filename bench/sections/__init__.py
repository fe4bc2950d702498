"""The benchmarks, in the order of the page."""

from bench.report import Section
from bench.sections import counting, forwarder, growth, reference, search

SECTIONS: tuple[Section, ...] = (
    counting.SECTION,
    growth.SECTION,
    reference.SECTION,
    forwarder.SECTION,
    search.SECTION,
)
