"""Counts for the OpenSearch benchmarks, which DuckDB makes from clicks as the application does."""

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb

from contract.count import COUNT_KEY, SEGMENT_COLUMNS, UNKNOWN
from lambdas.search_bootstrap.definitions import ID_CHARACTERS

DAY = datetime(2026, 1, 31, tzinfo=UTC)
MINUTES = 24 * 60
CLICKS_A_MINUTE = 13_500
"""About 6,950 counts a minute, 10 million a day; the same at all hours, so that only the history grows."""
ARTICLES_AT_A_TIME = 3_000
MINUTES_OF_AN_ARTICLE = 360
"""After this time a new article takes each place of the ranking: about 15,000 articles a day."""
GENDERS, AGE_BANDS, REGIONS = 2, 7, 47
SEGMENTS = GENDERS * AGE_BANDS * REGIONS + 1
PUBLICATIONS_A_MINUTE = 12
BULK_DOCUMENTS = 4_000

# The hash of a number is a random number that is the same on every machine and in every run.
_UNIFORM = "(hash(i, '{of}') >> 11)::DOUBLE / (1::UBIGINT << 53)"
_PLACE = _UNIFORM.format(of="article")
_REGION = _UNIFORM.format(of="region")
_VALUES = {
    "gender": "['female', 'male'][1 + (hash(i, 'gender') % 2)::INT]",
    "age_band": f"concat(1 + hash(i, 'age_band') % {AGE_BANDS}, '0s')",
    "region": f"format('JP-{{{{:02d}}}}', floor({REGIONS} * pow({_REGION}, 2))::BIGINT)",
}
"""SQL of the columns of a segment; one that is not named here has the same value in every count."""
_OTHER = "'any'"
_NAMED = ",\n    ".join(
    f"CASE WHEN is_unknown THEN '{UNKNOWN}' ELSE {_VALUES.get(column, _OTHER)} END AS {column}"
    for column in SEGMENT_COLUMNS
)
_SEGMENT = ", ".join(SEGMENT_COLUMNS)

# Articles by Zipf's law, regions by a skew as that of Japan's prefectures, one reader in ten in no version.
_CLICKS = f"""
clicks AS (
  SELECT
    i,
    i // {CLICKS_A_MINUTE} AS m,
    i % {CLICKS_A_MINUTE} * {PUBLICATIONS_A_MINUTE} // {CLICKS_A_MINUTE} AS publication,
    floor(exp({_PLACE} * ln({ARTICLES_AT_A_TIME} + 1)))::BIGINT AS place,
    hash(i, 'segment') % 10 = 0 AS is_unknown
  FROM range({{first}} * {CLICKS_A_MINUTE}, {{end}} * {CLICKS_A_MINUTE}) AS numbers(i)
), named AS (
  SELECT
    m,
    publication,
    'article-' || substr(md5(concat(
      place, ':', (m + hash(place) % {MINUTES_OF_AN_ARTICLE})::BIGINT // {MINUTES_OF_AN_ARTICLE})), 1, 12
    ) AS article_id,
    {_NAMED}
  FROM clicks
), published AS (
  SELECT m, article_id, {_SEGMENT}, publication, count(*) AS clicks
  FROM named
  GROUP BY ALL
)
"""
_EVERY_VERSION = f"""
WITH {_CLICKS}
SELECT * REPLACE (
  (sum(clicks) OVER (PARTITION BY m, article_id, {_SEGMENT} ORDER BY publication))::BIGINT
    AS clicks)
FROM published
"""
_LAST_VERSION = f"""
WITH {_CLICKS}
SELECT m, article_id, {_SEGMENT}, max(publication) AS publication, sum(clicks)::BIGINT AS clicks
FROM published
GROUP BY m, article_id, {_SEGMENT}
"""

# What the fingerprint processor digests: the fields by name, each with the length of its value.
_DIGEST = "unhex(sha256(concat({}, '|')))".format(
    ", ".join(f"'|{column}|', length({column}), ':', {column}" for column in sorted(COUNT_KEY))
)
DEPLOYED_ID = f"replace(replace(to_base64({_DIGEST})[:{ID_CHARACTERS}], '+', '-'), '/', '_')"
"""The `_id` that the ingest pipeline makes; tests/bench compares the two."""

_KEY_AS_JSON = ", ',', ".join(f"""'"{column}":"', {column}, '"'""" for column in COUNT_KEY)
_LINES = """
WITH counts AS ({counts}), timed AS (
  SELECT
    *,
    strftime(TIMESTAMP '2026-01-31' + to_minutes(m), '%Y-%m-%dT%H:%M:%S.000Z') AS minute,
    strftime(
      TIMESTAMP '2026-01-31' + to_minutes(m) + to_milliseconds(
        (publication + 1) * 60000 // {publications} + (hash(m, publication) % 1000)::BIGINT),
      '%Y-%m-%dT%H:%M:%S.%gZ') AS published_at
  FROM counts
), lines AS (
  SELECT
    row_number() OVER (ORDER BY m, publication, hash(article_id, {segment})) - 1 AS number,
    concat(
      '{{"index":{{', {action}, '}}}}', chr(10),
      '{{', {key}, ',"clicks":', clicks, ',"published_at":"', published_at, '"}}', chr(10)
    ) AS line
  FROM timed
)
SELECT count(*), string_agg(line, '' ORDER BY number) FROM lines
GROUP BY number // {documents} ORDER BY number // {documents}
"""
Bulk = tuple[int, bytes]
"""A bulk request, and how many documents are in it."""


def bulks(
    first: int,
    end: int,
    *,
    every_version: bool,
    with_id: bool = True,
    documents: int = BULK_DOCUMENTS,
) -> Iterator[Bulk]:
    """Bulk requests with the counts of the minutes [first, end) of the day, as they are published.

    every_version: a count as often as it grows, at most once in five seconds; otherwise its last version.
    with_id: with the `_id` and version that the ingest pipeline makes; without them, for the pipeline.
    """
    counts = _EVERY_VERSION if every_version else _LAST_VERSION
    action = "''"
    if with_id:
        action = f"""'"_id":"', {DEPLOYED_ID}, '","version":', clicks, ',"version_type":"external_gte"'"""
    with duckdb.connect() as connection:
        for begin in range(first, end, 60):  # an hour at a time, so that little is held
            query = _LINES.format(
                counts=counts.format(first=begin, end=min(begin + 60, end)),
                publications=PUBLICATIONS_A_MINUTE,
                action=action,
                key=_KEY_AS_JSON,
                segment=_SEGMENT,
                documents=documents,
            )
            for number, text in connection.execute(query).fetchall():
                yield number, text.encode()
