"""Recorded clicks moved to now."""

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.count import WINDOW
from contract.event_time import format_time
from twin.traffic.record import EntryPoint, Record
from twin.traffic.replay import (
    AS_FAST_AS_POSSIBLE,
    AS_IT_IS,
    MAX_SPAN_AT_ONCE,
    MOVED,
    ReplayError,
    read_recording,
    replayed,
)

THEN = datetime(2015, 9, 12, 0, 46, 58, 771_000, tzinfo=UTC)
NOW = datetime(2026, 1, 31, 9, 0, 30, tzinfo=UTC)


def _line(clicked_at: datetime, user_id: str = "u1", **more: object) -> bytes:
    click = {
        "click_id": "c",
        "clicked_at": format_time(clicked_at),
        "user_id": user_id,
        "article_id": "記事",
    }
    return json.dumps(click | more, ensure_ascii=False).encode()


def _file(tmp_path: Path, *lines: bytes) -> Path:
    path = tmp_path / "clicks.json"
    path.write_bytes(b"\n".join(lines))
    return path


def _replay(path: Path, speed: float) -> list[Record]:
    return list(replayed(read_recording(path), speed=speed, started_at=NOW, entry_point=EntryPoint.WEB))


def _time(record: Record) -> datetime:
    return datetime.fromisoformat(json.loads(record.data)["clicked_at"])


def test_at_once_all_times_move_by_the_same_whole_windows_to_just_now(tmp_path: Path) -> None:
    times = [THEN, THEN + timedelta(seconds=59), THEN + timedelta(hours=23, minutes=13)]
    records = _replay(_file(tmp_path, *map(_line, times)), AS_FAST_AS_POSSIBLE)
    shifts = {_time(record) - time for record, time in zip(records, times, strict=True)}
    (shift,) = shifts
    assert shift % WINDOW == timedelta()
    assert NOW - WINDOW < _time(records[-1]) <= NOW
    assert {record.due for record in records} == {0.0}


@pytest.mark.parametrize("speed", [1, 60])
def test_a_paced_click_is_due_at_its_moved_time_at_any_speed(tmp_path: Path, speed: float) -> None:
    seconds = [0, 30, 3600]
    path = _file(tmp_path, *(_line(THEN + timedelta(seconds=second)) for second in seconds))
    records = _replay(path, speed)
    assert [record.due for record in records] == [second / speed for second in seconds]
    assert [_time(record) for record in records] == [NOW + timedelta(seconds=s / speed) for s in seconds]


def test_everything_but_the_time_keeps_its_bytes(tmp_path: Path) -> None:
    line = b' {"clicked_at" : "2015-09-12T00:46:58.771Z", "n": 1.10e2, "user_id":"\\u8a18", "x": {"a": []}}'
    (record,) = _replay(_file(tmp_path, line), speed=1)
    assert (
        record.data == line.strip().replace(b"2015-09-12T00:46:58.771Z", b"2026-01-31T09:00:30.000Z") + b"\n"
    )
    assert record.partition_key == "記"
    assert (record.entry_point, record.label) == (EntryPoint.WEB, MOVED)


AS_THEY_ARE = {
    "cut off": b'{"click_id": "c", "clicked_at": "2015-09-12T00:46:58.771Z", "user',
    "no object": b'["2015-09-12T00:46:58.771Z"]',
    "no JSON at all": b"\xff\x00 hello",
    "nested too deep": b"[" * 100_000,
    "no time": b'{"click_id": "c", "user_id": "u1"}',
    "a time in another form": b'{"user_id": "u1", "clicked_at": "2015-09-12 00:46:58"}',
    "a day that does not exist": b'{"user_id": "u1", "clicked_at": "2015-02-31T00:46:58.771Z"}',
    "two times": b'{"clicked_at":"2015-09-12T00:46:58.771Z","x":{"clicked_at":"2015-09-12T00:46:58.771Z"}}',
}


