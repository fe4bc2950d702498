"""The whole path in the twin, stage by stage: from the click to the document that a search finds.

Each probe is one click on an article of its own, put into Tokyo's mobile stream as an app would. So its count
is one document that becomes visible at one moment.
"""

import json
import statistics
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

from bench.report import Benchmark, Block, Curve, Figures, Plot, Table
from bench.scale import Scale
from bench.search_server import call
from bench.subprocesses import BenchmarkError
from contract.click import clicks_in
from contract.count import SEGMENT_COLUMNS, SEGMENT_FILE_HEADER
from contract.event_time import format_time
from contract.ranking import ALL_READERS_KEY, ARTICLES, KEY
from contract.sink import CLICK_COUNTS
from names import OREGON, TOKYO, counts_alias
from settings import load
from settings.latency import LatencyBudget, Stage, budget
from twin.processes import wait_for
from twin.shards import ShardReader, ShardRecord
from twin.traffic.record import EntryPoint
from twin.twin import ENVIRONMENT, Twin, chosen_transport, running_twin

if TYPE_CHECKING:
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

POLL_SECONDS = 0.1
NO_SHARD_YET = 503
SETTLE_SECONDS = 240
MIN_SPACING_SECONDS = 0.25
SERVED_CLICKS = 2
"""A ranking ignores an article with fewer: feedback.min_clicks."""
SEGMENTS = "\n".join(
    [",".join(SEGMENT_FILE_HEADER), ",".join(["probe", *("any" for _ in SEGMENT_COLUMNS)]), ""]
).encode()
INDICES = counts_alias(CLICK_COUNTS.index_family)
STAGES = {
    "to the source stream": (
        "request to Tokyo",
        "Lambda's poll",
        "forwarder's window",
        "forwarder's start",
        "request to Oregon",
    ),
    "to the checkpoint": ("application's poll", "checkpoint interval", "checkpoint"),
    "to a search": ("Firehose's buffer", "Firehose's delivery", "indexing", "refresh"),
}
"""Stages of the latency budget (settings/latency.py) between two observed times."""


class _Observer:
    """Notes when each probe arrives in the source stream, and when it is published, found and served."""

    def __init__(self, twin: Twin) -> None:
        names = twin.names
        self.arrived: dict[str, float] = {}
        self.published: dict[str, float] = {}
        self.visible: dict[str, float] = {}
        self.served: dict[str, float] = {}
        self.error: Exception | None = None
        self._endpoint = twin.opensearch_endpoint
        stream = f"arn:aws:kinesis:{OREGON}:{names.account}:stream/{names.source_stream}"
        self._shards = ShardReader(twin.emulator.client("kinesis", OREGON), stream)
        web_server = names.role_arn(names.web_server_role)
        self._rankings = twin.emulator.client_as(web_server, "dynamodb", TOKYO)
        self._table = names.trending_table
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(look,), daemon=True)
            for look in (self._look_at_stream, self._look_at_documents, self._look_at_ranking)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, look: Any) -> None:
        while not self._ended.wait(POLL_SECONDS):
            try:
                look()
            except Exception as error:
                self.error = error
                return

    def _look_at_stream(self) -> None:
        for article, arrived_at in arrivals(self._shards.read_all()):
            self.arrived.setdefault(article, arrived_at)

    def _look_at_documents(self) -> None:
        query = {
            "size": 10_000,
            "query": {"prefix": {"article_id": "probe-"}},
            "_source": ["article_id", "published_at"],
        }
        path = f"/{INDICES}/_search?ignore_unavailable=true"
        try:
            hits = call(self._endpoint, "POST", path, json.dumps(query).encode())["hits"]["hits"]
        except HTTPError as error:
            if error.code == NO_SHARD_YET:
                return
            raise
        now = time.time()
        for hit in hits:
            article = hit["_source"]["article_id"]
            if article not in self.visible:
                self.visible[article] = now
                self.published[article] = datetime.fromisoformat(hit["_source"]["published_at"]).timestamp()

    def _look_at_ranking(self) -> None:
        item = self._rankings.get_item(TableName=self._table, Key={KEY: {"S": ALL_READERS_KEY}}).get("Item")
        now = time.time()
        for article in item[ARTICLES]["L"] if item else ():
            self.served.setdefault(article["S"], now)


def arrivals(records: Iterable[ShardRecord]) -> Iterator[tuple[str, float]]:
    """The article of each click, and when it arrived: the forwarder puts many clicks into a record."""
    for record in records:
        for click in clicks_in(record.data):
            yield click["article_id"], record.arrived_at.timestamp()


