"""What the bootstrap sends to a domain with scripted answers."""

import http.client
import json
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from contract.sink import CLICK_COUNTS, Sink
from lambdas.search_bootstrap.bootstrap import Bootstrap
from lambdas.search_bootstrap.definitions import Definition, definitions
from lambdas.search_bootstrap.domain import BootstrapError
from names import retention_policy, undated_template, unserved_template
from settings.search import SearchSettings
from stacks.search import access
from stacks.search.bootstrap import definition_properties

DEPLOYED = definition_properties(SearchSettings(instance_count=3, retention_days=90))
PROPERTIES = {**DEPLOYED, "IndexFamilies": DEPLOYED["IndexFamilies"][:1]}
FAMILY = CLICK_COUNTS.index_family
PIPELINE, TEMPLATE = f"/_ingest/pipeline/{FAMILY}", f"/_index_template/{FAMILY}"
UNDATED = f"/_index_template/{undated_template(FAMILY)}"
UNSERVED = f"/_index_template/{unserved_template(FAMILY)}"
BEFORE_RETENTION: list[tuple[int, dict[str, Any]]] = [(status, {}) for status in (200, 200, 404, 200, 200)]
"""Answers to the requests for pipeline and templates."""
RETENTION = f"/_plugins/_ism/policies/{retention_policy(FAMILY)}"
Answer = tuple[int, dict[str, Any]] | Exception


class ScriptedDomain:
    """Answers each request with the next of `answers`, then with 200."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[tuple[str, str]] = []
        self.now = 0.0

    def send(self, method: str, path: str, _body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        self.requests.append((method, path))
        given: Answer = self._answers.pop(0) if self._answers else (200, {"_seq_no": 7, "_primary_term": 1})
        if isinstance(given, Exception):
            raise given
        return given

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def bootstrap(self) -> Bootstrap:
        return Bootstrap(self.send, sleep=self.sleep, clock=lambda: self.now)


def test_the_retention_policy_is_deleted_when_indices_are_kept_for_ever() -> None:
    """It would still catch each new index."""
    domain = ScriptedDomain()
    domain.bootstrap().put(definitions({**PROPERTIES, "RetentionDays": "forever"}), deadline=100)
    assert domain.requests[5:] == [("GET", RETENTION), ("DELETE", RETENTION)]


def test_a_deletion_with_a_lost_answer_succeeds() -> None:
    domain = ScriptedDomain(*BEFORE_RETENTION, (200, {}), TimeoutError(), (404, {}))
    domain.bootstrap().put(definitions({**PROPERTIES, "RetentionDays": "forever"}), deadline=100)
    assert domain.requests[6:] == [("DELETE", RETENTION)] * 2


def test_a_failed_deletion_of_the_retention_policy_quotes_the_answer() -> None:
    domain = ScriptedDomain(*BEFORE_RETENTION, (200, {}), (401, {"error": "no signature"}))
    with pytest.raises(BootstrapError, match=r"refused to delete /_plugins.*with 401: .*no signature"):
        domain.bootstrap().put(definitions({**PROPERTIES, "RetentionDays": "forever"}), deadline=100)


@pytest.mark.parametrize("absent", [(404, {}), (400, {"error": "no handler found for uri"})])
def test_the_pipeline_is_put_before_the_template_that_names_it(absent: Answer) -> None:
    """The twin's OpenSearch has no index state management, and answers 400."""
    domain = ScriptedDomain(*BEFORE_RETENTION, absent)
    domain.bootstrap().put(definitions({**PROPERTIES, "RetentionDays": "forever"}), deadline=100)
    assert domain.requests == [
        ("PUT", PIPELINE),
        ("PUT", UNDATED),
        ("GET", TEMPLATE),
        ("PUT", TEMPLATE),
        ("PUT", UNSERVED),
        ("GET", RETENTION),
    ]


def test_the_retention_policy_is_replaced_at_the_version_found() -> None:
    domain = ScriptedDomain()
    domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert domain.requests[5:] == [
        ("GET", RETENTION),
        ("PUT", f"{RETENTION}?if_seq_no=7&if_primary_term=1"),
    ]


def test_a_new_retention_policy_has_no_version() -> None:
    domain = ScriptedDomain(*BEFORE_RETENTION, (404, {}))
    domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert domain.requests[6] == ("PUT", RETENTION)