@pytest.mark.parametrize("line", AS_THEY_ARE.values(), ids=AS_THEY_ARE)
def test_a_line_without_a_time_is_sent_unchanged_and_counted(tmp_path: Path, line: bytes) -> None:
    path = _file(tmp_path, _line(THEN), line, b"", b"  ", _line(THEN))
    recording = read_recording(path)
    assert (recording.moved, recording.as_it_is) == (2, 1)
    records = _replay(path, speed=1)
    assert [record.label for record in records] == [MOVED, AS_IT_IS, MOVED]
    assert records[1].data == line + b"\n"
    assert 1 <= len(records[1].partition_key) <= 256


def test_a_line_counts_as_the_clicks_that_the_contract_reads_in_it(tmp_path: Path) -> None:
    glued = _line(THEN) + _line(THEN) + b"]"
    path = _file(tmp_path, _line(THEN), glued, b"[{},{},{}]", b"no click", b"[]")
    assert [record.clicks for record in _replay(path, speed=1)] == [1, 3, 3, 1, 0]


def test_clicks_out_of_order_keep_their_distances(tmp_path: Path) -> None:
    path = _file(tmp_path, _line(THEN + timedelta(seconds=9)), _line(THEN))
    assert [record.due for record in _replay(path, speed=1)] == [9, 0]


def test_a_gzip_file_is_read_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "clicks.json.gz"
    path.write_bytes(gzip.compress(_line(THEN) + b"\n" + _line(THEN)))
    assert len(_replay(path, speed=1)) == 2


def test_a_user_id_unusable_as_a_partition_key_becomes_a_digest(tmp_path: Path) -> None:
    records = _replay(
        _file(tmp_path, _line(THEN, "u" * 256), _line(THEN, "u" * 257), _line(THEN, "")), speed=1
    )
    assert [len(record.partition_key) for record in records] == [256, 64, 64]


def test_a_recording_beyond_the_allowed_lateness_must_be_paced(
    tmp_path: Path,
) -> None:
    path = _file(tmp_path, _line(THEN), _line(THEN + MAX_SPAN_AT_ONCE + timedelta(seconds=1)))
    with pytest.raises(ReplayError, match=r"spans 23:\d\d:\d1 .*give a speed, such as 60"):
        replayed(read_recording(path), speed=AS_FAST_AS_POSSIBLE, started_at=NOW, entry_point=EntryPoint.WEB)
    assert len(_replay(path, speed=60)) == 2


@pytest.mark.parametrize("wrong", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)])
def test_a_click_whose_wrong_time_holds_up_the_rest_is_named_first(tmp_path: Path, wrong: datetime) -> None:
    path = _file(tmp_path, _line(THEN), _line(wrong), _line(THEN + timedelta(seconds=1)))
    earlier, later = sorted([(format_time(wrong), 2), (format_time(THEN), 1 if wrong < THEN else 3)])
    if wrong > THEN:
        earlier = (format_time(THEN + timedelta(seconds=1)), 3)
    with pytest.raises(ReplayError, match=r"nothing would be sent for \d+ days") as raised:
        replayed(read_recording(path), speed=60, started_at=NOW, entry_point=EntryPoint.WEB)
    assert f"between {earlier[0]} (line {earlier[1]}) and {later[0]} (line {later[1]})" in str(raised.value)
    with pytest.raises(ReplayError, match=f"spans .*{format_time(wrong)}.*Correct wrong times"):
        replayed(read_recording(path), speed=AS_FAST_AS_POSSIBLE, started_at=NOW, entry_point=EntryPoint.WEB)


def test_the_longest_gap_is_between_neighbours_in_time_on_any_lines(
    tmp_path: Path,
) -> None:
    seconds = [7000, 0, 50, 3400, 70]
    recording = read_recording(_file(tmp_path, *(_line(THEN + timedelta(seconds=one)) for one in seconds)))
    gap = recording.longest_gap
    assert gap is not None
    assert (gap.begin_line, gap.end_line) == (4, 1)
    assert gap.length == timedelta(seconds=3600)
    assert (recording.first, recording.last) == (THEN, THEN + timedelta(seconds=7000))
    assert read_recording(_file(tmp_path, _line(THEN))).longest_gap is None


