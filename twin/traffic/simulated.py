"""Simulated readers whose segments prefer different articles. The same seed gives the same readers and
clicks.

Most clicks are good. Small shares are late, from unknown readers, or wrong in a way that the system must
reject. Each record's label says what must become of it, so that totals can be checked.
"""

import bisect
import itertools
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from contract.count import SEGMENT_FILE_HEADER
from contract.event_time import format_time
from twin.traffic.record import EntryPoint, Record

GENDERS = ("female", "male")
AGE_BANDS = ("10s", "20s", "30s", "40s", "50s", "60s")
REGIONS = {
    "tokyo": 38,
    "osaka": 22,
    "nagoya": 14,
    "fukuoka": 11,
    "sapporo": 8,
    "sendai": 7,
}  # percent of readers

TOPICS = ("politics", "economy", "technology", "science", "sports", "music", "travel", "food", "health")
ARTICLES_PER_TOPIC = 200
ZIPF_EXPONENT = 1.1  # the article of rank r in its topic is clicked in proportion to 1 / r ** ZIPF_EXPONENT
# How many times as often as others a segment clicks a topic
PREFERENCES: Mapping[str, Mapping[str, float]] = {
    "10s": {"music": 5, "sports": 2, "politics": 0.2, "economy": 0.1, "health": 0.2},
    "20s": {"technology": 4, "music": 2.5, "travel": 1.5, "health": 0.4},
    "30s": {"food": 3, "economy": 2, "technology": 1.5},
    "40s": {"economy": 4, "politics": 2, "music": 0.5},
    "50s": {"politics": 3.5, "travel": 2, "health": 1.5, "music": 0.4},
    "60s": {"health": 5, "politics": 2.5, "travel": 1.5, "technology": 0.3, "music": 0.2},
    "female": {"science": 2, "travel": 1.6},
    "male": {"sports": 2, "economy": 1.4},
}
LOCAL_NEWS_SHARE = 0.12  # share of a reader's clicks on articles about the reader's region

BREAKING_NEWS = "breaking-0001"
BREAKING_NEWS_STARTS_SECONDS = 60
BREAKING_NEWS_RISE_SECONDS = 60
BREAKING_NEWS_PEAK_SHARE = {"sendai": 0.4}  # where it happened
BREAKING_NEWS_PEAK_SHARE_ELSEWHERE = 0.06

MADE_UP_VALUES = 3
"""Of a column of the segment that readers here have no value for: `device_class-1` to `-3`."""

MOBILE_SHARE = 0.6
UNKNOWN_READER_SHARE = 0.02  # readers without a segment: counted under `unknown`
LATE_SHARE = 0.02  # clicks a phone held back without a network: counted in the minute they happened
MAX_LATENESS = timedelta(minutes=10)

COUNTED = "counted"
TOO_OLD = "too_old"
CLOCK_AHEAD = "clock_ahead"
MISSING_ARTICLE_ID = "missing_article_id"
# From a mobile app the forwarder rejects it; from a web server Flink finds it unparseable.
NOT_JSON = "not_json"
BAD_SHARES = {TOO_OLD: 0.002, CLOCK_AHEAD: 0.002, MISSING_ARTICLE_ID: 0.002, NOT_JSON: 0.002}


@dataclass(frozen=True, slots=True)
class Reader:
    user_id: str
    gender: str
    age_band: str
    region: str


def readers(number: int, seed: int) -> list[Reader]:
    rng = random.Random(f"readers {seed}")
    regions = rng.choices(tuple(REGIONS), weights=tuple(REGIONS.values()), k=number)
    return [
        Reader(f"user-{index:07d}", rng.choice(GENDERS), rng.choice(AGE_BANDS), region)
        for index, region in enumerate(regions)
    ]


def write_segments(path: Path, known: Sequence[Reader]) -> None:
    """The segment file of these readers, in the contract's form."""
    rows: list[tuple[str, ...]] = [SEGMENT_FILE_HEADER]
    rows += [
        tuple(
            getattr(reader, column, f"{column}-{number % MADE_UP_VALUES + 1}")
            for column in SEGMENT_FILE_HEADER
        )
        for number, reader in enumerate(known)
    ]
    path.write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")


def evenly(rate: float) -> Iterator[float]:
    """Endless times of clicks, `rate` a second, in seconds after the start."""
    return (number / rate for number in itertools.count())


