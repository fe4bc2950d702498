"""What the bootstrap sends, to a domain that answers as told."""

import urllib.error
from typing import Any

import pytest

import names
from lambdas.search_bootstrap.definitions import PIPELINE, RETENTION, TEMPLATE, definitions
from lambdas.search_bootstrap.handler import Bootstrap, BootstrapError

PROPERTIES = {"Replicas": "1", "RetentionDays": "90"}
Answer = tuple[int, dict[str, Any]] | Exception


class Domain:
    """Answers each request with the next of `answers`, and with 200 after the last."""

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


def test_the_pipeline_is_there_before_the_template_that_names_it() -> None:
    domain = Domain()
    domain.bootstrap().put(definitions({**PROPERTIES, "RetentionDays": "forever"}), deadline=100)
    assert domain.requests == [("PUT", PIPELINE), ("PUT", TEMPLATE)]


def test_a_retention_policy_is_replaced_at_the_version_that_was_found() -> None:
    domain = Domain()
    domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert domain.requests[2:] == [
        ("GET", RETENTION),
        ("PUT", f"{RETENTION}?if_seq_no=7&if_primary_term=1"),
    ]


def test_a_retention_policy_that_is_new_has_no_version() -> None:
    domain = Domain((200, {}), (200, {}), (404, {}))
    domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert domain.requests[3] == ("PUT", RETENTION)


@pytest.mark.parametrize("passing", [(403, {}), (503, {}), urllib.error.URLError("refused"), TimeoutError()])
def test_a_domain_that_is_not_ready_is_waited_for(passing: Answer) -> None:
    domain = Domain(passing, passing)
    domain.bootstrap().put(definitions(PROPERTIES)[:1], deadline=100)
    assert domain.requests == [("PUT", PIPELINE)] * 3


def test_a_definition_that_is_refused_ends_it_at_once() -> None:
    domain = Domain((400, {"error": "no processor type exists with name [fingerprint]"}))
    with pytest.raises(
        BootstrapError, match=r"refused /_ingest/pipeline/click-counts with 400: .*fingerprint"
    ):
        domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert len(domain.requests) == 1


def test_a_domain_that_never_answers_ends_it_before_the_deadline() -> None:
    domain = Domain(*[(503, {"error": "starting"})] * 999)
    with pytest.raises(BootstrapError, match=r"503.*starting"):
        domain.bootstrap().put(definitions(PROPERTIES), deadline=100)
    assert domain.now < 100


def test_the_settings_are_in_the_definitions() -> None:
    _, template, policy = definitions({"Replicas": "0", "RetentionDays": "14"})
    assert template.body["template"]["settings"]["index"]["number_of_replicas"] == 0
    [kept, deleted] = policy.body["policy"]["states"]
    assert kept["transitions"] == [{"state_name": deleted["name"], "conditions": {"min_index_age": "14d"}}]


def test_the_definitions_use_the_names_that_all_parts_share() -> None:
    pipeline, template, policy = definitions(PROPERTIES)
    assert pipeline.path == f"/_ingest/pipeline/{names.INGEST_PIPELINE}"
    assert template.path == f"/_index_template/{names.INDEX_TEMPLATE}"
    assert policy.path == f"/_plugins/_ism/policies/{names.RETENTION_POLICY}"
    assert pipeline.body["processors"][0]["script"]["params"]["index_prefix"] == names.INDEX_PREFIX
    assert template.body["template"]["settings"]["index"]["default_pipeline"] == names.INGEST_PIPELINE
    patterns = {*template.body["index_patterns"]}
    patterns |= {
        pattern for one in policy.body["policy"]["ism_template"] for pattern in one["index_patterns"]
    }
    assert patterns == {f"{names.INDEX_PREFIX}*"}