@pytest.mark.parametrize("minutes", [range(120, -1, -1), [*range(1, 30), *range(120, 29, -1)]])
def test_lines_out_of_order_that_hold_up_others_are_refused_first(
    tmp_path: Path, minutes: Iterable[int]
) -> None:
    path = _file(tmp_path, *(_line(THEN + timedelta(minutes=minute)) for minute in minutes))
    with pytest.raises(ReplayError, match=r"sent for [12]:\d+:00, because its lines are not in order"):
        replayed(read_recording(path), speed=1, started_at=NOW, entry_point=EntryPoint.WEB)
    assert len(_replay(path, speed=2)) == len(list(minutes))


@pytest.mark.parametrize("speed", [-1, 1e-9, float("inf"), float("nan")])
def test_a_speed_at_which_no_replay_ends_is_refused_with_valid_ones(tmp_path: Path, speed: float) -> None:
    with pytest.raises(ReplayError, match="0 for as fast as possible"):
        _replay(_file(tmp_path, _line(THEN)), speed=speed)


def test_a_file_with_nothing_to_replay_is_refused_with_the_format(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="no click with a time among its 1 lines"):
        read_recording(_file(tmp_path, b"hello"))
    with pytest.raises(ReplayError, match="does not exist"):
        read_recording(tmp_path / "absent.json")
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(_line(THEN))[:-9])
    with pytest.raises(ReplayError, match="cannot be read"):
        read_recording(broken)


def test_a_path_that_is_no_file_of_clicks_is_reported(tmp_path: Path) -> None:
    packed, pipe = tmp_path / "clicks.json", tmp_path / "pipe"
    packed.write_bytes(gzip.compress(_line(THEN)))
    with pytest.raises(ReplayError, match=r"holds gzip: name it \*\.gz, packed once"):
        read_recording(packed)
    os.mkfifo(pipe)
    for no_file in (tmp_path, pipe, Path("/dev/zero")):
        with pytest.raises(ReplayError, match="is not a file: give the path of a file of clicks"):
            read_recording(no_file)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le", "shift_jis"])
def test_clicks_in_another_encoding_are_sent_unchanged_or_reported(tmp_path: Path, encoding: str) -> None:
    japanese = _line(THEN).replace(b"u1", "記事".encode())
    clicks = (japanese + b"\n").decode().encode(encoding)
    (tmp_path / "clicks.json").write_bytes(clicks)
    with pytest.raises(ReplayError, match=r"no click with a time among its \d lines"):
        read_recording(tmp_path / "clicks.json")
    (tmp_path / "clicks.json").write_bytes(clicks.replace(b"\n", b"") + b"\n" + _line(THEN) + b"\n")
    assert read_recording(tmp_path / "clicks.json").as_it_is == 1


def test_a_day_of_wikipedia_edits_is_sent_at_once_without_loss(tmp_path: Path, shared_data: Path) -> None:
    edits = gzip.decompress((shared_data / "wikiticker/wikiticker-2015-09-12-sampled.json.gz").read_bytes())
    clicks = (json.loads(line) for line in edits.splitlines())
    lines = [
        _line(datetime.fromisoformat(click["time"]), click["user"], article_id=click["page"])
        for click in clicks
    ]
    records = _replay(_file(tmp_path, *lines), AS_FAST_AS_POSSIBLE)
    pages = Counter(json.loads(record.data)["article_id"] for record in records)
    assert pages.total() == 39_244
    assert [number for _, number in pages.most_common(10)] == [33, 28, 27, 21, 20, 18, 18, 18, 17, 17]
    assert min(map(_time, records)) > NOW - timedelta(hours=24)
    assert max(map(_time, records)) <= NOW
