"""The alias that readers search, on a real OpenSearch server: which index of a day has it, and when."""

import json
import threading
import time
import urllib.error
import urllib.request
from datetime import date
from typing import Any

import pytest

from clients.batch_server import search as batch_server_search
from contract.sink import Sink
from lambdas.search_bootstrap.bootstrap import Bootstrap
from lambdas.search_bootstrap.definitions import definitions
from lambdas.search_bootstrap.domain import signed_sender
from names import counts_alias, day_index, delivery_index, generation_family
from settings.search import SearchSettings
from stacks.search.bootstrap import definition_properties

SINK = Sink(table="aliased", name="aliased", family="aliased", key=("minute", "article_id"))
ALIAS = counts_alias(SINK.index_family)
FIRST, SECOND = (generation_family(SINK.index_family, generation) for generation in (1, 2))
YESTERDAY, TODAY = date(2001, 1, 30), date(2001, 1, 31)
SWITCHES = 20
READERS = 3


class Domain:
    """A server with no index of this family at first."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.call("DELETE", f"/{FIRST}.*,{SECOND}.*")
        for template in (FIRST, f"{FIRST}_unserved"):
            assert self.status("DELETE", f"/_index_template/{template}") in (200, 404)

    def status(self, method: str, path: str, body: Any = None) -> int:
        try:
            self.call(method, path, body)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        headers = {"Content-Type": "application/x-ndjson" if "_bulk" in path else "application/json"}
        request = urllib.request.Request(self.endpoint + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def bootstrap(self) -> None:
        bootstrap = Bootstrap(signed_sender(self.endpoint))
        wanted = definitions(definition_properties(SearchSettings(instance_count=1), sinks=[SINK]))
        bootstrap.put(wanted, deadline=time.monotonic() + 60)
        bootstrap.serve(SINK.index_family, deadline=time.monotonic() + 60)

    def deliver(self, family: str, day: date, clicks: int) -> None:
        """A count, as Firehose delivers it."""
        count = {
            "minute": f"{day}T10:00:00Z",
            "article_id": "a",
            "clicks": clicks,
            "published_at": f"{day}T10:00:05Z",
        }
        lines = [{"index": {"_index": delivery_index(family)}}, count]
        body = "".join(json.dumps(line) + "\n" for line in lines)
        answer = self.call("POST", "/_bulk?refresh=true", body)
        assert not answer["errors"], answer

    def clicks(self) -> int:
        body = {"size": 0, "aggs": {"clicks": {"sum": {"field": "clicks"}}}}
        answer = self.call("POST", f"/{ALIAS}/_search", body)
        assert answer["_shards"]["successful"] == answer["_shards"]["total"]
        clicks: float = answer["aggregations"]["clicks"]["value"]
        return round(clicks)

    def served(self) -> set[str]:
        return set(self.call("GET", f"/_alias/{ALIAS}"))


@pytest.fixture
def domain(opensearch: str, monkeypatch: pytest.MonkeyPatch) -> Domain:
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "REGION": "us-west-2"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return Domain(opensearch)


def test_only_the_generation_that_serves_gives_its_new_days_the_alias(domain: Domain) -> None:
    domain.bootstrap()
    domain.deliver(FIRST, TODAY, 5)
    domain.deliver(SECOND, TODAY, 7)
    domain.deliver(SECOND, YESTERDAY, 11)
    assert domain.served() == {day_index(FIRST, TODAY)}
    assert domain.clicks() == 5


def test_days_of_a_release_without_an_alias_get_it_once(domain: Domain) -> None:
    old = {"index_patterns": [f"{FIRST}.*"], "priority": 100, "template": {}}
    domain.call("PUT", f"/_index_template/{FIRST}", old)
    for day in (YESTERDAY, TODAY):
        domain.call("PUT", f"/{day_index(FIRST, day)}")
    domain.call("PUT", f"/{day_index(SECOND, YESTERDAY)}")
    domain.call("PUT", f"/{day_index(SECOND, YESTERDAY)}/_alias/{ALIAS}")  # corrected
    for _ in range(2):
        domain.bootstrap()
        assert domain.served() == {day_index(SECOND, YESTERDAY), day_index(FIRST, TODAY)}


def test_a_deployment_keeps_the_generation_that_a_correction_made_serve(domain: Domain) -> None:
    domain.bootstrap()
    [template] = domain.call("GET", f"/_index_template/{FIRST}")["index_templates"]
    body = template["index_template"] | {"index_patterns": [f"{SECOND}.*"]}
    domain.call("PUT", f"/_index_template/{FIRST}", body)
    domain.bootstrap()
    domain.deliver(FIRST, TODAY, 5)
    domain.deliver(SECOND, TODAY, 7)
    assert domain.served() == {day_index(SECOND, TODAY)}


def test_no_search_sees_two_generations_or_none_while_they_are_switched(domain: Domain) -> None:
    domain.bootstrap()
    for day in (YESTERDAY, TODAY):
        domain.deliver(FIRST, day, 5)
        domain.deliver(SECOND, day, 7)
    seen: set[int] = set()
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            seen.add(domain.clicks())

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        for number in range(SWITCHES):
            new, old = (SECOND, FIRST) if number % 2 == 0 else (FIRST, SECOND)
            actions = [
                {verb: {"index": day_index(family, day), "alias": ALIAS}}
                for day in (YESTERDAY, TODAY)
                for verb, family in (("add", new), ("remove", old))
            ]
            domain.call("POST", "/_aliases", {"actions": actions})
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    assert seen == {10, 14}


def test_an_alias_that_no_index_has_is_told_from_other_errors(domain: Domain) -> None:
    domain.bootstrap()
    with pytest.raises(urllib.error.HTTPError) as refused:
        domain.clicks()
    reason = json.load(refused.value)["error"]["reason"]
    assert refused.value.code == 404
    assert reason == batch_server_search.NO_INDEX.replace(batch_server_search.INDICES, ALIAS)
