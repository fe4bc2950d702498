"""Wrong counts of a deployed system are corrected while clicks keep coming and readers keep reading.

The twin is deployed from a tree with wrong SQL, then from this one with the next generation, by updates of
its stacks. Commands are given in a shell, in the tree that is deployed.
"""

import gzip
import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.count import COUNT_KEY
from contract.event_time import format_time
from contract.sink import CLICK_COUNTS
from names import OREGON, RAW_PREFIX, counts_alias, generation_family, index_pattern
from tests.operations.correction.trees import tree
from tests.segments import Segment, segments_csv
from twin.processes import wait_for
from twin.twin import ENVIRONMENT, Twin, running_twin

pytestmark = pytest.mark.twin

FAMILY = CLICK_COUNTS.index_family
READERS: dict[str, Segment] = {
    "hanako": {"gender": "female", "age_band": "20s", "region": "tokyo"},
    "taro": {"gender": "male", "age_band": "30s", "region": "osaka"},
}
WRONG_READERS = {**READERS, "hanako": {**READERS["hanako"], "gender": "unsure"}}
"""Of the version that held on the past day, and of the one that held when the recent clicks happened."""
WRONG_SQL = {
    "50_counts.sql": (
        "  gender,\n  age_band,\n  region,\n  COUNT(*) AS clicks",
        "  UPPER(gender) AS gender,\n  age_band,\n  region,\n  2 * COUNT(*) AS clicks",
    )
}
"""Counts are too large, and stand under keys that must become empty."""
TIMEOUT_SECONDS = 300
NO_SHARD_YET = 503
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
RECENT = NOW - timedelta(minutes=30)
PAST = (NOW - timedelta(days=4)).replace(hour=10, minute=0)
PAST_DAY = f"{PAST:%Y-%m-%d}"
FAULTY_VERSION, NEXT_VERSION = PAST - timedelta(hours=5), PAST + timedelta(hours=12)
RECENT_FAULTY_VERSION, RIGHT_VERSION = NOW - timedelta(hours=3), NOW - timedelta(minutes=10)
LIVE = "live"
Key = tuple[str, str]
"""Article and gender."""
Seen = dict[Key, int]


def click(number: int, article: str, user: str, at: datetime) -> bytes:
    found = {
        "click_id": f"{article}-{number}",
        "clicked_at": format_time(at),
        "user_id": user,
        "article_id": article,
    }
    return json.dumps(found).encode() + b"\n"


PAST_CLICKS = [click(number, "past", user, PAST) for user in READERS for number in range(3)]
RECENT_CLICKS = [click(number, "recent", user, RECENT) for user in READERS for number in range(5)]
WRONG: Seen = {
    ("past", "UNSURE"): 6,
    ("past", "MALE"): 6,
    ("recent", "UNSURE"): 10,
    ("recent", "MALE"): 10,
}
RIGHT_LIVE: Seen = {
    ("past", "unsure"): 3,
    ("past", "male"): 3,
    ("recent", "female"): 5,
    ("recent", "male"): 5,
}
RIGHT: Seen = {
    ("past", "female"): 3,
    ("past", "male"): 3,
    ("recent", "female"): 5,
    ("recent", "male"): 5,
}


