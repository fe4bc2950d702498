"""Count documents for the benchmarks of OpenSearch, made by DuckDB, and their way into a server."""

import json
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import Any

import duckdb

DAY = datetime(2026, 1, 31, tzinfo=UTC)
MINUTES = 24 * 60
ARTICLES = 5_000
GENDERS, AGE_BANDS, REGIONS = ("female", "male"), 7, 12
BULK_DOCUMENTS = 4_000
BULK_THREADS = 2
STALE = 409

# A key is a number, so no two counts are one document; an _id is as long and as random as the pipeline's.
_COUNTS = """
SELECT
  format('|SHA-256@2.16.0:{{}}', to_base64(unhex(sha256(i::VARCHAR)))) AS id,
  json_object(
    'minute', strftime(TIMESTAMP '2026-01-31' + to_minutes(i * {minutes} // {total}),
      '%Y-%m-%dT%H:%M:%S.000Z'),
    'article_id', format('article-{{:06d}}',
      least(
        floor(pow(1 - (hash(i, 'article') >> 11)::DOUBLE / (1::UBIGINT << 53), -0.6)), {articles})::BIGINT),
    'gender', ['female', 'male'][(1 + hash(i, 'gender') % 2)::INT],
    'age_band', format('age-{{}}', hash(i, 'age') % {age_bands}),
    'region', format('JP-{{:02d}}', (hash(i, 'region') % {regions})::BIGINT),
    'clicks', 1 + (hash(i, 'clicks') % 8)::INT,
    'published_at', strftime(TIMESTAMP '2026-01-31' + to_minutes(1 + i * {minutes} // {total}),
      '%Y-%m-%dT%H:%M:%S.%gZ')
  )::VARCHAR AS document
FROM range({first}, {end}) AS numbers(i)
"""


def bulks(first: int, end: int, *, total: int, index: str | None) -> Iterator[bytes]:
    """Bulk requests with the counts [first, end) of `total`, in order of minute over the day.

    index: into this one with an _id, past the ingest pipeline; None: through the pipeline, which makes both.
    """
    query = _COUNTS.format(
        minutes=MINUTES,
        total=total,
        articles=ARTICLES,
        age_bands=AGE_BANDS,
        regions=REGIONS,
        first=first,
        end=end,
    )
    with duckdb.connect() as connection:
        connection.execute(query)
        while rows := connection.fetchmany(BULK_DOCUMENTS):
            lines = []
            for id_, document in rows:
                lines.append(f'{{"index":{{"_index":"{index}","_id":"{id_}"}}}}' if index else '{"index":{}}')
                lines.append(document)
            yield ("\n".join(lines) + "\n").encode()


def load(endpoint: str, requests: Iterator[bytes], *, path: str) -> float:
    """Send all requests, some at once; the seconds it took. SystemExit if a document is refused.

    Through the pipeline two counts may have one key; the smaller, later one is then stale and answered 409.
    """
    began = time.monotonic()

    def send(body: bytes) -> None:
        answer = call(endpoint, "POST", path, body)
        items = (item["index"] for item in answer["items"] if answer["errors"])
        refused = [item for item in items if item["status"] >= 300 and item["status"] != STALE]
        if refused:
            raise SystemExit(f"OpenSearch refused {len(refused)} counts, the first: {refused[0]}")

    with ThreadPoolExecutor(BULK_THREADS) as pool:
        sending = set()
        for body in requests:
            sending.add(pool.submit(send, body))
            if len(sending) > BULK_THREADS:
                done, sending = wait(sending, return_when="FIRST_COMPLETED")
                for each in done:
                    each.result()
        for each in sending:
            each.result()
    return time.monotonic() - began


def call(endpoint: str, method: str, path: str, body: bytes | None = None) -> Any:
    """OpenSearch's answer; urllib.error.HTTPError for a refusal."""
    kind = "application/x-ndjson" if "_bulk" in path else "application/json"
    request = urllib.request.Request(
        endpoint + path, method=method, data=body, headers={"content-type": kind}
    )
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)
