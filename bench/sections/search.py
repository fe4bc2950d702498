"""The batch server's questions over a day of counts: their cost, and how it grows."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import cycle, islice, pairwise
from typing import Any

from botocore.credentials import Credentials

from bench.counts import ARTICLES_AT_A_TIME, CLICKS_A_MINUTE, DAY, SEGMENTS, bulks
from bench.report import Benchmark, Block, Curve, Figures, Plot, Table, verdict
from bench.scale import Scale
from bench.search_server import PAST_PIPELINE, SearchServer, search_server
from clients.batch_server import EACH_COMBINATION, EACH_VALUE, Segment, TrendingReader
from clients.batch_server.answers import Answer
from clients.batch_server.errors import TrendsError
from clients.batch_server.minutes import Minutes
from clients.batch_server.question import Question
from clients.batch_server.search import REQUEST_TIMEOUT_SECONDS
from clients.batch_server.top_articles import Wanted, rank
from contract.sink import CLICK_COUNTS
from names import day_index

MAX_P95_MILLISECONDS = 200
RANGES = {"10 minutes": timedelta(minutes=10), "1 hour": timedelta(hours=1), "24 hours": timedelta(hours=24)}
TOP, ALL_SEGMENTS, COMPARE = "top", "top of all segments", "compare"
GROWN = ("10 minutes", "1 hour")
"""Ranges that every stage but the shortest has history for."""
LIVE_MINUTES = 20
"""Minutes before each stage's questions, loaded as in service: every version, refreshed each second."""
PIPELINE_MINUTES = 5
MAX_SECONDS_A_QUESTION = 10
MIN_ASKED = 5
NOT_COUNTED = 3
"""First answers of a question: the compiler has not seen it yet."""
INDEX = day_index(CLICK_COUNTS.index_family, DAY.date())
LOAD_PATH = f"/{INDEX}/_bulk{PAST_PIPELINE}"


def measure(scale: Scale) -> dict[str, Any]:
    with search_server() as server:
        pipeline = _through_the_pipeline(server)
        stages, documents, seconds = [], 0, 0.0
        for begin, end in pairwise((0, *scale.search_stages)):
            # The last minute of a stage is the running one, written while the questions are asked.
            loaded, took = load(server, max(0, begin - 1), end - 1)
            documents, seconds = documents + loaded, seconds + took
            is_last = end == scale.search_stages[-1]
            stages.append(_stage(server, end, scale.search_questions, all_questions=is_last))
        segments, deleted = server.segments_and_deleted(INDEX)
        days = _with_past_days(server, scale) if scale.search_past_days else None
        return {
            "pipeline_documents_per_second": pipeline,
            "documents_per_second": documents / seconds,
            "bytes_per_million": server.size(INDEX) / stages[-1]["counts"] * 1e6,
            "segments": segments,
            "deleted": deleted,
            "stages": stages,
            "past_days": days,
        }


