"""Has the SQL job become slower? Its CPU over DuckDB's of the same run tells on any machine.

Set RECORDED_DUCKDB_RATIO by hand, from docs/benchmarks.md, when the job has become faster
and that is to stay.
"""

from statistics import median

RECORDED_DUCKDB_RATIO = 5.7
TOLERANCE = 1.3
"""What the ratio swings by on a shared machine."""


def regression(ratios: list[float]) -> str | None:
    """What has become slower, None if nothing. ratios: of the runs in turn."""
    found, limit = median(ratios), RECORDED_DUCKDB_RATIO * TOLERANCE
    if found <= limit:
        return None
    return (
        f"the SQL job takes {found:.2f} times DuckDB's CPU per million clicks, recorded are "
        f"{RECORDED_DUCKDB_RATIO:g} and {TOLERANCE:g} times that is allowed: find what made it slower "
        "(python -m bench.cpu_slope compares two states of the project)"
    )