def measure(scale: Scale) -> dict[str, Any]:
    """One twin, whose application is started anew with each publish interval."""
    figures: dict[str, Any] = {"transport": chosen_transport(), "intervals": [], "served": None}
    if not scale.publish_seconds:
        return figures
    with running_twin() as twin:
        twin.deploy()
        twin.publish_segments(SEGMENTS, datetime.now(UTC) - timedelta(days=2))
        observer = _Observer(twin)
        try:
            for seconds in scale.publish_seconds:
                set_publish_interval(twin, seconds)
                figures["intervals"].append(_interval(twin, observer, seconds, scale.probes))
                if seconds == scale.served_publish_seconds:
                    figures["served"] = _served(twin, observer, seconds, scale.served_probes)
        finally:
            observer.stop()
    return figures


def _interval(twin: Twin, observer: _Observer, publish_seconds: int, probes: int) -> dict[str, Any]:
    """Of probes spread over a publish interval, or longer where that is too short for them."""
    first, _ = _put_probe(twin)
    _wait(twin, observer, [first], observer.visible)
    spacing = max(MIN_SPACING_SECONDS, publish_seconds / probes)
    sent = _put_probes(twin, probes, spacing)
    _wait(twin, observer, sent, observer.visible)
    times = [
        (clicked, observer.arrived[probe], observer.published[probe], observer.visible[probe])
        for probe, clicked in sent.items()
    ]
    return {
        "publish_seconds": publish_seconds,
        "probes": probes,
        "total": percentiles([visible - clicked for clicked, _, _, visible in times]),
        "stages": {
            name: percentiles([each[number + 1] - each[number] for each in times])
            for number, name in enumerate(STAGES)
        },
    }


def _served(twin: Twin, observer: _Observer, publish_seconds: int, probes: int) -> dict[str, Any]:
    """Of probes spread over a period of the feedback."""
    spacing = 60 * load(ENVIRONMENT).feedback.period_minutes / probes
    sent = _put_probes(twin, probes, spacing, clicks=SERVED_CLICKS)
    _wait(twin, observer, sent, observer.served)
    return {
        "publish_seconds": publish_seconds,
        "probes": probes,
        "total": percentiles([observer.served[probe] - clicked for probe, clicked in sent.items()]),
    }


def _put_probes(twin: Twin, probes: int, spacing: float, *, clicks: int = 1) -> dict[str, float]:
    """At an uneven pace, so that no period of the system and that of the probes go together."""
    sent = {}
    for number in range(probes):
        time.sleep(spacing * (0.5 + number * 0.618 % 1))
        article, clicked = _put_probe(twin, clicks=clicks)
        sent[article] = clicked
    return sent


def set_publish_interval(twin: Twin, seconds: int) -> None:
    """As `analytics.publish_every_seconds` would have it; an update restarts the application by itself."""
    analytics = twin.emulator.client("kinesisanalyticsv2", OREGON)
    name, application = twin.names.application, twin.application
    assert application is not None, "only a deployed application has an interval"
    checkpoints = {"ConfigurationTypeUpdate": "CUSTOM", "CheckpointIntervalUpdate": seconds * 1000}
    analytics.update_application(
        ApplicationName=name,
        CurrentApplicationVersionId=application.detail()["ApplicationVersionId"],
        ApplicationConfigurationUpdate={
            "FlinkApplicationConfigurationUpdate": {"CheckpointConfigurationUpdate": checkpoints}
        },
    )

    def runs_again() -> bool:
        twin.check()
        return bool(application.detail()["ApplicationStatus"] == "RUNNING")

    wait_for(
        runs_again,
        what=f"the application with a publish interval of {seconds} s",
        timeout_seconds=SETTLE_SECONDS,
        poll_seconds=0.5,
        seen=twin.last_seen,
    )


def _put_probe(twin: Twin, *, clicks: int = 1) -> tuple[str, float]:
    """The probe's article, and when it was clicked (seconds since 1970)."""
    article, now = f"probe-{uuid.uuid4()}", time.time()
    records: list[PutRecordsRequestEntryTypeDef] = []
    for number in range(clicks):
        click = {
            "click_id": f"{article}-{number}",
            "clicked_at": format_time(datetime.fromtimestamp(now, UTC)),
            "user_id": "probe",
            "article_id": article,
        }
        records.append({"Data": json.dumps(click).encode() + b"\n", "PartitionKey": article})
    stream = twin.producers()[EntryPoint.MOBILE]
    answer = stream.client.put_records(StreamName=stream.name, Records=records)
    if answer["FailedRecordCount"]:
        raise BenchmarkError(f"the mobile stream did not take a probe: {answer['Records']}")
    return article, now


