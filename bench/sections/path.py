"""The whole path in the twin: from the click to the document that a search finds, stage by stage.

Each probe is one click of an article of its own, put into Tokyo's mobile stream as an app would, so its count
is one document that OpenSearch shows at one moment.
"""

import json
import statistics
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError

from bench.report import Benchmark, Block, Curve, Figures, Plot, Table
from bench.scale import Scale
from bench.search_server import call
from contract.event_time import format_time
from contract.sink import CLICK_COUNTS
from names import OREGON, index_pattern
from settings import Settings, load
from settings.latency import Stage, budget
from traffic.record import EntryPoint
from twin.processes import wait_for
from twin.shards import ShardReader
from twin.twin import ENVIRONMENT, Twin, chosen_transport, running_twin

POLL_SECONDS = 0.1
NO_SHARD_YET = 503
SETTLE_SECONDS = 180
SEGMENTS = b"user_id,gender,age_band,region\nprobe,female,20s,tokyo\n"
INDICES = index_pattern(CLICK_COUNTS.index_family)
STAGES = {
    "to the source stream": (
        *(
            "request to Tokyo",
            "Lambda's poll",
            "forwarder's window",
            "forwarder's start",
            "request to Oregon",
        ),
    ),
    "to the checkpoint": ("application's poll", "checkpoint interval", "checkpoint"),
    "to a search": ("Firehose's buffer", "Firehose's delivery", "indexing", "refresh"),
}
"""The stages of the latency budget (settings/latency.py) that lie between two moments which are observed."""


class _Observer:
    """Notes when each probe arrives in the source stream, and when it is published and found."""

    def __init__(self, twin: Twin) -> None:
        names = twin.names
        self.arrived: dict[str, float] = {}
        self.published: dict[str, float] = {}
        self.visible: dict[str, float] = {}
        self.error: Exception | None = None
        self._endpoint = twin.opensearch_endpoint
        stream = f"arn:aws:kinesis:{OREGON}:{names.account}:stream/{names.source_stream}"
        self._shards = ShardReader(twin.emulator.client("kinesis", OREGON), stream)
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(look,), daemon=True)
            for look in (self._look_at_stream, self._look_at_documents)
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
        for record in self._shards.read_all():
            self.arrived.setdefault(json.loads(record.data)["article_id"], record.arrived_at.timestamp())

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


def measure(scale: Scale) -> dict[str, Any]:
    return {
        "transport": chosen_transport(),
        "intervals": [_interval(seconds, scale.probes) for seconds in scale.publish_seconds],
    }


def _interval(publish_seconds: int, probes: int) -> dict[str, Any]:
    """A twin of its own, whose application is started anew with this publish interval."""
    with running_twin() as twin:
        twin.deploy()
        twin.publish_segments(SEGMENTS, datetime.now(UTC) - timedelta(days=2))
        set_publish_interval(twin, publish_seconds)
        observer = _Observer(twin)
        try:
            first = _put_probe(twin)
            _wait(twin, observer, [first[0]])
            sent = dict([first])
            spacing = max(0.25, publish_seconds * 3 / probes)
            for number in range(probes):
                # An uneven pace, so that no period of the system and that of the probes go together.
                time.sleep(spacing * (0.5 + number * 0.618 % 1))
                article, moment = _put_probe(twin)
                sent[article] = moment
            _wait(twin, observer, sent)
        finally:
            observer.stop()
    del sent[first[0]]
    moments = [
        (moment, observer.arrived[probe], observer.published[probe], observer.visible[probe])
        for probe, moment in sent.items()
    ]
    return {
        "publish_seconds": publish_seconds,
        "probes": probes,
        "total": percentiles([visible - clicked for clicked, _, _, visible in moments]),
        "stages": {
            name: percentiles([each[number + 1] - each[number] for each in moments])
            for number, name in enumerate(STAGES)
        },
    }


