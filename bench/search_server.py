"""The OpenSearch server of the benchmarks: as close to a data node as a local process can be."""

import json
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential

from bench.counts import Bulk
from lambdas.search_bootstrap.definitions import definitions
from settings.search import SearchSettings
from stacks.search.bootstrap import definition_properties
from twin.opensearch import running_opensearch

JAVA_OPTIONS = ("-Xms2g", "-Xmx2g", "-XX:+UseG1GC")
"""As on a node of OpenSearch Service: half of the memory (an m7g.medium has 4 GiB), G1, both compilers."""
BULK_THREADS = 2
STALE = 409
TOO_MANY_REQUESTS = 429
PAST_PIPELINE = "?pipeline=_none"


def call(endpoint: str, method: str, path: str, body: bytes | None = None) -> Any:
    """OpenSearch's response. Raises urllib.error.HTTPError for an error."""
    kind = "application/x-ndjson" if "_bulk" in path else "application/json"
    request = urllib.request.Request(
        endpoint + path, method=method, data=body, headers={"content-type": kind}
    )
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


class SearchServer:
    """A server with the deployed pipeline and index template. pid: of its process."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        (node,) = self.call("GET", "/_nodes/process")["nodes"].values()
        self._processor_clock = (~node["process"]["id"] << 3) | 2  # Linux: the clock of another process
        for definition in definitions(definition_properties(SearchSettings(retention_days=None))):
            if definition.body:
                self.call("PUT", definition.path, definition.body)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """OpenSearch's answer. urllib.error.HTTPError for a refusal."""
        return call(self.endpoint, method, path, None if body is None else json.dumps(body).encode())

    def cpu_seconds(self) -> float:
        """Processor time of the server so far: what a question costs, whatever else the machine does."""
        return time.clock_gettime(self._processor_clock)

    def make_index(self, index: str) -> None:
        """An index as the deployed template makes it."""
        self.call("PUT", f"/{index}", self._template_of(index))

    def set_refresh(self, index: str, interval: str | None) -> None:
        """None: as the deployed template has it."""
        if interval is None:
            interval = self._template_of(index)["settings"]["index"]["refresh_interval"]
        self.call("PUT", f"/{index}/_settings", {"index": {"refresh_interval": interval}})

    def _template_of(self, index: str) -> dict[str, Any]:
        """What a new index of this name would have: other templates are for other names."""
        template: dict[str, Any] = self.call("POST", f"/_index_template/_simulate_index/{index}")["template"]
        return template

    def load(self, path: str, bulks: Iterable[Bulk]) -> tuple[int, float]:
        """Send all, some at once: (documents, seconds). SystemExit if one is refused that is not stale: two
        versions of a count may overtake each other, as on their way through Firehose."""
        began, documents = time.monotonic(), 0
        with ThreadPoolExecutor(BULK_THREADS) as pool:
            sending: set[Future[None]] = set()
            for number, body in bulks:
                documents += number
                sending.add(pool.submit(self._send_bulk, path, body))
                if len(sending) > BULK_THREADS:
                    done, sending = wait(sending, return_when="FIRST_COMPLETED")
                    for each in done:
                        each.result()
            for each in sending:
                each.result()
        return documents, time.monotonic() - began

    def _send_bulk(self, path: str, body: bytes) -> None:
        answer = _unless_busy(call)(self.endpoint, "POST", path, body)
        items = (item["index"] for item in answer["items"] if answer["errors"])
        refused = [item for item in items if item["status"] >= 300 and item["status"] != STALE]
        if refused:
            raise SystemExit(f"OpenSearch refused {len(refused)} counts, the first: {refused[0]}")

    def size(self, index: str) -> int:
        """Bytes on disk of the segments that searches see; the index's own size may be ten seconds old, and
        has segments that a merge has left behind."""
        self.call("POST", f"/{index}/_refresh")
        shards = self.call("GET", f"/{index}/_segments")["indices"][index]["shards"].values()
        segments = (each for copies in shards for shard in copies for each in shard["segments"].values())
        return sum(segment["size_in_bytes"] for segment in segments if segment["search"])

    def segments_and_deleted(self, index: str) -> tuple[int, int]:
        """Of Lucene's segments; documents that a larger count has replaced and no merge has dropped yet."""
        stats = self.call("GET", f"/{index}/_stats/segments,docs")["_all"]["primaries"]
        return stats["segments"]["count"], stats["docs"]["deleted"]


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, urllib.error.HTTPError) and error.code == TOO_MANY_REQUESTS


_unless_busy = retry(
    retry=retry_if_exception(_is_busy),
    wait=wait_random_exponential(max=5),
    stop=stop_after_delay(120),
    reraise=True,
)


@contextmanager
def search_server() -> Iterator[SearchServer]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_opensearch(Path(folder) / "log", JAVA_OPTIONS) as endpoint,
    ):
        server = SearchServer(endpoint)
        # As on OpenSearch Service, by its page on concurrent segment search: on for nodes from 2xlarge.
        server.call(
            "PUT", "/_cluster/settings", {"persistent": {"search.concurrent_segment_search.mode": "none"}}
        )
        yield server
