"""Compares index settings for counts: each kind is loaded and queried in turn, for several rounds."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import islice
from statistics import median
from typing import Any

from bench.counts import DAY, DEPLOYED_ID, SHORT_ID, bulks
from bench.report import Figures, Table, spread
from bench.search_server import PAST_PIPELINE, SearchServer
from clients.batch_server import ALL_READERS, EACH_COMBINATION, EACH_VALUE, Segment
from clients.batch_server.differences import compare
from clients.batch_server.minutes import Minutes
from clients.batch_server.question import Question
from clients.batch_server.ranking import Wanted, rank
from contract.count import COUNT_KEY

KEYWORDS = tuple(column for column in COUNT_KEY if column != "minute")
DEPLOYED = "as deployed"
SHORT_IDS = "an _id of 18 bytes, not 59"
ASKED_A_ROUND = 3
A_SECONDS_COUNTS = 120
REFRESH = "a refresh"


def _index(**settings: Any) -> dict[str, Any]:
    return {"settings": {"index": settings}}


def _each_keyword(**parameters: Any) -> dict[str, Any]:
    return {"mappings": {"properties": dict.fromkeys(KEYWORDS, parameters)}}


VARIANTS: dict[str, dict[str, Any]] = {
    DEPLOYED: {},
    "sorted by minute and article": _index(
        **{"sort.field": ["minute", "article_id"], "sort.order": ["desc", "asc"]}
    ),
    "codec best_compression": _index(codec="best_compression"),
    "eager_global_ordinals": _each_keyword(eager_global_ordinals=True),
    "keywords as doc values only": _each_keyword(index=False),
    "clicks as doc values only": {"mappings": {"properties": {"clicks": {"index": False}}}},
    "_source derived, not stored": _index(**{"derived_source.enabled": True}),
    SHORT_IDS: {},
    "two shards": _index(number_of_shards=2),
    "refresh every 10 s": _index(refresh_interval="10s"),
    "as deployed, once more": {},
}


def measure(server: SearchServer, minutes: int, rounds: int) -> list[dict[str, Any]]:
    """Every kind gets the same minutes, some each round, and is queried after each round. Measures the
    server's CPU, as elapsed time depends on the machine."""
    found = {name: _Measured(server, number, name) for number, name in enumerate(["warm-up", *VARIANTS])}
    for number in range(rounds):
        first, end = minutes * number // rounds, minutes * (number + 1) // rounds
        for name, variant in found.items():
            variant.load(first, end)
            if name == "warm-up" or number == rounds - 1:
                variant.ask(end)
    for _ in range(rounds - 1):
        for variant in found.values():
            variant.ask(minutes)
    return [variant.figures() for name, variant in found.items() if name != "warm-up"]


class _Measured:
    """One kind of index."""

    def __init__(self, server: SearchServer, number: int, name: str) -> None:
        self._server, self._name, self._index = server, name, f"settings-{number}"
        self._loads: list[float] = []
        self._spent: dict[str, list[float]] = {}
        self._id = SHORT_ID if name == SHORT_IDS else DEPLOYED_ID
        self._path = f"/{self._index}/_bulk{PAST_PIPELINE}"
        server.make_index(self._index, VARIANTS.get(name, {}))

    def load(self, first: int, end: int) -> None:
        began = self._server.cpu_seconds()
        documents, _ = self._server.load(self._path, bulks(first, end, every_version=True, id_=self._id))
        self._server.call("POST", f"/{self._index}/_refresh")
        self._loads.append((self._server.cpu_seconds() - began) / documents * 1e6)

    def ask(self, minutes: int) -> None:
        """Asks each question after another second of the last minute was refreshed, as in service."""
        running = bulks(minutes - 1, minutes, every_version=False, id_=self._id, documents=A_SECONDS_COUNTS)
        for name, question in _questions(minutes).items():
            for _ in range(ASKED_A_ROUND):
                self._server.load(self._path, islice(running, 1))
                with self._measured(REFRESH):
                    self._server.call("POST", f"/{self._index}/_refresh")
                self._server.call("POST", f"/{self._index}/_cache/clear?request=true&query=true")
                with self._measured(name):
                    question(self._search)

    @contextmanager
    def _measured(self, what: str) -> Iterator[None]:
        began = self._server.cpu_seconds()
        yield
        self._spent.setdefault(what, []).append((self._server.cpu_seconds() - began) * 1000)

    def _search(self, body: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._server.call("POST", f"/{self._index}/_search", body)["aggregations"]
        return answer

    def figures(self) -> dict[str, Any]:
        self._server.call("POST", f"/{self._index}/_flush")  # a merge keeps replaced versions until then
        self._server.call("POST", f"/{self._index}/_forcemerge?max_num_segments=1")
        stats = self._server.call("GET", f"/{self._index}/_stats/docs")["_all"]["primaries"]
        size = self._server.size(self._index)
        self._server.call("DELETE", f"/{self._index}")
        return {
            "name": self._name,
            "cpu_seconds_per_million": self._loads,
            "bytes_per_million": size / stats["docs"]["count"] * 1e6,
            "cpu_milliseconds": self._spent,
        }


Ask = Callable[[Callable[[Mapping[str, Any]], dict[str, Any]]], object]


def _questions(minutes: int) -> dict[str, Ask]:
    """The batch server's questions, as its library asks them, of an index of any name."""
    until = DAY + timedelta(minutes=minutes)
    lately, ever = Minutes(until - timedelta(minutes=10), until), Minutes(DAY, until)

    def top(about: Minutes, groupings: tuple[tuple[str, ...], ...], search: Any) -> object:
        question = Question(search, about, ALL_READERS, asked_at=until)
        return rank(question, Wanted(groupings=groupings, limit=20, min_clicks=1))

    def compared(search: Any) -> object:
        question = Question(search, ever, ALL_READERS, asked_at=until)
        return compare(question, Segment(gender="female"), 20, 10)

    def one_segment(search: Any) -> object:
        segment = Segment(gender="female", age_band="20s", region="JP-13")
        question = Question(search, ever, segment, asked_at=until)
        return rank(question, Wanted(groupings=((),), limit=20, min_clicks=1))

    return {
        "top, 10 minutes": partial(top, lately, ((),)),
        "top, everything": partial(top, ever, ((),)),
        "top of one segment": one_segment,
        "all segments": partial(top, ever, EACH_VALUE + EACH_COMBINATION),
        "compare": compared,
    }


def table(variants: list[Figures]) -> Table:
    names = list(variants[0]["cpu_milliseconds"])

    def cells(variant: Figures) -> Iterator[str]:
        yield variant["name"]
        yield spread(variant["cpu_seconds_per_million"], ".0f")
        yield f"{variant['bytes_per_million'] / 1e6:,.0f}"
        for name in names:
            yield spread(variant["cpu_milliseconds"][name], ".0f")

    return Table(
        head=("index", "load, CPU s a million", "MB a million", *(f"{name}, CPU ms" for name in names)),
        rows=tuple(tuple(cells(variant)) for variant in variants),
    )


def swing(variants: list[Figures]) -> float:
    """The largest ratio between the two medians of the deployed index for one question."""
    one, other = (each["cpu_milliseconds"] for each in variants if each["name"].startswith(DEPLOYED))
    ratios: list[float] = [median(one[name]) / median(other[name]) for name in one]
    return max(max(ratio, 1 / ratio) for ratio in ratios)
