"""What our own functions and the application publish is what the catalogue says of it."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from functools import cache
from typing import Any

import pytest

from lambdas.shared.metrics import NAMESPACE, SERVICE_DIMENSION
from operations.metrics_page import METRICS_MODULES, metrics_in
from tests.conftest import PROJECT
from twin.alarms.catalogue import (
    CATALOGUE,
    OURS,
    CataloguedMetric,
    Idle,
    MetricKind,
    UnknownMetricError,
    catalogued,
)

NOTHING, SOMETHING = "nothing", "something"
CALLS = {
    "feedback": {
        NOTHING: "publish(m.FeedbackOutcome())",
        SOMETHING: "publish(m.FeedbackOutcome(age_seconds=3.0))",
    },
    "redelivery": {
        NOTHING: "publish(m.Outcomes())",
        SOMETHING: "m.publish_given_up(Counter(one=2)); publish(m.Outcomes(waiting_age_seconds=3.0))",
    },
    "segments_publisher": {
        NOTHING: "publish(m.UploadOutcomes())",
        SOMETHING: "m.publish_at_once(m.REFUSED); m.publish_at_once(m.LATE); publish(m.UploadOutcomes())",
    },
    "reconciliation": {
        NOTHING: "publish(an_hour); m.publish_open(0, UP_TO_DATE)",
        SOMETHING: "publish(an_hour); m.publish_open(1, UP_TO_DATE)",
    },
    "replay": {NOTHING: "", SOMETHING: "publish(failed=1, put=2)"},
    "forwarder": {NOTHING: "", SOMETHING: "publish(a_batch, Delivery())"},
}
"""By the package of a function: what its invocations call, with nothing to do and with something."""
PREPARED = """
import json
from collections import Counter
from datetime import UTC, datetime
import lambdas.{function}.metrics as m
from lambdas.forwarder.metrics import BatchTally
from lambdas.reconciliation.final import UP_TO_DATE
from lambdas.reconciliation.result import ReconciledHours
from lambdas.reconciliation.set_aside import LeftInTokyo
from lambdas.shared.delivery import Delivery

publish = m.publish
an_hour = ReconciledHours(
    since=datetime(2026, 1, 1, tzinfo=UTC),
    until=datetime(2026, 1, 1, 1, tzinfo=UTC),
    windows=[],
    hours=[],
    left_in_tokyo=LeftInTokyo(),
    reading=UP_TO_DATE,
)
a_batch = BatchTally(
    records=1,
    received=1,
    forwarded=1,
    dropped=0,
    rejected={{"why": 1}},
    unexpected=0,
    failed=0,
    duplicates=0,
    received_bytes=1,
    rejected_bytes=0,
)
"""
FUNCTION = "click-trends-production-function"


Sent = dict[str, set[tuple[tuple[str, ...], str]]]
"""By the name of a metric, each set of dimensions with the unit."""


@cache
def sent_by(function: str) -> dict[str, Sent]:
    """What the embedded metrics say, with nothing to do and with something."""
    calls = "\n".join(f"print(json.dumps({when!r}))\n{call}" for when, call in CALLS[function].items())
    written = subprocess.run(
        [sys.executable, "-c", PREPARED.format(function=function) + calls],
        env={**os.environ, "AWS_LAMBDA_FUNCTION_NAME": FUNCTION},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Sent] = {}
    for line in map(json.loads, written.stdout.splitlines()):
        if isinstance(line, str):
            sent = found[line] = defaultdict(set)
            continue
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == NAMESPACE
            for dimensions in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    sent[metric["Name"]].add((tuple(sorted(dimensions)), metric["Unit"]))
    return found


def rows_of(function: str) -> list[CataloguedMetric]:
    return [each for each in OURS if each.source == f"lambdas/{function}/metrics.py"]


@pytest.mark.parametrize("function", CALLS)
def test_a_function_publishes_what_the_catalogue_says(function: str) -> None:
    sent = sent_by(function)[SOMETHING]
    assert rows_of(function)
    for each in rows_of(function):
        assert sent.get(each.name) == {(each.dimensions, each.unit)}, each.name


@pytest.mark.parametrize("function", CALLS)
def test_with_nothing_to_do_it_is_silent_where_the_catalogue_says_so(function: str) -> None:
    """RankingAge is silent only as long as no ranking was ever served: a fault, or a new environment."""
    sent = sent_by(function)[NOTHING].keys() | {"RankingAge"}
    for each in rows_of(function):
        assert (each.name in sent) is (each.idle is Idle.VALUE), each.name


def test_no_row_is_without_a_source_and_our_sources_are_files() -> None:
    for each in CATALOGUE:
        assert all((each.source, each.publisher, each.silent)), each
        if not each.source.startswith("https://docs.aws.amazon.com/"):
            assert (PROJECT / each.source).is_file(), each


def test_a_metric_stands_in_the_catalogue_once_for_each_publisher() -> None:
    assert len({(each.namespace, each.name, each.source) for each in CATALOGUE}) == len(CATALOGUE)


def test_every_metric_of_ours_is_one_that_its_module_names() -> None:
    named = {
        (f"lambdas/{module.parent.name}/metrics.py", name)
        for module in METRICS_MODULES
        for name, _ in metrics_in(module)
    }
    assert {(each.source, each.name) for each in OURS} <= named
    assert {each.dimensions for each in OURS} == {(SERVICE_DIMENSION,)}


def test_only_counts_are_added_up() -> None:
    for each in CATALOGUE:
        if each.namespace in {NAMESPACE, "AWS/KinesisAnalytics"}:
            assert ("Sum" in each.statistics) is (each.kind is MetricKind.COUNT), each


@pytest.mark.parametrize(
    ("name", "why"), [("NoSuchMetric", "is no metric"), ("Received", "is several metrics")]
)
def test_a_metric_that_is_not_catalogued_is_named_with_what_to_do(name: str, why: str) -> None:
    with pytest.raises(UnknownMetricError, match=f"^ClickTrends {name} {why} .* write it down there"):
        catalogued(NAMESPACE, name)


def test_a_metric_that_several_functions_have_is_told_by_the_function() -> None:
    row: Any = catalogued(NAMESPACE, "Received", function="reconciliation")
    assert row.source == "lambdas/reconciliation/metrics.py"
