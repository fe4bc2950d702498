"""The indices of counts on two real nodes: nothing is lost or changed when one dies and comes back."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bench.search_server import call
from contract.sink import CLICK_COUNTS
from lambdas.search_bootstrap.definitions import definitions
from names import day_index, delivery_index
from settings.search import SearchSettings
from stacks.search.bootstrap import definition_properties
from tests.segments import segment
from twin.opensearch import SMALL, OpenSearchServer
from twin.processes import free_port, wait_for

pytestmark = pytest.mark.slow

DELIVERY_INDEX = delivery_index(CLICK_COUNTS.index_family)
DAY = day_index(CLICK_COUNTS.index_family, date(2001, 1, 31))
ARTICLES = 2_000
TIMEOUT_SECONDS = 120
Copy = dict[str, tuple[int, dict[str, Any]]]
"""Version and source of each document, by its id."""


def document(article: int, clicks: int) -> dict[str, Any]:
    return {
        "minute": "2001-01-31T10:00:00.000Z",
        "article_id": f"article|{article}",
        **segment(),
        "clicks": clicks,
        "published_at": f"2001-01-31T10:00:05.{clicks % 1_000:03}Z",
    }


class Cluster:
    """`first` leads it and takes the requests; `other` holds the primary until it dies."""

    def __init__(self, logs: Path) -> None:
        transport = free_port()
        shared = {"discovery.type": "zen", "discovery.seed_hosts": [f"127.0.0.1:{transport}"]}
        leads = {"transport.port": transport, "cluster.initial_cluster_manager_nodes": ["first"]}
        self.first = OpenSearchServer(logs / "first", SMALL, {**shared, **leads, "node.name": "first"})
        follows = {"node.name": "other", "node.roles": ["data", "ingest"]}
        self.other = OpenSearchServer(logs / "other", SMALL, {**shared, **follows})
        self.accepted: dict[int, int] = {}
        """The largest count of each article that OpenSearch has acknowledged."""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return call(self.first.endpoint, method, path, None if body is None else json.dumps(body).encode())

    def deliver(self, seed: int, *, documents: int = 2_000) -> None:
        """Counts that grow, shrink and repeat, as Firehose delivers them."""
        random = Random(seed)
        sent = [(random.randrange(ARTICLES), random.randrange(1, 100_000)) for _ in range(documents)]
        lines = [
            line
            for article, clicks in sent
            for line in ({"index": {"_index": DELIVERY_INDEX}}, document(article, clicks))
        ]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        items = call(self.first.endpoint, "POST", "/_bulk", body)["items"]
        for (article, clicks), item in zip(sent, items, strict=True):
            assert item["index"]["status"] in {200, 201, 409}
            self.accepted[article] = max(clicks, self.accepted.get(article, 0))

    def refuse(self) -> None:
        """A document that Lucene refuses, so that a no-op stands in the shard's history."""
        refused = {**document(0, 1), "article_id": "x" * 40_000}
        lines = ({"index": {"_index": DELIVERY_INDEX}}, refused)
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        [item] = call(self.first.endpoint, "POST", "/_bulk", body)["items"]
        assert item["index"]["status"] == 400

    def wait_for_both_copies(self) -> None:
        def is_green() -> bool:
            return bool(self.call("GET", f"/_cluster/health/{DAY}")["status"] == "green")

        wait_for(is_green, what="both copies of the shard", timeout_seconds=TIMEOUT_SECONDS)

    def copies(self) -> dict[str, Copy]:
        """What each node has, by its name."""
        self.call("POST", f"/{DAY}/_refresh")
        found = {}
        for id_, node in self.call("GET", "/_nodes")["nodes"].items():
            path = f"/{DAY}/_search?size=10000&version=true&preference=_only_nodes:{id_}"
            hits = self.call("GET", path)["hits"]["hits"]
            found[node["name"]] = {hit["_id"]: (hit["_version"], hit["_source"]) for hit in hits}
        return found

    def check(self) -> None:
        """Both copies have the largest count of each article, and the same of everything."""
        self.wait_for_both_copies()
        copies = self.copies()
        assert copies["first"] == copies["other"]
        expected = {article: (clicks, document(article, clicks)) for article, clicks in self.accepted.items()}
        held = {int(found["article_id"].split("|")[1]): (v, found) for v, found in copies["other"].values()}
        assert held == expected

    def settle(self) -> None:
        """Commit on both copies, and wait until each knows that the other has everything."""
        self.call("POST", f"/{DAY}/_flush")

        def is_settled() -> bool:
            shards = self.call("GET", f"/{DAY}/_stats/docs?level=shards")["indices"][DAY]["shards"]["0"]
            return len({value for shard in shards for value in shard["seq_no"].values()}) == 1

        wait_for(is_settled, what="the same checkpoints on both copies", timeout_seconds=TIMEOUT_SECONDS)

    def recovered_by(self) -> str:
        """How the replica on `other` was made: from the files of the primary, or from operations alone."""
        shards = self.call("GET", f"/{DAY}/_recovery")[DAY]["shards"]
        [shard] = [shard for shard in shards if shard["target"]["name"] == "other"]
        assert (shard["type"], shard["primary"]) == ("PEER", False)
        return "files" if shard["index"]["files"]["total"] else "operations"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes; the first copy of the day's shard stands on `other`, with what was delivered so far."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.first.wait_until_ready()
        cluster.other.wait_until_ready()
        cluster.call("GET", "/_cluster/health?wait_for_nodes=2&timeout=60s")
        for definition in definitions(definition_properties(SearchSettings(instance_count=2))):
            if definition.body:
                cluster.call("PUT", definition.path, definition.body)
        only_other = {"cluster.routing.allocation.exclude._name": "first"}
        cluster.call("PUT", "/_cluster/settings", {"transient": only_other})
        cluster.deliver(1)
        cluster.call("PUT", "/_cluster/settings", {"transient": dict.fromkeys(only_other)})
        cluster.wait_for_both_copies()
        cluster.call("POST", f"/{DAY}/_flush")
        yield cluster
    finally:
        cluster.first.stop()
        cluster.other.stop()


def test_a_dead_primary_comes_back_as_a_replica_with_every_count(cluster: Cluster) -> None:
    cluster.deliver(2)
    cluster.refuse()
    cluster.other.go_away()
    cluster.deliver(3, documents=100)
    cluster.refuse()
    cluster.other.come_back()
    cluster.check()


def test_a_replica_away_during_a_merge_gets_every_count(cluster: Cluster) -> None:
    cluster.call("POST", f"/{DAY}/_forcemerge?max_num_segments=1")
    cluster.check()
    cluster.settle()
    cluster.other.go_away()
    cluster.deliver(4, documents=100)
    cluster.call("POST", f"/{DAY}/_forcemerge?max_num_segments=1")
    cluster.refuse()
    cluster.deliver(5, documents=100)
    cluster.other.come_back()
    cluster.check()


def test_a_new_replica_gets_every_count_from_files_while_more_arrive(cluster: Cluster) -> None:
    cluster.call("PUT", f"/{DAY}/_settings", {"index": {"number_of_replicas": 0}})
    is_over = threading.Event()

    def deliver() -> None:
        seed = 6
        while not is_over.is_set():
            cluster.deliver(seed, documents=500)
            seed += 1

    delivering = threading.Thread(target=deliver)
    delivering.start()
    try:
        cluster.call("PUT", f"/{DAY}/_settings", {"index": {"number_of_replicas": 1}})
        cluster.wait_for_both_copies()
        time.sleep(1)
    finally:
        is_over.set()
        delivering.join()
    cluster.check()
    assert cluster.recovered_by() == "files"
