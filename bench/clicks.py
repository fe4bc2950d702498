"""Clicks and segments for the benchmarks, made by DuckDB: equal numbers give equal data."""

import shutil
from math import prod
from pathlib import Path

import duckdb

from bench.subprocesses import BenchmarkError
from contract.count import SEGMENT_COLUMNS

SHARDS = 2
CLICKS_A_FILE = 250_000
MILLISECONDS_BETWEEN_CLICKS = 2
ARTICLES = 5_000
VALUES = {
    "gender": ("female", "male"),
    "age_band": ("10s", "20s", "30s", "40s"),
    "region": ("tokyo", "osaka", "kyoto"),
}
"""Values of the segment columns; a column not listed has one value for every user."""
SEGMENTS = prod(map(len, VALUES.values()))
FIRST_VERSION = "20260101T000000Z.csv"
MAX_BYTES_A_CLICK, MAX_BYTES_A_USER = 190, 40
DISK_RESERVE_BYTES = 2_000_000_000
"""Left for checkpoints, logs and other users of the disk."""
USER_ID = "format('user-{{:08d}}', {number})"

# The hash of a number is a random number that is the same on every machine and in every run.
_UNIFORM = "(hash(i, 'article') >> 11)::DOUBLE / (1::UBIGINT << 53)"
_SKEWED_ARTICLE = f"least(floor(pow(1 - {_UNIFORM}, -1 / 1.1)), {{articles}})"
_UNIFORM_ARTICLE = f"floor({_UNIFORM} * {{articles}})"

NUMBERED, RANDOM = "format('{:032x}', i)", "md5(i::VARCHAR)"
"""Click ids of 32 characters. State that keeps them is small if they are numbered, as equal beginnings are
compressed; apps make random ones."""

_CLICKS = """
COPY (
  SELECT
    {click_id} AS click_id,
    strftime(make_timestamp(epoch_us(TIMESTAMP '2026-01-31') + i * {spacing}), '%Y-%m-%dT%H:%M:%S.%g') || 'Z'
      AS clicked_at,
    {user_id} AS user_id,
    format('article-{{:07d}}', {article}::BIGINT) AS article_id,
    'ios' AS platform,
    i // {shards} % {segments} AS position
  FROM range({first}, {end}, {shards}) AS numbers(i)
) TO '{file}' (FORMAT json)
"""
_SEGMENTS = """
COPY (
  SELECT
    {user_id} AS user_id,
    {columns}
  FROM (SELECT i, (hash(i, 'segment') % {segments})::BIGINT AS s FROM range({users}) AS numbers(i))
) TO '{file}' (FORMAT csv, HEADER)
"""


def _columns() -> str:
    """The columns of a user's segment from its number `s`."""
    columns, weight = [], 1
    for column in SEGMENT_COLUMNS:
        values = VALUES.get(column, ("any",))
        columns.append(f"{[*values]}[1 + s // {weight} % {len(values)}] AS {column}")
        weight *= len(values)
    return ",\n    ".join(columns)


def _check_disk(folder: Path, wanted: int) -> None:
    """Raises BenchmarkError before a disk is filled up."""
    free = shutil.disk_usage(folder).free
    if free < wanted + DISK_RESERVE_BYTES:
        raise BenchmarkError(
            f"{wanted / 1e9:.1f} GB are to be written to {folder}, {DISK_RESERVE_BYTES / 1e9:.0f} kept free, "
            f"and {free / 1e9:.1f} GB are free: make room, or set TMPDIR to a folder on another disk"
        )


def write_clicks(
    folder: Path,
    *,
    clicks: int,
    users: int,
    articles: int = ARTICLES,
    skewed: bool = True,
    click_id: str = NUMBERED,
) -> Path:
    """`folder`/clicks, files of two shards in turn. skewed: Pareto with shape 1.1."""
    target = folder / "clicks"
    target.mkdir(parents=True)
    _check_disk(target, clicks * MAX_BYTES_A_CLICK)
    article = (_SKEWED_ARTICLE if skewed else _UNIFORM_ARTICLE).format(articles=articles)
    user = USER_ID.format(number=f"(hash(i, 'user') % {users})::BIGINT")
    with duckdb.connect() as connection:
        for slice_begin in range(0, clicks, SHARDS * CLICKS_A_FILE):
            slice_end = min(slice_begin + SHARDS * CLICKS_A_FILE, clicks)
            for shard in range(min(SHARDS, slice_end - slice_begin)):
                connection.execute(
                    _CLICKS.format(
                        spacing=MILLISECONDS_BETWEEN_CLICKS * 1000,
                        click_id=click_id,
                        user_id=user,
                        article=article,
                        shards=SHARDS,
                        segments=SEGMENTS,
                        first=slice_begin + shard,
                        end=slice_end,
                        file=target / f"{slice_begin:010}-{shard}.json",
                    )
                )
    return target


def write_segments(folder: Path, *, users: int, version: str = FIRST_VERSION) -> Path:
    """`folder`/segments with one version, in which every user of `write_clicks` is."""
    target = folder / "segments"
    target.mkdir(parents=True, exist_ok=True)
    _check_disk(target, users * MAX_BYTES_A_USER)
    with duckdb.connect() as connection:
        user = USER_ID.format(number="i")
        connection.execute(
            _SEGMENTS.format(
                user_id=user, columns=_columns(), segments=SEGMENTS, users=users, file=target / version
            )
        )
    return target
