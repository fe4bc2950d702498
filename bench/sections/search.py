"""The batch server's questions over a day of counts in OpenSearch, and what other index settings would do."""

import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials

from batch_server import EACH_COMBINATION, EACH_VALUE, Segment, TrendingReader
from bench.counts import DAY, bulks, call, load
from bench.report import Benchmark, Block, Curve, Figures, Plot, Table, verdict
from bench.scale import Scale
from contract.sink import CLICK_COUNTS
from lambdas.search_bootstrap.definitions import definitions
from names import day_index
from settings.search import SearchSettings
from stacks.search.bootstrap import definition_properties
from twin.opensearch import running_opensearch

MAX_P95_MILLISECONDS = 200
RANGES = {"10 minutes": timedelta(minutes=10), "1 hour": timedelta(hours=1), "24 hours": timedelta(hours=24)}
STAGES = (0.1, 0.4, 1.0)
PIPELINE_COUNTS = 20_000
INDEX = day_index(CLICK_COUNTS.index_family, DAY.date())
PAST_PIPELINE = f"/{INDEX}/_bulk?pipeline=_none"
KEYWORDS = ("article_id", "gender", "age_band", "region")

Change = Callable[[dict[str, Any]], None]


def _sorted(index: dict[str, Any]) -> None:
    index["settings"]["index"] |= {"sort.field": ["minute", "article_id"], "sort.order": ["desc", "asc"]}


def _compressed(index: dict[str, Any]) -> None:
    index["settings"]["index"]["codec"] = "best_compression"


def _eager(index: dict[str, Any]) -> None:
    for column in KEYWORDS:
        index["mappings"]["properties"][column]["eager_global_ordinals"] = True


def _doc_values_only(index: dict[str, Any]) -> None:
    for column in KEYWORDS:
        index["mappings"]["properties"][column]["index"] = False


def _two_shards(index: dict[str, Any]) -> None:
    index["settings"]["index"]["number_of_shards"] = 2


def _slow_refresh(index: dict[str, Any]) -> None:
    index["settings"]["index"]["refresh_interval"] = "10s"


def _as_deployed(_index: dict[str, Any]) -> None:
    pass


VARIANTS: dict[str, Change] = {
    "as deployed": _as_deployed,
    "sorted by minute and article": _sorted,
    "codec best_compression": _compressed,
    "eager_global_ordinals": _eager,
    "keywords as doc values only": _doc_values_only,
    "two shards": _two_shards,
    "refresh every 10 s": _slow_refresh,
    "as deployed, once more": _as_deployed,
}


def measure(scale: Scale) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as temporary, running_opensearch(Path(temporary) / "log") as endpoint:
        for definition in definitions(definition_properties(SearchSettings(retention_days=None))):
            call(endpoint, "PUT", definition.path, json.dumps(definition.body).encode())
        through = bulks(0, PIPELINE_COUNTS, total=PIPELINE_COUNTS, index=None)
        load(endpoint, itertools.islice(through, 1), path=f"/{INDEX}/_bulk")  # makes the index, warms up
        pipeline_seconds = load(endpoint, through, path=f"/{INDEX}/_bulk")
        pipeline_counts = PIPELINE_COUNTS - 4_000
        variants = []
        if scale.search_variant_counts:
            variants = [_variant(endpoint, name, scale) for name in VARIANTS]
        _make_index(endpoint, _as_deployed)
        stages, loaded, seconds = [], 0, 0.0
        for share in STAGES:
            end = int(scale.search_counts * share)
            requests = bulks(loaded, end, total=scale.search_counts, index=INDEX)
            seconds += load(endpoint, requests, path=PAST_PIPELINE)
            loaded = end
            call(endpoint, "POST", f"/{INDEX}/_refresh")
            now = DAY + timedelta(minutes=int(share * 24 * 60))
            stages.append({"counts": loaded, "questions": questions(endpoint, now, scale.search_questions)})
        return {
            "pipeline_documents_per_second": pipeline_counts / pipeline_seconds,
            "documents_per_second": loaded / seconds,
            "bytes_per_million": size(endpoint) / loaded * 1e6,
            "segments": _segments(endpoint),
            "stages": stages,
            "variant_counts": scale.search_variant_counts,
            "variants": variants,
        }


def _make_index(endpoint: str, change: Change) -> None:
    """The day's index anew, as the deployed template has it and then changed."""
    template = call(endpoint, "GET", "/_index_template")["index_templates"][0]["index_template"]["template"]
    index = json.loads(json.dumps(template))
    change(index)
    call(endpoint, "DELETE", f"/{INDEX}")
    call(endpoint, "PUT", f"/{INDEX}", json.dumps(index).encode())