def _through_the_pipeline(server: SearchServer) -> float:
    """Counts/s as they come from Firehose: the pipeline makes id, version and index."""
    some = list(bulks(0, PIPELINE_MINUTES, every_version=True, with_id=False, documents=1_000))
    server.load(f"/{INDEX}/_bulk", some[: len(some) // 2])  # makes the index, warms up
    documents, seconds = server.load(f"/{INDEX}/_bulk", some[len(some) // 2 :])
    server.call("DELETE", f"/{INDEX}")
    server.make_index(INDEX)
    return documents / seconds


def load(server: SearchServer, begin: int, end: int) -> tuple[int, float]:
    """Past the pipeline, which would take several times as long, with the ids and versions it would make."""
    live = max(begin, end - LIVE_MINUTES)
    server.set_refresh(INDEX, "-1")
    history = server.load(LOAD_PATH, bulks(begin, live, every_version=False))
    server.set_refresh(INDEX, None)
    lately = server.load(LOAD_PATH, bulks(live, end, every_version=True))
    return history[0] + lately[0], history[1] + lately[1]


def _stage(server: SearchServer, minutes: int, times: int, *, all_questions: bool) -> dict[str, Any]:
    until = DAY + timedelta(minutes=minutes)
    reader = TrendingReader(
        server.endpoint, Credentials("AKIDEXAMPLE", "secret"), clock=lambda: until, max_attempts=1
    )
    server.call("POST", f"/{INDEX}/_refresh")
    _check(reader, minutes)
    # A second's worth each; once the minute is over, it begins again: equal versions replace each other.
    running = cycle(list(bulks(minutes - 1, minutes, every_version=False, documents=CLICKS_A_MINUTE // 120)))
    asked = []
    for range_name, last in RANGES.items():
        if timedelta(minutes=minutes) < last:
            continue
        questions: dict[str, Callable[[], Answer]] = {
            TOP: lambda last=last: reader.top(last),  # type: ignore[misc]
            ALL_SEGMENTS: lambda last=last: reader.top_of_segments(  # type: ignore[misc]
                last, EACH_VALUE + EACH_COMBINATION
            ),
            COMPARE: lambda last=last: reader.compare(last, Segment(gender="female")),  # type: ignore[misc]
        }
        for name in questions if all_questions else [TOP]:
            figures = asked_of(server, questions[name], times, running)
            asked.append({"question": name, "range": range_name, **figures})
    counts = server.call("GET", f"/{INDEX}/_count")["count"]
    visited = {name: _visited(server, minutes, RANGES[name]) for name in GROWN}
    return {"minutes": minutes, "counts": counts, "visited": visited, "questions": asked}


def _check(reader: TrendingReader, minutes: int) -> None:
    """SystemExit when not every click is in the answer: a wrong answer is not worth measuring."""
    until = DAY + timedelta(minutes=minutes - 1)
    for last in (RANGES["10 minutes"], until - DAY):
        clicks = reader.top(last, until=until).top.clicks
        expected = last // timedelta(minutes=1) * CLICKS_A_MINUTE
        if clicks != expected:
            raise SystemExit(f"{clicks} clicks counted in {last} until {until}, there were {expected}")


def asked_of(
    server: SearchServer, ask: Callable[[], Answer], times: int, running: Iterator[tuple[int, bytes]]
) -> dict[str, Any]:
    """Milliseconds until the answer, and of the server's processors, each after new counts were made visible
    and without OpenSearch's caches: every minute's question has a range of its own."""
    milliseconds: list[float] = []
    cpu: list[float] = []
    searches, began = 0, time.monotonic()
    while len(milliseconds) < times + NOT_COUNTED:
        if time.monotonic() - began > MAX_SECONDS_A_QUESTION and len(milliseconds) >= MIN_ASKED + NOT_COUNTED:
            break
        server.load(LOAD_PATH, islice(running, 1))
        server.call("POST", f"/{INDEX}/_refresh")
        server.call("POST", f"/{INDEX}/_cache/clear?request=true&query=true")
        spent, at = server.cpu_seconds(), time.perf_counter()
        try:
            searches = ask().searches
        except TrendsError as error:
            return {"asked": len(milliseconds) + 1, "error": str(error)}
        milliseconds.append((time.perf_counter() - at) * 1000)
        cpu.append((server.cpu_seconds() - spent) * 1000)
    counted = milliseconds[NOT_COUNTED:]
    return {
        "asked": len(counted),
        "searches": searches,
        "p50": statistics.median(counted),
        "p95": statistics.quantiles(counted, n=20, method="inclusive")[-1],
        "cpu": statistics.median(cpu[NOT_COUNTED:]),
    }


def _visited(server: SearchServer, minutes: int, last: timedelta) -> int | None:
    """Documents that `top` visits, by OpenSearch's profile; None without enough history."""
    until = DAY + timedelta(minutes=minutes)
    if until - last < DAY:
        return None
    visited = 0

    def search(body: Any) -> dict[str, Any]:
        nonlocal visited
        answer = server.call("POST", f"/{INDEX}/_search", {**body, "profile": True})
        for shard in answer["profile"]["shards"]:
            visited += max(each["breakdown"]["collect_count"] for each in shard["aggregations"])
        aggregations: dict[str, Any] = answer["aggregations"]
        return aggregations

    question = Question(search, Minutes(until - last, until), asked_at=until)
    rank(question, Wanted(groupings=((),), limit=20, min_clicks=1))
    return visited


def _with_past_days(server: SearchServer, scale: Scale) -> dict[str, Any]:
    """The shortest question again, with small indices of earlier days, which its range excludes."""
    for number in range(1, scale.search_past_days + 1):
        index = day_index(CLICK_COUNTS.index_family, (DAY - timedelta(days=number)).date())
        minute = f"{DAY - timedelta(days=number):%Y-%m-%d}T00:00:00.000Z"
        server.make_index(index)
        (bulk,) = bulks(0, 1, every_version=False, documents=CLICKS_A_MINUTE)
        moved = bulk[1].replace(f"{DAY:%Y-%m-%d}T00:00:00.000Z".encode(), minute.encode())
        server.load(f"/{index}/_bulk{PAST_PIPELINE}", [(bulk[0], moved)])
    stage = _stage(server, scale.search_stages[-1], scale.search_questions, all_questions=False)
    (top,) = (each for each in stage["questions"] if each["range"] == "10 minutes")
    return {"days": scale.search_past_days, **top}


def report(figures: Figures) -> Sequence[Block]:
    stages = figures["stages"]
    last = stages[-1]
    top = next(
        each for each in last["questions"] if each["question"] == TOP and each["range"] == "10 minutes"
    )
    blocks: list[Block] = [
        f"{last['counts']:,} counts of {last['minutes'] / 60:.3g} hours: {CLICKS_A_MINUTE:,} clicks a minute "
        f"from {SEGMENTS} segments, on {ARTICLES_AT_A_TIME:,} articles at a time by Zipf's law, each "
        "replaced after six hours. Local OpenSearch runs like a small data node, with 2 GiB of heap and "
        "without concurrent segment search. The batch server's library asks. Before each question another "
        "second of the current minute is written and refreshed, and OpenSearch's caches are cleared. Every "
        "click was in the answers. CPU is the server's, so it also holds on a busy machine.",
        f"The goal is `top` over 10 minutes with p95 under {MAX_P95_MILLISECONDS} ms: {top['p95']:.0f} ms "
        f"({verdict(top['p95'], MAX_P95_MILLISECONDS, at_most=True, unit=' ms')}).",
        Table(
            head=("question", "range", "searches", "asked", "p50, ms", "p95, ms", "CPU, ms"),
            rows=tuple(row(each) for each in last["questions"]),
        ),
        *_failures(last["questions"]),
        "`top` as the history grows:",
        _growth_table(stages),
        Plot(
            name="search-history",
            title="CPU of `top` as the day's history grows",
            x="counts in the index",
            y="milliseconds",
            curves=tuple(
                Curve(label=name, points=points) for name in GROWN if (points := _history(stages, name))
            ),
            logarithmic=False,
        ),
    ]
    if days := figures["past_days"]:
        blocks.append(
            f"With indices of {days['days']} earlier days, `top` over 10 minutes takes {days['p50']:.0f} ms "
            f"(p95 {days['p95']:.0f}, CPU {days['cpu']:.0f})."
        )
    blocks.append(
        f"One node indexes {figures['pipeline_documents_per_second']:,.0f} versions of counts a second "
        f"through the ingest pipeline, {figures['documents_per_second']:,.0f} without it. The history is "
        "loaded without it, with the same ids and versions; only the last "
        f"{LIVE_MINUTES} minutes before the questions have every version of a count. A million counts take "
        f"{figures['bytes_per_million'] / 1e6:,.0f} MB on disk ({figures['segments']} Lucene segments, "
        f"{figures['deleted']:,} replaced versions not yet merged away)."
    )
    return blocks


def row(asked: Figures) -> tuple[str, ...]:
    name = (asked["question"], asked["range"])
    if "error" in asked:
        return (*name, "", f"{asked['asked']}", "", f"over {REQUEST_TIMEOUT_SECONDS * 1000:,}", "")
    times = (f"{asked[key]:,.0f}" for key in ("p50", "p95", "cpu"))
    return (*name, f"{asked['searches']}", f"{asked['asked']}", *times)


def _failures(questions: Sequence[Figures]) -> list[str]:
    failed = [f"{each['question']} over {each['range']}" for each in questions if "error" in each]
    if not failed:
        return []
    return [
        f"The library gives up after {REQUEST_TIMEOUT_SECONDS} s and suggests a shorter range: "
        f"{', '.join(failed)}."
    ]


def _growth_table(stages: Sequence[Figures]) -> Table:
    def cells(stage: Figures) -> Iterator[str]:
        yield f"{stage['counts']:,}"
        for name in GROWN:
            asked = next((e for e in stage["questions"] if e["question"] == TOP and e["range"] == name), None)
            if asked is None or "error" in asked:
                yield from ("", "", "")
            else:
                yield f"{stage['visited'][name]:,}"
                yield f"{asked['p50']:,.0f} / {asked['p95']:,.0f}"
                yield f"{asked['cpu']:,.0f}"

    heads = ((f"{name}: counts visited", "p50 / p95, ms", "CPU, ms") for name in GROWN)
    return Table(
        head=("counts in the index", *(head for some in heads for head in some)),
        rows=tuple(tuple(cells(stage)) for stage in stages),
    )


def _history(stages: Sequence[Figures], range_name: str) -> tuple[tuple[float, float], ...]:
    return tuple(
        (stage["counts"], each["cpu"])
        for stage in stages
        for each in stage["questions"]
        if each["question"] == TOP and each["range"] == range_name and "cpu" in each
    )


SECTION = Benchmark(name="search", title="The batch server's questions", measure=measure, report=report)
