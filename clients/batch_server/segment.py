"""A kind of reader, and the ways to divide all readers into kinds. The columns are the contract's."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from clients.batch_server.errors import QuestionError
from clients.batch_server.text import printable
from contract.count import SEGMENT_COLUMNS


@dataclass(frozen=True, init=False)
class Segment:
    """A kind of reader, as `Segment(gender="female", age_band="20s")`. A column left out or None stands for
    every value; `unknown` is the value of readers who are in no version of the segments.

    fields: (column, value) in the contract's order. Raises TypeError for a column the contract has not.
    """

    fields: tuple[tuple[str, str], ...]

    def __init__(self, **values: str | None) -> None:
        unknown = values.keys() - set(SEGMENT_COLUMNS)
        if unknown:
            raise TypeError(
                f"a segment has no {', '.join(sorted(unknown))}: its columns are {', '.join(SEGMENT_COLUMNS)}"
            )
        chosen = ((column, values.get(column)) for column in SEGMENT_COLUMNS)
        fields = tuple((column, value) for column, value in chosen if value is not None)
        object.__setattr__(self, "fields", fields)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for column, _ in self.fields)

    def as_dict(self) -> dict[str, str]:
        return dict(self.fields)

    @property
    def label(self) -> str:
        """For people: its values, such as `female, 20s`."""
        return printable(", ".join(value for _, value in self.fields)) or "all readers"


ALL_READERS = Segment()

Grouping = tuple[str, ...]
"""Columns that divide readers: ("gender", "region") has a segment for each pair of values that was counted;
() has one, all readers."""

EACH_VALUE: tuple[Grouping, ...] = tuple((column,) for column in SEGMENT_COLUMNS)
"""A segment for each value of each column."""
EACH_COMBINATION: tuple[Grouping, ...] = (SEGMENT_COLUMNS,)
"""A segment for each combination of a value of every column."""
EVERY_SEGMENT: tuple[Grouping, ...] = tuple(
    grouping for size in range(len(SEGMENT_COLUMNS) + 1) for grouping in combinations(SEGMENT_COLUMNS, size)
)
"""All readers, and a segment for each combination of values of any columns."""


def checked_groupings(groupings: Iterable[Grouping]) -> tuple[Grouping, ...]:
    """Each once, its columns in the contract's order. Raises QuestionError for an unknown column."""
    checked: dict[Grouping, None] = {}
    for grouping in groupings:
        if isinstance(grouping, str):  # ("gender") where ("gender",) was meant
            raise QuestionError(f"{grouping!r} is no grouping: write a tuple of columns, as ({grouping!r},)")
        unknown = sorted(set(grouping) - set(SEGMENT_COLUMNS))
        if unknown:
            raise QuestionError(
                f"readers have no {', '.join(unknown)}: group by any of {', '.join(SEGMENT_COLUMNS)}"
            )
        checked[tuple(column for column in SEGMENT_COLUMNS if column in grouping)] = None
    if not checked:
        raise QuestionError("no grouping was asked for: name at least one, such as ('gender',)")
    return tuple(checked)
