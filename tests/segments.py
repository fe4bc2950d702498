"""Versions of the segments for tests, whatever columns a segment has."""

import csv
import io
from collections.abc import Mapping

from contract.count import SEGMENT_COLUMNS, SEGMENT_FILE_HEADER

Segment = Mapping[str, str]  # segment column -> value
NOT_SPOKEN_OF = "any"


def segment(**values: str) -> dict[str, str]:
    """These values; a column that a test does not speak of has the value `any`."""
    assert values.keys() <= {*SEGMENT_COLUMNS}, values
    return {column: values.get(column, NOT_SPOKEN_OF) for column in SEGMENT_COLUMNS}


def segments_csv(readers: Mapping[str, Segment]) -> str:
    """A version as it is published, with the segment of each user_id."""
    text = io.StringIO()
    rows = csv.DictWriter(text, SEGMENT_FILE_HEADER, lineterminator="\n")
    rows.writeheader()
    rows.writerows({"user_id": user_id, **segment(**values)} for user_id, values in readers.items())
    return text.getvalue()