def simulated_clicks(
    known: Sequence[Reader], *, at: Iterable[float], started_at: datetime, seed: int
) -> Iterator[Record]:
    """A click at each time of `at`, in seconds after `started_at`, when sending starts."""
    rng = random.Random(f"clicks {seed}")
    newspaper = _Newspaper(rng)
    for due in at:
        reader = rng.choice(known)
        article_id = newspaper.choose(reader, due)
        user_id = reader.user_id
        if rng.random() < UNKNOWN_READER_SHARE:
            user_id = f"guest-{rng.randrange(1_000_000):06d}"
        entry_point = EntryPoint.MOBILE if rng.random() < MOBILE_SHARE else EntryPoint.WEB
        clicked_at = started_at + timedelta(seconds=due)
        if rng.random() < LATE_SHARE:
            clicked_at -= MAX_LATENESS * rng.random()
        click: dict[str, object] = {
            "click_id": f"{rng.getrandbits(128):032x}",
            "clicked_at": format_time(clicked_at),
            "user_id": user_id,
            "article_id": article_id,
            "platform": rng.choice(("ios", "android")) if entry_point is EntryPoint.MOBILE else "web",
            "position": rng.randint(1, 20),
        }
        label = _label(rng)
        yield Record(_spoiled(click, label, clicked_at), user_id, entry_point, due, label)


def _label(rng: random.Random) -> str:
    drawn = rng.random()
    for label, share in BAD_SHARES.items():
        if drawn < share:
            return label
        drawn -= share
    return COUNTED


def _spoiled(click: dict[str, object], label: str, clicked_at: datetime) -> bytes:
    """The click as one line, made wrong as the label says."""
    if label == TOO_OLD:
        click["clicked_at"] = format_time(clicked_at - timedelta(days=2))
    elif label == CLOCK_AHEAD:
        click["clicked_at"] = format_time(
            clicked_at + timedelta(hours=9)
        )  # a phone that sends local time as UTC
    elif label == MISSING_ARTICLE_ID:
        del click["article_id"]
    line = json.dumps(click, separators=(",", ":"))
    return (line[: len(line) // 2] if label == NOT_JSON else line).encode() + b"\n"


class _Newspaper:
    """The article that a reader clicks: a topic by the reader's segment, then one of its articles by Zipf's
    law."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        weights = (1 / rank**ZIPF_EXPONENT for rank in range(1, ARTICLES_PER_TOPIC + 1))
        self._popularity = list(itertools.accumulate(weights))
        numbers = list(range(1, ARTICLES_PER_TOPIC + 1))
        self._articles = {
            topic: [f"{topic}-{number:04d}" for number in rng.sample(numbers, ARTICLES_PER_TOPIC)]
            for topic in (*TOPICS, *REGIONS)
        }
        self._topic_weights = {
            (gender, age_band): list(
                itertools.accumulate(_topic_weight(topic, gender, age_band) for topic in TOPICS)
            )
            for gender in GENDERS
            for age_band in AGE_BANDS
        }

    def choose(self, reader: Reader, seconds: float) -> str:
        rng = self._rng
        if rng.random() < _breaking_news_share(reader.region, seconds):
            return BREAKING_NEWS
        if rng.random() < LOCAL_NEWS_SHARE:
            topic = reader.region
        else:
            topic = TOPICS[_draw(rng, self._topic_weights[reader.gender, reader.age_band])]
        return self._articles[topic][_draw(rng, self._popularity)]


def _topic_weight(topic: str, gender: str, age_band: str) -> float:
    return PREFERENCES[gender].get(topic, 1) * PREFERENCES[age_band].get(topic, 1)


def _breaking_news_share(region: str, seconds: float) -> float:
    rise = (seconds - BREAKING_NEWS_STARTS_SECONDS) / BREAKING_NEWS_RISE_SECONDS
    peak = BREAKING_NEWS_PEAK_SHARE.get(region, BREAKING_NEWS_PEAK_SHARE_ELSEWHERE)
    return peak * min(max(rise, 0), 1)


def _draw(rng: random.Random, cumulated: Sequence[float]) -> int:
    return bisect.bisect(cumulated, rng.random() * cumulated[-1], hi=len(cumulated) - 1)