def _wait(twin: Twin, observer: _Observer, probes: Iterable[str], found_at: Mapping[str, float]) -> None:
    """Until every probe is in `found_at`, and has been seen in the source stream."""
    wanted = set(probes)

    def all_there() -> bool:
        twin.check()
        if observer.error:
            raise observer.error
        return wanted <= found_at.keys() and wanted <= observer.arrived.keys()

    wait_for(
        all_there,
        what="every probe found",
        timeout_seconds=SETTLE_SECONDS,
        seen=lambda: f"{len(wanted - found_at.keys())} of {len(wanted)} not found, {twin.last_seen()}",
    )


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in seconds."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


def budgeted(publish_seconds: int) -> dict[str, tuple[float, float]]:
    """Typical and worst seconds of each of STAGES, by settings/latency.py with the twin's settings."""
    stages = {stage.name: stage for stage in _of_mobile_apps(publish_seconds).to_visible}
    return {name: _sum(stages[part] for part in parts) for name, parts in STAGES.items()}


def visible_budget(publish_seconds: int) -> tuple[float, float]:
    """The same from the request to Tokyo until a search finds the click."""
    allowed = budgeted(publish_seconds).values()
    return sum(typical for typical, _ in allowed), sum(worst for _, worst in allowed)


def served_budget(publish_seconds: int) -> tuple[float, float]:
    """The same until a ranking shows the click."""
    visible = visible_budget(publish_seconds)
    after = _sum(_of_mobile_apps(publish_seconds).to_served)
    return visible[0] + after[0], visible[1] + after[1]


def _of_mobile_apps(publish_seconds: int) -> LatencyBudget:
    settings = load(ENVIRONMENT)
    with_interval = settings.analytics.model_copy(update={"publish_every_seconds": publish_seconds})
    changed = settings.model_copy(update={"analytics": with_interval})
    return next(each for each in budget(changed) if each.producer == "mobile apps")


def _sum(stages: Iterable[Stage]) -> tuple[float, float]:
    seconds = [stage.seconds for stage in stages]
    return sum(each.typical for each in seconds), sum(each.worst for each in seconds)


def report(figures: Figures) -> Sequence[Block]:
    intervals, served = figures["intervals"], figures["served"]
    if not intervals:
        return ("Not part of a quick run.",)
    rows = []
    for each in intervals:
        publish_seconds = each["publish_seconds"]
        allowed = budgeted(publish_seconds)
        for name, seconds in each["stages"].items():
            rows.append(_row(f"{publish_seconds} s: {name}", seconds, allowed[name]))
        rows.append(
            _row(f"{publish_seconds} s: **click to visible**", each["total"], visible_budget(publish_seconds))
        )
        if served and served["publish_seconds"] == publish_seconds:
            rows.append(
                _row(
                    f"{publish_seconds} s: **click to served**",
                    served["total"],
                    served_budget(publish_seconds),
                )
            )
    return (
        f"In the twin, {intervals[0]['probes']} clicks one by one for each publish interval, from the "
        "request to Tokyo's stream to the first search that finds the count (one every 0.1 s). The twin's "
        "workers stand in for Lambda's poll, for Firehose and, without the AWS connectors, for the "
        "application's reading. The [latency budget](latency.md) beside them holds for AWS."
        + (
            " With the transport `files`, Flink shows a file of counts one checkpoint after they were "
            "published, so `to a search` includes one more publish interval than on AWS."
            if figures.get("transport") == "files"
            else ""
        )
        + (
            f" Served: {served['probes']} further articles, spread over a feedback period, until a web "
            "server in Tokyo reads them in the ranking of all readers."
            if served
            else ""
        ),
        Table(
            head=(
                "publish interval: stage",
                "p50, s",
                "p95, s",
                "p99, s",
                "budget: typical",
                "budget: worst",
            ),
            rows=tuple(rows),
        ),
        Plot(
            name="click-to-visible",
            title="Click to visible in OpenSearch, in the twin",
            x="publish interval, s",
            y="seconds",
            curves=(
                *(
                    Curve(
                        label=key,
                        points=tuple((each["publish_seconds"], each["total"][key]) for each in intervals),
                    )
                    for key in ("p50", "p95", "p99")
                ),
                *(
                    Curve(
                        label=f"budget, {name}",
                        points=tuple(
                            (each["publish_seconds"], visible_budget(each["publish_seconds"])[which])
                            for each in intervals
                        ),
                    )
                    for which, name in enumerate(("typical", "worst"))
                ),
            ),
            logarithmic=False,
        ),
    )


def _row(name: str, seconds: Mapping[str, float], allowed: tuple[float, float]) -> tuple[str, ...]:
    measured = (f"{seconds[key]:.2f}" for key in ("p50", "p95", "p99"))
    return (name, *measured, *(f"{each:.2f}" for each in allowed))


SECTION = Benchmark(name="path", title="From the click to the search", measure=measure, report=report)
