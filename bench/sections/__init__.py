"""The benchmarks, in the order of the page."""

from bench.report import Section
from bench.sections import counting

SECTIONS: tuple[Section, ...] = (counting.SECTION,)