def _variant(endpoint: str, name: str, scale: Scale) -> dict[str, Any]:
    _make_index(endpoint, VARIANTS[name])
    number = scale.search_variant_counts
    seconds = load(endpoint, bulks(0, number, total=number, index=INDEX), path=PAST_PIPELINE)
    call(endpoint, "POST", f"/{INDEX}/_refresh")
    asked = questions(endpoint, DAY + timedelta(days=1), scale.search_questions // 2)
    call(endpoint, "POST", f"/{INDEX}/_forcemerge?max_num_segments=1")
    return {
        "name": name,
        "documents_per_second": number / seconds,
        "bytes_per_million": size(endpoint) / number * 1e6,
        "questions": asked,
    }


def size(endpoint: str) -> int:
    """Bytes on disk of the day's index, without the segments that a merge has left behind."""
    call(endpoint, "POST", f"/{INDEX}/_refresh")
    call(endpoint, "POST", f"/{INDEX}/_flush")
    found: int = call(endpoint, "GET", f"/{INDEX}/_stats/store")["_all"]["primaries"]["store"][
        "size_in_bytes"
    ]
    return found


def _segments(endpoint: str) -> int:
    found: int = call(endpoint, "GET", f"/{INDEX}/_stats/segments")["_all"]["primaries"]["segments"]["count"]
    return found


def questions(endpoint: str, now: datetime, times: int) -> list[dict[str, Any]]:
    """Milliseconds of each question over each range that there is history for, without OpenSearch's "
    "caches."""
    reader = TrendingReader(endpoint, Credentials("AKIDEXAMPLE", "secret"), clock=lambda: now)
    asked = []
    for range_name, last in RANGES.items():
        kinds: dict[str, Callable[[datetime], object]] = {
            "top": lambda until, last=last: reader.top(last, until=until),  # type: ignore[misc]
            "top of all segments": lambda until, last=last: reader.top_of_segments(  # type: ignore[misc]
                last, EACH_VALUE + EACH_COMBINATION, until=until
            ),
            "compare": lambda until, last=last: reader.compare(  # type: ignore[misc]
                last, Segment(gender="female"), until=until
            ),
        }
        if now - last < DAY:
            continue
        for kind, ask in kinds.items():
            milliseconds = []
            for number in range(times + 1):
                call(endpoint, "POST", f"/{INDEX}/_cache/clear?request=true&query=true")
                until = now - timedelta(minutes=number % 10 if last < timedelta(hours=24) else 0)
                began = time.perf_counter()
                ask(until)
                milliseconds.append((time.perf_counter() - began) * 1000)
            milliseconds = milliseconds[1:]
            asked.append(
                {
                    "question": kind,
                    "range": range_name,
                    "p50": statistics.median(milliseconds),
                    "p95": statistics.quantiles(milliseconds, n=20, method="inclusive")[-1],
                }
            )
    return asked


def report(figures: Figures) -> Sequence[Block]:
    stages, variants = figures["stages"], figures["variants"]
    last = stages[-1]
    top = next(
        each for each in last["questions"] if each["question"] == "top" and each["range"] == "10 minutes"
    )
    blocks: list[Block] = [
        f"{last['counts']:,} counts of one day, 5,000 articles, 168 segments, in the local OpenSearch "
        "(heap 512 MB, "
        f"the compiler's first tier only), asked by the batch server's library without OpenSearch's caches. "
        f"The goal is `top` over 10 minutes with p95 under {MAX_P95_MILLISECONDS} ms: {top['p95']:.0f} ms "
        f"({verdict(top['p95'], MAX_P95_MILLISECONDS, at_most=True, unit=' ms')}).",
        Table(
            head=("question", "range", "p50, ms", "p95, ms"),
            rows=tuple(
                (each["question"], each["range"], f"{each['p50']:.0f}", f"{each['p95']:.0f}")
                for each in last["questions"]
            ),
        ),
        Plot(
            name="search-history",
            title="p95 of `top` as the day's history grows",
            x="counts in the index",
            y="milliseconds",
            curves=tuple(
                Curve(label=name, points=points) for name in RANGES if (points := _history(stages, name))
            ),
            logarithmic=False,
        ),
        f"Through the ingest pipeline one node takes {figures['pipeline_documents_per_second']:,.0f} "
        "counts/s, "
        f"past it {figures['documents_per_second']:,.0f}. A million counts take "
        f"{figures['bytes_per_million'] / 1e6:,.0f} MB on disk ({figures['segments']} segments).",
    ]
    if variants:
        blocks += [
            f"Index settings, {figures['variant_counts']:,} counts each, merged to one segment for the size "
            "([decision](decisions/index-settings-by-measurement.md)):",
            _variants_table(variants),
        ]
    return blocks


def _history(stages: Sequence[Figures], range_name: str) -> tuple[tuple[float, float], ...]:
    return tuple(
        (stage["counts"], each["p95"])
        for stage in stages
        for each in stage["questions"]
        if each["question"] == "top" and each["range"] == range_name
    )


def _variants_table(variants: Sequence[Figures]) -> Table:
    def p50(variant: Figures, question: str, range_name: str) -> str:
        return next(
            f"{each['p50']:.0f}"
            for each in variant["questions"]
            if each["question"] == question and each["range"] == range_name
        )

    return Table(
        head=(
            *("index", "counts/s in", "MB a million", "top 10 min, p50 ms", "top 24 h"),
            *("all segments 24 h", "compare 24 h"),
        ),
        rows=tuple(
            (
                variant["name"],
                f"{variant['documents_per_second']:,.0f}",
                f"{variant['bytes_per_million'] / 1e6:,.0f}",
                p50(variant, "top", "10 minutes"),
                p50(variant, "top", "24 hours"),
                p50(variant, "top of all segments", "24 hours"),
                p50(variant, "compare", "24 hours"),
            )
            for variant in variants
        ),
    )


SECTION = Benchmark(name="search", title="The batch server's questions", measure=measure, report=report)
