"""What the board asks over a day of counts, as its one loop asks it, and the top of all segments in parts."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import cycle, pairwise
from typing import Any

from botocore.credentials import Credentials

from bench.counts import CLICKS_A_MINUTE, DAY, bulks
from bench.report import Benchmark, Block, Figures, Table, verdict
from bench.scale import Scale
from bench.search_server import SearchServer, search_server
from bench.sections.search import INDEX, asked_of, load, row
from clients.batch_server import EACH_COMBINATION, EACH_VALUE, TopOfSegments, TrendingReader
from clients.batch_server.answers import Answer
from clients.batch_server.errors import TrendsError
from clients.board.asking import Asking
from clients.board.messages import message
from clients.board.query_loop import ATTEMPTS
from clients.board.questions import BoardQuestion, QuestionKind, questions_of_view
from clients.board.ranges import Spans

MAX_P95_MILLISECONDS = 1000
MAX_SEARCH_SECONDS = 10
SPANS = Spans(last=timedelta(minutes=10), before=timedelta(hours=1))
SHOWN = {"10m": timedelta(minutes=10), "1h": timedelta(hours=1), "24h": timedelta(hours=24)}
PAGE = [("by", "age_band"), ("compare.gender", "female")]


def measure(scale: Scale) -> dict[str, Any]:
    minutes = scale.search_stages[-1]
    until = DAY + timedelta(minutes=minutes)
    with search_server() as server:
        server.make_index(INDEX)
        load(server, 0, minutes - 1)
        reader = TrendingReader(
            server.endpoint, Credentials("AKIDEXAMPLE", "secret"), clock=lambda: until, max_attempts=ATTEMPTS
        )
        running = cycle(
            list(bulks(minutes - 1, minutes, every_version=False, documents=CLICKS_A_MINUTE // 120))
        )
        server.call("POST", f"/{INDEX}/_refresh")
        in_parts = _in_parts(server, reader, timedelta(minutes=min(minutes, 24 * 60)))
        refresh = [*_refresh(server, reader, minutes, scale.search_questions, running)]
        counts = server.call("GET", f"/{INDEX}/_count")["count"]
    return {"counts": counts, "minutes": minutes, "refresh": refresh, "in_parts": in_parts}


def _refresh(
    server: SearchServer,
    reader: TrendingReader,
    minutes: int,
    times: int,
    running: Iterator[tuple[int, bytes]],
) -> Iterator[dict[str, Any]]:
    """Each question of a page with each time shown, until it is written as the page gets it."""
    asking = Asking(reader, SPANS, lambda: DAY + timedelta(minutes=minutes))
    first = reader.top(SPANS.last).articles[0].article_id
    for shown, last in SHOWN.items():
        if last > timedelta(minutes=minutes):
            continue
        for question in questions_of_view([*PAGE, ("article", first), ("last", shown)]):
            figures = asked_of(server, _answer(asking, question), times, running)
            yield {"question": str(question.kind).replace("_", " "), "range": shown, **figures}


def _answer(asking: Asking, question: BoardQuestion) -> Callable[[], Answer]:
    def ask() -> Answer:
        answer = asking(question)
        json.dumps(message(answer, {}))
        return answer

    return ask


def _in_parts(server: SearchServer, reader: TrendingReader, last: timedelta) -> dict[str, Any]:
    """Seconds of the whole answer and of its longest part, from caches that are empty."""
    server.call("POST", f"/{INDEX}/_cache/clear?request=true&query=true")
    told: list[tuple[float, int]] = []
    spent, began = server.cpu_seconds(), time.perf_counter()
    try:
        answer: TopOfSegments = reader.top_of_segments(
            last,
            EACH_VALUE + EACH_COMBINATION,
            told=lambda _, of: told.append((time.perf_counter(), of)),
        )
    except TrendsError as error:
        return {"error": str(error)}
    longest = max((later[0] - earlier[0] for earlier, later in pairwise(told)), default=0.0)
    # Each click is in one segment of every value of a column, so the lists of one column hold all of them.
    of_gender = sum(top.clicks for segment, top in answer.lists.items() if segment.columns == ("gender",))
    # The running minute is written later, while the page's questions are asked.
    expected = (last // timedelta(minutes=1) - 1) * CLICKS_A_MINUTE
    return {
        "hours": last / timedelta(hours=1),
        "segments": len(answer.lists),
        "parts": told[-1][1] if told else 1,
        "searches": answer.searches,
        "seconds": time.perf_counter() - began,
        "longest": longest,
        "cpu_seconds": server.cpu_seconds() - spent,
        "missing": expected - of_gender,
    }


def report(figures: Figures) -> Sequence[Block]:
    refresh, parts = figures["refresh"], figures["in_parts"]
    live = [each for each in refresh if each["question"] == str(QuestionKind.HEAT_MAP).replace("_", " ")]
    told = (_told(each) for each in (max(refresh, key=_p95), *live))
    worst, *heat_maps = told
    return (
        f"{figures['counts']:,} counts of {figures['minutes'] / 60:.3g} hours, on the server of the batch "
        "server's questions above. Each question of a page is asked as the board's loop asks it, and its "
        "answer written as the page gets it, after new counts and with empty caches.",
        f"The goal is a refresh with p95 under {MAX_P95_MILLISECONDS} ms: "
        f"{'; '.join(heat_maps)}; the slowest of all, {worst}.",
        Table(
            head=("question", "time shown", "searches", "asked", "p50, ms", "p95, ms", "CPU, ms"),
            rows=tuple(row(each) for each in refresh),
        ),
        _parts_text(parts),
    )


def _p95(asked: Figures) -> float:
    return float(asked.get("p95", "inf"))


def _told(asked: Figures) -> str:
    name = f"{asked['question']} of {asked['range']}"
    if "error" in asked:
        return f"{name} found no answer"
    goal = verdict(asked["p95"], MAX_P95_MILLISECONDS, at_most=True, unit=" ms")
    return f"{name} {asked['p95']:,.0f} ms ({goal})"


def _parts_text(parts: Figures) -> str:
    if "error" in parts:
        return f"`top` of all segments found no answer: {parts['error']}"
    goal = verdict(parts["longest"], MAX_SEARCH_SECONDS, at_most=True, unit=" s")
    all_there = "every click was in it" if not parts["missing"] else f"{parts['missing']:,} clicks MISSING"
    return (
        f"`top` of all {parts['segments']} segments over {parts['hours']:.3g} hours, in {parts['parts']} "
        f"parts and {parts['searches']} searches: {parts['seconds']:.1f} s "
        f"(CPU {parts['cpu_seconds']:.1f} s), the longest part {parts['longest']:.1f} s "
        f"({goal}); {all_there}."
    )


SECTION = Benchmark(name="board", title="The board", measure=measure, report=report)
