"""Counts on their way to the generation that readers see, where the application counts into another one."""

import json
from collections.abc import Iterable, Iterator, Mapping

from contract.event_time import parse_time

GENERATION = "generation"
"""Of a count: the ingest pipeline puts it into the index of this generation, and removes the field."""


def in_generations(lines: Iterable[bytes], generations: Mapping[str, int]) -> Iterator[bytes]:
    """lines: counts, each with its end; generations: by day, as in the name of an index, where counts do not
    go into that of the delivery stream."""
    if not generations:
        yield from lines
        return
    for line in lines:
        count = json.loads(line)
        generation = generations.get(f"{parse_time(count['minute']):%Y.%m.%d}")
        yield line if generation is None else json.dumps({**count, GENERATION: generation}).encode() + b"\n"