@dataclass
class Corrected:
    """A twin, what its readers have seen, and the clicks that keep coming."""

    twin: Twin
    here: Path
    """The deployed tree."""
    seen: list[tuple[Seen, int]] = field(default_factory=list)
    """Of articles without traffic, and the clicks of LIVE; each once while it stays."""
    problems: list[str] = field(default_factory=list)
    sent: int = 0
    readings: int = 0
    """Begun by the reader."""

    def search(self, indices: str) -> dict[tuple[str, ...], int]:
        """Raises AssertionError for a key that stands there twice."""
        request = urllib.request.Request(
            f"{self.twin.opensearch_endpoint}/{indices}/_search?ignore_unavailable=true",
            data=json.dumps({"size": 1000}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            hits = json.load(answer)["hits"]["hits"]
        found: dict[tuple[str, ...], int] = {}
        for hit in hits:
            key = tuple(hit["_source"][column] for column in COUNT_KEY)
            assert key not in found, f"{key} is seen twice"
            found[key] = hit["_source"]["clicks"]
        return found

    def by_article_and_gender(self, indices: str = counts_alias(FAMILY)) -> Seen:
        at = [COUNT_KEY.index(column) for column in ("article_id", "gender")]
        found: Seen = {}
        for key, clicks in self.search(indices).items():
            name = (key[at[0]], key[at[1]])
            found[name] = found.get(name, 0) + clicks
        return found

    def settled(self) -> Seen:
        """What readers see of the articles without traffic."""
        return {key: clicks for key, clicks in self.by_article_and_gender().items() if key[0] != LIVE}

    def live(self, indices: str = counts_alias(FAMILY)) -> int:
        return sum(clicks for key, clicks in self.by_article_and_gender(indices).items() if key[0] == LIVE)

    def read(self, is_over: threading.Event) -> None:
        while not is_over.wait(0.05):
            self.readings += 1
            try:
                found = self.by_article_and_gender()
            except (AssertionError, OSError) as error:
                # An index just made: readers ask again (clients/batch_server/search.py).
                if not (isinstance(error, urllib.error.HTTPError) and error.code == NO_SHARD_YET):
                    self.problems.append(repr(error))
                continue
            live = sum(clicks for key, clicks in found.items() if key[0] == LIVE)
            now = ({key: clicks for key, clicks in found.items() if key[0] != LIVE}, live)
            if self.seen[-1:] != [now]:
                self.seen.append(now)

    def send(self, clicks: list[bytes]) -> None:
        """As a web server."""
        role = self.twin.names.role_arn(self.twin.names.web_server_role)
        records = [{"Data": each, "PartitionKey": str(number)} for number, each in enumerate(clicks)]
        self.twin.emulator.client_as(role, "kinesis", OREGON).put_records(
            StreamName=self.twin.names.source_stream, Records=records
        )

    def click_on(self, is_over: threading.Event) -> None:
        while not is_over.wait(0.2):
            self.send([click(self.sent, LIVE, "hanako", RECENT)])
            self.sent += 1

    def give(self, *arguments: str, fails: int = 0) -> str:
        """What the command says, given in a shell with the twin's environment."""
        file = self.twin.write_reader_environment()
        asked = f'. "{file}" && exec click-trends {" ".join(arguments)} --environment {ENVIRONMENT}'
        done = subprocess.run(
            ["bash", "-c", asked],
            cwd=self.here,
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def deliver(self, *counts: dict[str, Any], generation: int) -> None:
        """As the application of this generation does. Returns when they were delivered."""
        names = replace(self.twin.names, counts_generation=generation)
        stream = names.delivery_stream(CLICK_COUNTS.name)
        before = self.twin.delivery_streams[stream].received
        for count in counts:
            published = {**count, "published_at": format_time(datetime.now(UTC))}
            self.twin.emulator.client("firehose", OREGON).put_record(
                DeliveryStreamName=stream, Record={"Data": json.dumps(published).encode() + b"\n"}
            )
        received = before + len(counts)
        self.wait_until(lambda: self.twin.delivery_streams[stream].received >= received, "delivered counts")
        self.wait_until(lambda: True, "their delivery")

    def deliver_wrong_counts_of_the_past_day(self) -> None:
        counts = [
            {
                **{"minute": format_time(PAST), "article_id": "past", "clicks": 6},
                **{**segment, "gender": segment["gender"].upper()},
            }
            for segment in WRONG_READERS.values()
        ]
        self.deliver(*counts, generation=1)

    def deliver_stale(self, *, generation: int) -> None:
        """A smaller count of a key, as a late retry delivers it."""
        [key] = [each for each in self.search(counts_alias(FAMILY)) if "recent" in each and "female" in each]
        stale = {**dict(zip(COUNT_KEY, key, strict=True)), "minute": format_time(RECENT), "clicks": 1}
        self.deliver(stale, generation=generation)

    def correct_segments(self, version: datetime, file: Path) -> str:
        """Publish the right readers in place of a version. Returns the name of its correction."""
        file.write_text(segments_csv(READERS))
        valid_from = f"{version:%Y%m%dT%H%M%SZ}"
        with self.publisher():
            told = self.give(f"publish {file} --corrects {valid_from} --wait 1m")
        assert f"corrects the version of {valid_from}, as {valid_from}/0001" in told
        return f"{valid_from}/0001"

    @contextmanager
    def publisher(self) -> Iterator[None]:
        """Invoked more often than its schedule does."""
        is_over = threading.Event()

        def invoke() -> None:
            functions = self.twin.emulator.client("lambda", OREGON)
            while not is_over.wait(1):
                functions.invoke(FunctionName=self.twin.names.segments_publisher, Payload=b"{}")

        thread = threading.Thread(target=invoke)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        def checked() -> bool:
            self.twin.check()
            for stream in self.twin.delivery_streams.values():
                stream.flush()
            urllib.request.urlopen(f"{self.twin.opensearch_endpoint}/_refresh", data=b"", timeout=30).close()
            try:
                return holds()
            except urllib.error.HTTPError as error:
                if error.code != NO_SHARD_YET:
                    raise
                return False

        wait_for(
            checked,
            what=what,
            timeout_seconds=TIMEOUT_SECONDS,
            poll_seconds=0.5,
            seen=lambda: f"{self.by_article_and_gender()}; {self.twin.last_seen()}",
        )


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Corrected]:
    """Deployed with wrong SQL, which counted a past day too, and joins clicks with wrong segments."""
    folder = tmp_path_factory.mktemp("trees")
    here = tree(folder / "wrong", counts_generation=1, sql=WRONG_SQL)
    with running_twin() as twin:
        twin.deploy(here)
        counts = Corrected(twin, here)
        twin.publish_segments(segments_csv(WRONG_READERS).encode(), FAULTY_VERSION)
        twin.publish_segments(segments_csv(READERS).encode(), NEXT_VERSION)
        recent = twin.publish_segments(segments_csv(WRONG_READERS).encode(), RECENT_FAULTY_VERSION)
        for key in (recent, twin.publish_segments(segments_csv(READERS).encode(), RIGHT_VERSION)):
            twin.wait_for_segments(key)
        names, s3 = twin.names, twin.emulator.client("s3", OREGON)
        s3.put_object(
            Bucket=names.raw_bucket,
            Key=f"{RAW_PREFIX}{PAST:%Y/%m/%d/%H}/of-that-day.json.gz",
            Body=gzip.compress(b"".join(PAST_CLICKS)),
        )
        counts.deliver_wrong_counts_of_the_past_day()
        counts.send(RECENT_CLICKS)
        counts.wait_until(lambda: counts.settled() == WRONG, "wrong counts")
        is_over = threading.Event()
        threads = [
            threading.Thread(target=counts.read, args=[is_over]),
            threading.Thread(target=counts.click_on, args=[is_over]),
        ]
        for thread in threads:
            thread.start()
        try:
            yield counts
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
            if request.session.testsfailed:
                twin.keep_logs()


@contextmanager
def refused(twin: Twin, path: str) -> Iterator[None]:
    """The domain takes no POST of a correction to the path."""
    iam, role = twin.emulator.client("iam", OREGON), twin.names.operator_role("correct")
    deny = {"Effect": "Deny", "Action": "es:ESHttpPost", "Resource": f"{twin.names.search_domain_arn}{path}"}
    policy = {"Version": "2012-10-17", "Statement": [deny]}
    iam.put_role_policy(RoleName=role, PolicyName="Refuses", PolicyDocument=json.dumps(policy))
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="Refuses")


def live_goes_on(counts: Corrected) -> None:
    """Each click that was sent so far is counted once, and readers see it."""
    sent = counts.sent
    counts.wait_until(lambda: sent <= counts.live() <= counts.sent, "the clicks sent meanwhile")


def stages(counts: Corrected) -> list[Seen]:
    """What readers have seen of the settled articles, one after another. The live count never fell."""
    begun = counts.readings
    wait_for(
        lambda: counts.readings > begun + 1,  # one begun from now on has ended
        what="the reader's next reading",
        timeout_seconds=TIMEOUT_SECONDS,
    )
    found: list[Seen] = []
    largest = 0
    for settled, live in counts.seen:
        if found[-1:] != [settled]:
            found.append(settled)
            largest = 0
        assert live >= largest
        largest = live
    assert counts.problems == []
    return found


CORRECT = f"correct --from {PAST_DAY} --to {PAST_DAY}"


def test_live_counts_of_wrong_sql_and_segments_are_corrected_under_traffic(
    wrong: Corrected, tmp_path: Path
) -> None:
    """The recent clicks, and those that keep coming, happened while a faulty version held."""
    counts, twin = wrong, wrong.twin
    second = index_pattern(generation_family(FAMILY, 2))
    correction = counts.correct_segments(RECENT_FAULTY_VERSION, tmp_path / "recent.csv")
    counts.here = tree(tmp_path / "right", counts_generation=2, corrections={correction: 2})
    twin.update(counts.here)
    counts.wait_until(lambda: counts.live(second) > 0, "live counts of the second generation")
    assert counts.by_article_and_gender(second).keys() <= {*RIGHT_LIVE, (LIVE, "female")}
    with refused(twin, "/_aliases"):
        assert "did not take POST /_aliases" in counts.give(CORRECT, fails=1)
    assert stages(counts) == [WRONG]
    assert f"{PAST:%Y.%m.%d}: generation 1 -> 2" in counts.give(CORRECT)
    live_goes_on(counts)
    counts.deliver_stale(generation=2)
    assert counts.settled() == RIGHT_LIVE
    assert counts.by_article_and_gender().keys() == {*RIGHT_LIVE, (LIVE, "female")}
    counts.give("correct --undo 2")
    assert counts.settled() == WRONG
    assert stages(counts) == [WRONG, RIGHT_LIVE, WRONG]


def test_the_way_back_is_open_until_the_former_counts_are_deleted(wrong: Corrected) -> None:
    """After the test above: readers see the former counts again."""
    counts = wrong
    counts.give(CORRECT)
    live_goes_on(counts)
    assert f"{FAMILY}.{PAST:%Y.%m.%d}" in counts.give("correct --delete-old 2")
    assert "nothing to undo" in counts.give("correct --undo 2", fails=2)
    assert counts.settled() == RIGHT_LIVE
    assert stages(counts) == [WRONG, RIGHT_LIVE, WRONG, RIGHT_LIVE]


def test_counts_of_wrong_segments_on_a_past_day_are_corrected_under_traffic(
    wrong: Corrected, tmp_path: Path
) -> None:
    """After the tests above: the second generation serves, and the past day has wrong segments."""
    counts = wrong
    before = len(stages(counts))
    counts.correct_segments(FAULTY_VERSION, tmp_path / "right.csv")
    with refused(counts.twin, "/*/_search"):
        assert "/_search" in counts.give(CORRECT, fails=1)
    assert stages(counts)[before - 1 :] == [RIGHT_LIVE]
    told = counts.give(CORRECT)
    assert "1 of them corrected" in told
    assert f"{PAST:%Y.%m.%d}: generation 2 -> 3" in told
    live_goes_on(counts)
    assert counts.settled() == RIGHT
    counts.give("correct --undo 3")
    assert counts.settled() == RIGHT_LIVE
    assert stages(counts)[before - 1 :] == [RIGHT_LIVE, RIGHT, RIGHT_LIVE]
