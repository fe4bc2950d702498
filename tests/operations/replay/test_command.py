"""What `click-trends replay` refuses, and what it says before it begins."""

import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from clients.command_line.command import app
from contract.event_time import format_time
from lambdas.replay.click_range import ClickRange
from lambdas.replay.objects import needed_versions
from lambdas.replay.properties import SUCCESS
from operations.operator import Operator, OperatorError, RefusedError
from operations.replay import command, here
from operations.replay.on_aws import ask
from settings import load

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
ASKED = ClickRange(begin=NOW - timedelta(hours=3), end=NOW - timedelta(hours=2), arrived_until=NOW)


class RawObjects:
    """S3 with these objects."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects

    def get_paginator(self, _operation: str) -> "RawObjects":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: ARG002, N803
        found = sorted(key for key in self._objects if key.startswith(Prefix))
        return [{"Contents": [{"Key": key, "Size": len(self._objects[key])} for key in found]}]

    def download_file(self, _bucket: str, key: str, file: str) -> None:
        if key not in self._objects:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
        Path(file).write_bytes(self._objects[key])


class TakingFirehose:
    def __init__(self) -> None:
        self.put: list[bytes] = []

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> Any:  # noqa: ARG002, N803
        self.put += [record["Data"] for record in Records]
        return {"RequestResponses": [{"RecordId": "1"}] * len(Records)}


class OperatorOfNobody(Operator):
    """An operator of the local environment, with these objects and this Firehose."""

    def client(self, service: str, region: str) -> Any:  # noqa: ARG002
        return {"s3": self.session, "firehose": FIREHOSE}[service]


FIREHOSE = TakingFirehose()


def account(objects: dict[str, bytes]) -> Operator:
    return OperatorOfNobody(load("local"), RawObjects(objects))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of nobody: no request is sent."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")


def given(*options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["replay", "--environment", "local", *options])
    return done.exit_code, done.stderr


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        ("2026-01-31T09:15", "2026-01-31T09:16Z", "has no zone"),
        ("2026-01-31T09:15Z", "2026-01-31T09:15Z", "not after its begin"),
        ("2001-01-31T09:15Z", "2001-01-31T09:16Z", "the raw backup keeps"),
        ("0001-01-01T00:00Z", "0001-01-01T00:01Z", "is no time of a click"),
        ("0001-01-01T00:00+09:00", "0001-01-01T00:01Z", "is no time of a click"),
        (format_time(NOW + timedelta(days=1)), format_time(NOW + timedelta(days=2)), "is not over"),
    ],
)
def test_a_range_that_cannot_be_replayed_ends_it_with_2(begin: str, end: str, told: str) -> None:
    code, said = given("--from", begin, "--to", end, "--here")
    assert (code, told in said) == (2, True), said


def test_where_to_count_must_be_said() -> None:
    code, said = given("--from", "2026-01-31T09:15Z", "--to", "2026-01-31T09:16Z")
    assert (code, "say where to count: either --here or --on-aws" in said) == (2, True)


def test_an_environment_that_drops_repeated_click_ids_is_replayed_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here, "connector_jar", lambda _: tmp_path / "any.jar")
    program = tmp_path / "main.py"
    program.write_text(
        "import json, sys\n"
        "groups = {g['PropertyGroupId']: g['PropertyMap'] for g in json.load(open(sys.argv[2]))}\n"
        "sys.exit(groups['checks'].get('remember-click-ids-seconds', 'every click counts'))\n"
    )
    monkeypatch.setattr(here, "MAIN", program)
    for hours, told in ((None, "every click counts"), (25, "90000")):
        whole = load("local")
        analytics = whole.analytics.model_copy(update={"drop_repeated_click_ids_hours": hours})
        objects = RawObjects({f"{ASKED.prefixes[1]}a.json.gz": gzip.compress(b"{}\n")})
        own = OperatorOfNobody(whole.model_copy(update={"analytics": analytics}), objects)  # type: ignore[arg-type]
        with pytest.raises(OperatorError, match=told):
            here.replay_here(own, ASKED, here.look(own, ASKED), generations={}, tell=lambda _: None)


def test_the_longest_life_and_its_cost_are_told_before_anything_is_asked_for() -> None:
    times = format_time(ASKED.begin), format_time(ASKED.end)
    done = CliRunner().invoke(
        app,
        ["replay", "--environment", "local", "--from", times[0], "--to", times[1], "--on-aws"],
        input="n\n",
    )
    assert done.exit_code == 1
    assert "an application of 3 KPUs counts for at most 4 h, then it is stopped and deleted" in done.stderr
    assert "at most 1.89 USD" in done.stderr
    assert "Aborted" in done.stderr


@pytest.mark.parametrize(
    ("payload", "error", "kind", "told"),
    [
        (b'{"refused": "a replay runs"}', None, RefusedError, "a replay runs"),
        (b'{"errorMessage": "no"}', "Unhandled", OperatorError, "Whether the replay began is not known"),
        (b"", None, OperatorError, "Whether the replay began is not known"),
    ],
)
def test_what_the_function_answers_is_told(
    payload: bytes, error: str | None, kind: type[Exception], told: str
) -> None:
    class Functions:
        def invoke(self, **_: Any) -> dict[str, Any]:
            return {"Payload": io.BytesIO(payload), **({"FunctionError": error} if error else {})}

    class Asking(Operator):
        def client(self, service: str, region: str) -> Any:  # noqa: ARG002
            return Functions()

    with pytest.raises(kind, match=told):
        ask(Asking(load("local"), None), ASKED, corrections={}, generations={})  # type: ignore[arg-type]


def test_a_range_without_raw_objects_is_named_with_its_prefixes() -> None:
    with pytest.raises(OperatorError, match=rf"has no object from raw/{ASKED.hours[0]:%Y/%m/%d/%H}/"):
        here.look(account({}), ASKED)


def test_too_little_room_is_said_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "WORK_SHARE", 10**15)
    with pytest.raises(OperatorError, match="GB free, and the replay may need"):
        here.look(account({f"{ASKED.prefixes[1]}a.json.gz": b"12"}), ASKED)


def test_the_versions_in_force_in_the_range_are_fetched_and_no_others() -> None:
    def version(at: datetime) -> str:
        return f"segments/{at:%Y%m%dT%H%M%SZ}.csv"

    hour = timedelta(hours=1)
    older, before, at_begin, within, later = (
        version(at)
        for at in (ASKED.begin - 2 * hour, ASKED.begin - hour, ASKED.begin, ASKED.begin + hour / 2, ASKED.end)
    )
    names = dict.fromkeys([older, before, within, later, "segments/note.txt"], b"x")
    found = needed_versions(RawObjects(names), "segments", ASKED)
    assert [each.key for each in found] == [before, within]
    found = needed_versions(RawObjects({**names, at_begin: b"x"}), "segments", ASKED)
    assert [each.key for each in found] == [at_begin, within]


def test_a_range_that_begins_before_the_first_version_is_told() -> None:
    raw = {f"{ASKED.prefixes[1]}a.json.gz": b"12"}
    first = f"segments/{ASKED.begin + timedelta(minutes=1):%Y%m%dT%H%M%SZ}.csv"
    assert "readers count as unknown" in str(here.look(account({**raw, first: b"x"}), ASKED))
    held = f"segments/{ASKED.begin:%Y%m%dT%H%M%SZ}.csv"
    assert "unknown" not in str(here.look(account({**raw, held: b"x"}), ASKED))


def test_counts_are_put_only_if_the_whole_run_succeeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place of Flink, programs that write counts, and end as it may."""
    objects = {f"{ASKED.prefixes[1]}a.json.gz": gzip.compress(b"{}\n")}
    monkeypatch.setattr(here, "connector_jar", lambda _: tmp_path / "any.jar")
    count = '{"clicks": 3}'
    for ending, put in (("sys.exit(1)", 0), ("", 0), (f"(out / '{SUCCESS}').touch()", 2)):
        program = tmp_path / "main.py"
        program.write_text(
            "import json, sys, pathlib\n"
            "groups = json.load(open(sys.argv[2]))\n"
            "[table] = [g['PropertyMap'] for g in groups if g['PropertyGroupId'] == 'click_counts']\n"
            "out = pathlib.Path(table['path'])\n"
            "out.mkdir()\n"
            f"(out / 'part-0').write_text('{count}\\n' * 2)\n"
            f"{ending}\n"
        )
        monkeypatch.setattr(here, "MAIN", program)
        FIREHOSE.put.clear()
        operator = account(objects)
        found = here.look(operator, ASKED)
        if put:
            outcome = here.replay_here(operator, ASKED, found, generations={}, tell=lambda _: None)
            assert (outcome.clicks, outcome.keys, outcome.put) == (6, 2, 2)
        else:
            with pytest.raises(OperatorError, match="could not be counted, and no count was put"):
                here.replay_here(operator, ASKED, found, generations={}, tell=lambda _: None)
        assert len(FIREHOSE.put) == put


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (lambda packed: packed[:-9], "ended before"),
    "no gzip": (lambda _: b"{}\n", "Not a gzipped file"),
    "second member": (lambda packed: packed + b"x" + packed[1:], "Not a gzipped file"),
    "one byte": (lambda packed: packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:], "CRC check failed"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_object_is_named_and_nothing_is_counted(
    damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Java would leave out a second member that it cannot read, without an error."""
    monkeypatch.setattr(here, "_count", lambda *_: pytest.fail("was counted"))
    change, told = DAMAGES[damage]
    good = gzip.compress(b"{}\n" * 99)
    names = [f"{ASKED.prefixes[1]}{name}.json.gz" for name in "abc"]
    own = account({names[0]: good, names[1]: change(good), names[2]: good})
    with pytest.raises(OperatorError, match=f"{names[1]} cannot be read: .*{told}") as error:
        here.replay_here(own, ASKED, here.look(own, ASKED), generations={}, tell=lambda _: None)
    assert "Nothing was counted" in str(error.value)


def test_an_object_that_is_gone_since_it_was_listed_is_named() -> None:
    objects = {f"{ASKED.prefixes[1]}{name}.json.gz": gzip.compress(b"{}\n") for name in "ab"}
    own = account(objects)
    found = here.look(own, ASKED)
    del objects[found.raw[1].key]
    with pytest.raises(OperatorError, match=f"{found.raw[1].key} is gone since it was listed"):
        here.replay_here(own, ASKED, found, generations={}, tell=lambda _: None)


def test_hours_without_an_object_are_told_and_empty_objects_left_out() -> None:
    first, last = (f"{ASKED.prefixes[n]}a.json.gz" for n in (0, -1))
    found = here.look(account({first: b"12", last: b"12", f"{ASKED.prefixes[1]}e.json.gz": b""}), ASKED)
    missing = len(ASKED.prefixes) - 2
    assert f"{missing} of {len(ASKED.prefixes)} hours have none, first {ASKED.prefixes[1]}" in str(found)
    assert len(found.raw) == 2
    whole = {f"{prefix}a.json.gz": b"12" for prefix in ASKED.prefixes}
    assert "hours have none" not in str(here.look(account(whole), ASKED))


def test_counts_that_were_put_are_told_though_the_rejects_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreadable(*_: object) -> None:
        raise OperatorError("s3://rejected/a.json.gz cannot be read: cut")

    monkeypatch.setattr(command, "operator", lambda *_: account({}))
    monkeypatch.setattr(command, "_replayed_here", lambda *_, **__: 7)
    monkeypatch.setattr(here, "live_rejects", unreadable)
    code, said = given("--from", format_time(ASKED.begin), "--to", format_time(ASKED.end), "--here", "--yes")
    assert code == 1
    assert "7 clicks counted" in said
    assert "the counts are put, but how many of them the live path had rejected is not known" in said
