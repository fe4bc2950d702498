"""The twin of a soak, as `make run` starts one, with the traffic of a day: a process of its own, so that its
memory is not that of the watching.

python -m bench.soak.shaped_run DAY_SECONDS RATE SEED
"""

import signal
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

from rich.console import Console

from bench.soak.day_shape import day_shape
from twin.demonstration import READERS, SIMULATION_SPANS, Traffic, run
from twin.demonstration import SEED as READERS_SEED
from twin.traffic.record import Record
from twin.traffic.simulated import readers, simulated_clicks


def main(day_seconds: float, rate: float, seed: int) -> None:
    """Runs until Ctrl-C."""
    shape = day_shape()

    def records(started_at: datetime) -> Iterator[Record]:
        times = shape.times(day_seconds=day_seconds, rate=rate)
        return simulated_clicks(readers(READERS, READERS_SEED), at=times, started_at=started_at, seed=seed)

    run(Traffic(records, timedelta(minutes=10), "the last 10 minutes", SIMULATION_SPANS), Console())


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
    except KeyboardInterrupt:
        sys.exit(0)