def test_a_retention_policy_with_a_lost_answer_is_put_at_its_new_version() -> None:
    found: Answer = (200, {"_seq_no": 3, "_primary_term": 1})
    domain = ScriptedDomain(*BEFORE_RETENTION, found, TimeoutError(), (409, {"error": "version conflict"}))
    domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert domain.requests[6:] == [
        ("PUT", f"{RETENTION}?if_seq_no=3&if_primary_term=1"),
        ("PUT", f"{RETENTION}?if_seq_no=3&if_primary_term=1"),
        ("GET", RETENTION),
        ("PUT", f"{RETENTION}?if_seq_no=7&if_primary_term=1"),
    ]


def test_a_retention_policy_that_always_conflicts_fails_in_time() -> None:
    found: Answer = (200, {"_seq_no": 3, "_primary_term": 1})
    domain = ScriptedDomain(*BEFORE_RETENTION, *[found, (409, {"error": "version conflict"})] * 99)
    with pytest.raises(BootstrapError, match=r"409.*version conflict"):
        domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert domain.now < 100


@pytest.mark.parametrize("answered", [(401, {"error": "no signature"}), (200, {"policy": {}})])
def test_an_unreadable_retention_policy_fails_with_the_answer(answered: Answer) -> None:
    domain = ScriptedDomain(*BEFORE_RETENTION, answered)
    with pytest.raises(BootstrapError, match=r"answered GET /_plugins.* with (401|200)"):
        domain.bootstrap().put(definitions(PROPERTIES), deadline=100)


@pytest.mark.parametrize(
    "retryable",
    [
        (403, {}),
        (503, {}),
        urllib.error.URLError("refused"),
        TimeoutError(),
        http.client.IncompleteRead(b'{"acknow'),
    ],
)
def test_it_waits_for_a_domain_that_is_not_ready(retryable: Answer) -> None:
    domain = ScriptedDomain(retryable, retryable)
    domain.bootstrap().put(definitions(PROPERTIES)[:1], deadline=100)
    assert domain.requests == [("PUT", PIPELINE)] * 3


def test_a_refused_definition_fails_at_once() -> None:
    domain = ScriptedDomain((400, {"error": "no processor type exists with name [fingerprint]"}))
    with pytest.raises(BootstrapError, match=rf"refused {PIPELINE} with 400: .*fingerprint"):
        domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert len(domain.requests) == 1


def test_a_domain_that_never_answers_fails_in_time() -> None:
    domain = ScriptedDomain(*[(503, {"error": "starting"})] * 999)
    with pytest.raises(BootstrapError, match=r"503.*starting"):
        domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert domain.now < 100


def bodies(wanted: list[Definition]) -> list[dict[str, Any]]:
    return [definition.body for definition in wanted if definition.body is not None]


def test_the_definitions_contain_the_settings() -> None:
    _, *templates, policy = bodies(definitions({**PROPERTIES, "Replicas": "0", "RetentionDays": "14"}))
    for template in templates:
        assert template["template"]["settings"]["index"]["number_of_replicas"] == 0
    [kept, deleted] = policy["policy"]["states"]
    assert kept["transitions"] == [{"state_name": deleted["name"], "conditions": {"min_index_age": "14d"}}]


def test_the_definitions_of_a_sink_are_as_recorded() -> None:
    """To the byte: the names of every object in this order."""
    example = Sink(table="shades", name="shades", family="shades", key=("minute", "shade"), generation=2)
    properties = definition_properties(SearchSettings(retention_days=90), sinks=[example])
    made = {definition.path: definition.body for definition in definitions(properties)}
    recorded = Path(__file__).with_name("definitions.json").read_text(encoding="utf-8")
    assert json.dumps(made, indent=2) + "\n" == recorded


def test_the_bootstrap_has_permission_for_what_it_puts() -> None:
    assert {definition.path for definition in definitions(DEPLOYED)} == {*access.SEARCH_BOOTSTRAP.paths}
    kept = definitions({**DEPLOYED, "RetentionDays": "forever"})
    assert {each.path for each in kept if each.body is None} == {
        *access.SEARCH_BOOTSTRAP_ENDS_RETENTION.paths
    }
