"""An hour of made-up clicks, as counts: for screenshots. One article rises, one is read by men far more."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from clients.batch_server import ALL_READERS
from clients.batch_server.served_rankings import Served
from clients.board.alarms import Alarm
from contract.count import UNKNOWN
from contract.ranking import ALL_READERS_KEY, ServedRanking
from contract.segment_rows import Reason
from contract.segments_receipt import RefusedUpload
from tests.clients.batch_server.counts import Count, count

TITLES = {
    "society-2041": "朝の通勤電車、首都圏で一時運転見合わせ",
    "sports-0917": "延長十二回、代打の一振りで逆転サヨナラ",
    "weather-0033": "週末は全国的に雨、北日本では初雪も",
    "food-1188": "炊飯器で作る鶏と生姜のあったかスープ",
    "economy-0704": "円相場が三か月ぶりの高値、輸出企業は",
    "science-0226": "小さな探査機、月の裏側から初めての写真",
    "music-0512": "十年ぶりの全国ツアー、追加公演が決定",
    "health-0345": "眠りが浅い人へ、寝る前の一時間にできること",
    "tech-1602": "折りたたみ端末の新型、電池は二日持つ?",
    "animals-0099": "動物園の双子のレッサーパンダ、名前が決まる",
    "travel-0420": "紅葉の見ごろ予想、京都は来週がピーク",
    "games-0777": "人気シリーズの最新作、体験版を配信",
    "books-0150": "本屋大賞の候補十作がそろう",
    "local-3021": "商店街に百年続く銭湯、若い夫婦が継ぐ",
    "school-0081": "給食の人気メニュー、一位はやっぱりカレー",
    "cars-0610": "冬タイヤの替えどき、目安は気温七度",
}
AGE_BANDS = {"10s": 8, "20s": 22, "30s": 24, "40s": 20, "50s": 14, "60s": 8, UNKNOWN: 4}
REGIONS = {"tokyo": 40, "osaka": 22, "aichi": 14, "fukuoka": 12, "hokkaido": 9, UNKNOWN: 3}
TASTES = {  # how many times as much as others an age band reads an article
    ("games-0777", "10s"): 6, ("music-0512", "20s"): 3, ("tech-1602", "20s"): 2, ("food-1188", "30s"): 3,
    ("school-0081", "30s"): 3, ("economy-0704", "50s"): 3, ("health-0345", "60s"): 6,
    ("travel-0420", "60s"): 3,
    ("sports-0917", "50s"): 2, ("animals-0099", "10s"): 2, ("science-0226", "40s"): 2,
    ("cars-0610", "50s"): 4,
}  # fmt: skip
RISING = "science-0226"
READ_BY_MEN = "cars-0610"


def an_hour(now: datetime, *, clicks_a_minute: int = 260, seed: int = 2026) -> Iterator[Count]:
    """Counts of the minutes before `now`, the running one included, published up to it."""
    rng = random.Random(seed)
    first = now.replace(second=0, microsecond=0) - timedelta(minutes=60)
    for number in range(61):
        minute = first + timedelta(minutes=number)
        part = 1.0 if number < 60 else (now - minute) / timedelta(minutes=1)
        clicks = round(clicks_a_minute * part * rng.uniform(0.85, 1.15))
        keys = Counter(_click(rng, late=number >= 50) for _ in range(clicks))
        published = min(minute + timedelta(seconds=75), now - timedelta(seconds=2))
        for (article, gender, age_band, region), amount in keys.items():
            yield count(
                minute,
                article,
                amount,
                gender=gender,
                age_band=age_band,
                region=region,
                published_at=published,
            )


def _click(rng: random.Random, *, late: bool) -> tuple[str, str, str, str]:
    gender = rng.choice(["female", "male"])
    age_band = _drawn(rng, AGE_BANDS)
    weights = {
        article: 100 / (rank + 3) * TASTES.get((article, age_band), 1)
        for rank, article in enumerate(TITLES, start=1)
    }
    weights[RISING] *= 2.6 if late else 0.7
    weights[READ_BY_MEN] *= 3 if gender == "male" else 0.5
    return _drawn(rng, weights), gender, age_band, _drawn(rng, REGIONS)


def _drawn(rng: random.Random, weights: Mapping[str, float]) -> str:
    (drawn,) = rng.choices([*weights], [*weights.values()])
    return drawn


def served(now: datetime, *, age: timedelta) -> Served:
    """A ranking whose newest counts are of this age, as the feedback writes it: fresh for eight minutes."""
    counted = now - age
    ranking = ServedRanking(
        segment=ALL_READERS_KEY,
        articles=("a",),
        clicks=(1,),
        counted_until=counted,
        computed_at=counted,
        complete_until=counted,
        fresh_until=round((counted + timedelta(minutes=8)).timestamp()),
        expires_at=round((counted + timedelta(hours=72)).timestamp()),
    )
    return Served(segment=ALL_READERS, ranking=ranking, at=now)


REFUSED_FILE = RefusedUpload(
    name="readers-2039-12-31.csv",
    upload="1",
    uploaded_at=datetime(2040, 1, 1, 9, 2, tzinfo=UTC).timestamp(),
    reasons=(Reason(1, "the header is user_id,gender,age,region, not user_id,gender,age_band,region"),),
    number=1,
)


def some_alarms(now: datetime) -> list[Alarm]:
    """One of them in ALARM."""

    def alarm(name: str, state: str, hours: int) -> Alarm:
        return {
            "name": f"click-trends-production-{name}",
            "region": "us-west-2",
            "state": state,
            "since": (now - timedelta(hours=hours)).isoformat(),
            "reason": "3 of 3 datapoints greater than 0 make ALARM",
            "shows": "A file of the segments was refused; the segments stay as they are.",
            "runbook": "docs/operate/runbook.md#refusedsegments",
        }

    others = [alarm(f"some-{number}", "OK", 48) for number in range(62)]
    return [alarm("segments-publisher-RefusedSegments", "ALARM", 2), *others]
