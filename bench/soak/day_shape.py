"""How clicks spread over a day, for a run that passes through all of it in less time.

The day is 1998-06-30 of the WorldCup98 data set (https://ita.ee.lbl.gov/html/contrib/WorldCup.html), the one
with the most requests: 75 million, 4.1 times the mean in its busiest minute. Where ../shared/data is absent,
as in a plain clone, a made day stands in, and the run says so.
"""

import bisect
import csv
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
COUNTS = Path("worldcup98") / "invocation_count_per_minute.csv"
DAY = "1998-06-30"
MINUTES = 1440
MADE_PEAK = 4.0
"""Times the quietest minute, of the made day."""
MADE_PEAK_MINUTE = 20 * 60


class ShapeError(Exception):
    """The data set is there, and is not what it should be."""


@dataclass(frozen=True)
class DayShape:
    """source: where it is from, as the run says; weights: of each minute, in proportion to its clicks."""

    source: str
    weights: Sequence[float]

    def times(self, *, day_seconds: float, rate: float) -> Iterator[float]:
        """Endless times of clicks, in seconds after the start: `rate` a second on the mean of a day that
        takes `day_seconds`, one day after the other."""
        reached = [0.0, *itertools.accumulate(self.weights)]
        minute_seconds = day_seconds / len(self.weights)
        for number in itertools.count():
            days, within = divmod(number / (rate * day_seconds), 1.0)
            wanted = within * reached[-1]
            minute = min(bisect.bisect_right(reached, wanted), len(self.weights)) - 1
            part = (wanted - reached[minute]) / self.weights[minute]
            yield days * day_seconds + (minute + part) * minute_seconds


def day_shape(shared_data: Path = SHARED_DATA) -> DayShape:
    """Raises ShapeError if the data set is there without this day."""
    file = shared_data / COUNTS
    if not file.is_file():
        return DayShape(f"a made day, as {COUNTS} is not in ../shared/data", _made())
    with file.open(newline="", encoding="utf-8") as rows:
        try:
            counts = [float(row["count"]) for row in csv.DictReader(rows) if row["period"].startswith(DAY)]
        except (KeyError, TypeError, ValueError) as error:
            raise ShapeError(
                f"{file} is not the data set of WorldCup98: {error!r}; fetch it again"
            ) from error
    if len(counts) != MINUTES or min(counts) <= 0:
        raise ShapeError(f"{file} has {len(counts):,} of {MINUTES:,} minutes of {DAY}: fetch it again")
    return DayShape(f"WorldCup98, {DAY}", counts)


def _made() -> list[float]:
    """Rises and falls once, with its peak in the evening."""
    swing = (MADE_PEAK - 1) / (MADE_PEAK + 1)
    return [
        1 + swing * math.cos(2 * math.pi * (minute - MADE_PEAK_MINUTE) / MINUTES) for minute in range(MINUTES)
    ]