def set_publish_interval(twin: Twin, seconds: int) -> None:
    """As `analytics.publish_every_seconds` would have it."""
    analytics = twin.emulator.client("kinesisanalyticsv2", OREGON)
    name = twin.names.application
    detail = analytics.describe_application(ApplicationName=name)["ApplicationDetail"]
    checkpoints = {"ConfigurationTypeUpdate": "CUSTOM", "CheckpointIntervalUpdate": seconds * 1000}
    analytics.update_application(
        ApplicationName=name,
        CurrentApplicationVersionId=detail["ApplicationVersionId"],
        ApplicationConfigurationUpdate={
            "FlinkApplicationConfigurationUpdate": {"CheckpointConfigurationUpdate": checkpoints}
        },
    )
    assert twin.application
    twin.application.restart(with_snapshot=False)


def _put_probe(twin: Twin) -> tuple[str, float]:
    """The probe's article, and when it was clicked (seconds since 1970)."""
    article, now = f"probe-{uuid.uuid4()}", time.time()
    click = {
        "click_id": article,
        "clicked_at": format_time(datetime.fromtimestamp(now, UTC)),
        "user_id": "probe",
        "article_id": article,
    }
    stream = twin.producers()[EntryPoint.MOBILE]
    data = json.dumps(click).encode() + b"\n"
    answer = stream.client.put_records(
        StreamName=stream.name, Records=[{"Data": data, "PartitionKey": article}]
    )
    assert answer["FailedRecordCount"] == 0, answer
    return article, now


def _wait(twin: Twin, observer: _Observer, probes: Iterable[str]) -> None:
    wanted = set(probes)

    def all_there() -> bool:
        twin.check()
        if observer.error:
            raise observer.error
        return wanted <= observer.visible.keys() and wanted <= observer.arrived.keys()

    wait_for(all_there, what="every probe found in OpenSearch", timeout_seconds=SETTLE_SECONDS)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 in seconds."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


def budgeted(publish_seconds: int) -> dict[str, tuple[float, float]]:
    """Typical and worst seconds of each of STAGES by settings/latency.py, with the twin's settings."""
    settings = load(ENVIRONMENT)
    with_interval = settings.analytics.model_copy(update={"publish_every_seconds": publish_seconds})
    stages = _of_mobile_apps(settings.model_copy(update={"analytics": with_interval}))
    return {
        name: (
            sum(stages[part].seconds.typical for part in parts),
            sum(stages[part].seconds.worst for part in parts),
        )
        for name, parts in STAGES.items()
    }


def _of_mobile_apps(settings: Settings) -> dict[str, Stage]:
    (path,) = (each for each in budget(settings) if each.producer == "mobile apps")
    return {stage.name: stage for stage in path.to_visible}


def report(figures: Figures) -> Sequence[Block]:
    intervals = figures["intervals"]
    if not intervals:
        return ("Not part of a quick run.",)
    rows = []
    for each in intervals:
        allowed = budgeted(each["publish_seconds"])
        for name, seconds in [*each["stages"].items(), ("**click to visible**", each["total"])]:
            typical, worst = allowed.get(name) or (
                sum(one for one, _ in allowed.values()),
                sum(one for _, one in allowed.values()),
            )
            rows.append(
                (
                    f"{each['publish_seconds']} s: {name}",
                    *(f"{seconds[key]:.2f}" for key in ("p50", "p95", "p99")),
                    f"{typical:.2f}",
                    f"{worst:.2f}",
                )
            )
    return (
        f"In the twin, {intervals[0]['probes']} clicks one by one for each publish interval, from the "
        "request to "
        "Tokyo's stream to the first search that finds the count (asked every 0.1 s). The twin's own "
        "workers stand "
        "in for Lambda's poll, for Firehose and, without the AWS connectors, for the application's "
        "reading; on AWS "
        "their parts are those of the [latency budget](latency.md), which stands beside.",
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
            curves=tuple(
                Curve(
                    label=key,
                    points=tuple((each["publish_seconds"], each["total"][key]) for each in intervals),
                )
                for key in ("p50", "p95", "p99")
            ),
            logarithmic=False,
        ),
    )


SECTION = Benchmark(name="path", title="From the click to the search", measure=measure, report=report)
