"""A replay ends with all its counts put and nothing left, whatever dies on the way and whatever the service
says of an application whose job has ended."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from contract.event_time import format_time
from lambdas.replay.configuration import REMEMBERED_HOURS, ReplayConfiguration
from lambdas.replay.replaying import Replayer
from lambdas.replay.results import RUNNING, OvertakenError, outcome_key
from tests.lambdas.replay.cloud import (
    TABLE,
    LostCallError,
    LostCalls,
    MemoryFirehose,
    MemoryFlink,
    MemoryS3,
    line,
    properties,
    writes_counts,
)

NOW = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)
BEGIN = NOW - timedelta(days=1)
EVENT = {"from": format_time(BEGIN), "to": format_time(BEGIN + timedelta(hours=1))}
COUNTS = [[1, 2, 3], [4], []]
VERSION = f"segments/{BEGIN - timedelta(days=3):%Y%m%dT%H%M%SZ}.csv"
LONGEST = timedelta(hours=6)
CONFIGURATION = ReplayConfiguration(
    application="replay",
    runtime="FLINK-2_3",
    role_arn="arn:aws:iam::000000000000:role/replay",
    log_stream_arn="arn:aws:logs:us-west-2:000000000000:log-group:g:log-stream:s",
    code_bucket_arn="arn:aws:s3:::code",
    code_key="code.zip",
    jar_in_zip="lib/analytics.jar",
    parallelism=2,
    longest=LONGEST,
    raw_bucket="raw",
    segments_bucket="segments",
    sinks={TABLE: "counts"},
    counts_per_second=1e9,
    lateness=timedelta(days=1),
    kept=timedelta(days=90),
    remembered_hours=None,
    region="us-west-2",
)


class Cloud:
    """A replayer over an account in memory, which `time` passes."""

    def __init__(
        self, *, ends_as: str = "RUNNING", fails: bool = False, faults: LostCalls | None = None
    ) -> None:
        self.faults = faults or LostCalls()
        self.s3 = MemoryS3(self.faults)
        self.s3.objects[f"segments/{VERSION}"] = b"version"
        self.firehose = MemoryFirehose(self.faults)
        job = (lambda _: False) if fails else writes_counts(self.s3, COUNTS)
        self.service = MemoryFlink(self.faults, ends_as=ends_as, job=job)
        self.now = NOW
        self.replayer = Replayer(
            CONFIGURATION, s3=self.s3, firehose=self.firehose, service=self.service, now=lambda: self.now
        )

    def ask(self) -> dict[str, Any]:
        return self.replayer.ask(EVENT)

    def passes(self, times: int = 20) -> None:
        """The schedule invokes the function again and again; what fails is left to the next time."""
        for _ in range(times):
            self.now += timedelta(minutes=1)
            self.service.time_passes()
            try:
                self.replayer.go_on(60.0)
            except (LostCallError, ClientError):
                continue

    def outcome(self, number: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.s3.objects[f"raw/{outcome_key(number)}"])
        return found

    def is_clean(self) -> bool:
        return not self.left() and self.service.application is None

    def left(self) -> set[str]:
        return {key for key in self.s3.objects if not key.endswith("/outcome.json")} - {f"segments/{VERSION}"}


@pytest.mark.parametrize("ends_as", ["RUNNING", "READY"])
def test_a_replay_puts_its_counts_and_leaves_nothing(ends_as: str) -> None:
    cloud = Cloud(ends_as=ends_as)
    asked = cloud.ask()
    assert asked["ends_by"] == format_time(NOW + LONGEST)
    cloud.passes()
    assert cloud.firehose.put == [line(clicks) for clicks in (1, 2, 3, 4)]
    outcome = cloud.outcome(asked["id"])
    assert {key: outcome[key] for key in ("result", "reason", "clicks", "keys")} == {
        "result": "counted",
        "reason": None,
        "clicks": 10,
        "keys": 4,
    }
    assert cloud.is_clean()


def test_the_application_is_given_the_range_the_hours_and_copies_of_the_versions() -> None:
    cloud = Cloud()
    number = cloud.ask()["id"]
    application = cloud.service.application
    assert application is not None
    groups = properties(application)
    assert groups["replay"] == {
        "from-epoch-seconds": str(int(BEGIN.timestamp())),
        "to-epoch-seconds": str(int(BEGIN.timestamp()) + 3600),
    }
    assert groups["clicks"]["source.path.regex-pattern"].startswith(f".*/raw/({BEGIN:%Y/%m/%d}/(08|09|")
    assert groups["flink"] == {"execution.runtime-mode": "BATCH"}
    assert f"raw/replays/{number}/{VERSION}" in cloud.s3.objects
    assert groups["segments"]["path"] == f"s3://raw/replays/{number}/segments"
    assert all(len(value) <= 2048 for group in groups.values() for value in group.values())


def test_a_replay_reads_corrected_versions_and_says_the_generation_of_a_day() -> None:
    cloud = Cloud()
    cloud.s3.objects["segments/corrections/1/0001.csv"] = b"right"
    generations = {f"{BEGIN:%Y.%m.%d}": 2}
    event = {**EVENT, "corrections": {VERSION: "corrections/1/0001.csv"}, "generations": generations}
    number = cloud.replayer.ask(event)["id"]
    assert cloud.s3.objects[f"raw/replays/{number}/{VERSION}"] == b"right"
    del cloud.s3.objects["segments/corrections/1/0001.csv"]
    cloud.passes()
    assert [json.loads(put)["generation"] for put in cloud.firehose.put] == [2] * 4
    assert cloud.outcome(number)["clicks"] == 10
    assert cloud.is_clean()


@given(
    faults=st.dictionaries(st.integers(1, 120), st.sampled_from(["before", "after"]), max_size=8),
    ends_as=st.sampled_from(["RUNNING", "READY"]),
)
def test_whatever_call_is_lost_each_count_is_put_and_nothing_is_left(
    faults: dict[int, str], ends_as: str
) -> None:
    cloud = Cloud(ends_as=ends_as, faults=LostCalls(faults))
    try:
        cloud.ask()
    except LostCallError:
        began = f"raw/{RUNNING}" in cloud.s3.objects
        cloud.passes(60)
        if not began:
            assert cloud.service.created == 0
            return
    cloud.passes(60)
    assert {*cloud.firehose.put} == {line(clicks) for clicks in (1, 2, 3, 4)}
    assert cloud.is_clean()


def test_an_invocation_that_is_overtaken_stops_and_brings_no_state_back() -> None:
    cloud = Cloud()
    cloud.ask()
    for _ in range(2):
        cloud.service.time_passes()  # the application runs, and its job has ended
    overtaken = Replayer(
        CONFIGURATION, s3=cloud.s3, firehose=cloud.firehose, service=cloud.service, now=lambda: NOW
    )
    state = overtaken._results.running()
    assert state is not None
    cloud.passes()
    with pytest.raises(OvertakenError):
        overtaken._results.save(state)
    assert cloud.is_clean()


def test_a_second_replay_is_refused_while_one_runs() -> None:
    cloud = Cloud()
    cloud.ask()
    refused = cloud.ask()["refused"]
    assert f"a replay of {EVENT['from']} to {EVENT['to']} runs, until {format_time(NOW + LONGEST)}" in refused
    cloud.passes()
    assert "id" in cloud.ask()


def test_a_range_that_cannot_be_replayed_is_refused_and_changes_nothing() -> None:
    cloud = Cloud()
    assert "not after its begin" in cloud.replayer.ask({**EVENT, "to": EVENT["from"]})["refused"]
    assert (cloud.left(), cloud.service.created) == (set(), 0)


def test_a_job_that_fails_puts_nothing_and_is_told_with_its_reason() -> None:
    cloud = Cloud(fails=True)
    number = cloud.ask()["id"]
    cloud.passes()
    outcome = cloud.outcome(number)
    assert (outcome["result"], outcome["reason"]) == ("failed", "no permission")
    assert cloud.firehose.put == []
    assert cloud.is_clean()


def test_a_job_that_never_ends_is_stopped_and_deleted_after_the_longest_life() -> None:
    cloud = Cloud()
    cloud.service._job = lambda _: True  # ends without counts, and the service says that it runs
    number = cloud.ask()["id"]
    cloud.passes()
    assert cloud.service.application is not None
    cloud.now = NOW + LONGEST + timedelta(minutes=1)
    cloud.passes()
    assert cloud.outcome(number)["reason"] == "it counted for longer than 6:00:00"
    assert cloud.is_clean()


def test_an_application_that_was_left_behind_is_deleted() -> None:
    cloud = Cloud()
    cloud.ask()
    del cloud.s3.objects[f"raw/{RUNNING}"]
    cloud.passes()
    assert cloud.service.application is None


@pytest.mark.parametrize(
    "refusal",
    ["ResourceInUseException", "ConcurrentModificationException", "InvalidRequestException", "AccessDenied"],
)
def test_counts_are_put_though_the_application_cannot_be_taken_away_and_it_is_told(
    refusal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = Cloud()
    number = cloud.ask()["id"]
    cloud.service.refuses = refusal
    cloud.passes()
    assert cloud.outcome(number)["result"] == "counted"
    assert len(cloud.firehose.put) == 4
    cloud.now += timedelta(hours=1)
    if refusal == "AccessDenied":
        with pytest.raises(ClientError):  # the alarm on the function's errors notifies
            cloud.replayer.go_on(60.0)
        return
    capsys.readouterr()
    cloud.passes(1)
    assert '"FailedReplays":[1.0]' in capsys.readouterr().out.replace(" ", "")
    cloud.service.refuses = None
    cloud.passes()
    assert cloud.is_clean()


@pytest.mark.parametrize("status", ["DELETING", "MAINTENANCE", "ROLLED_BACK", "OF_TOMORROW"])
def test_an_application_in_any_other_state_for_an_hour_is_told(
    status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = Cloud()
    cloud.ask()
    cloud.passes(10)
    assert cloud.is_clean()
    cloud.service.application = {"ApplicationStatus": status, "CreateTimestamp": 1}
    cloud.service.refuses = "ResourceInUseException"
    cloud.service.time_passes = lambda: None  # type: ignore[method-assign]
    number = cloud.ask()["id"]
    cloud.now += LONGEST + timedelta(minutes=1)
    cloud.passes(1)
    assert "could not be started" in cloud.outcome(number)["reason"]
    cloud.now += timedelta(hours=1, minutes=1)
    capsys.readouterr()
    cloud.passes(1)
    assert '"FailedReplays":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_an_application_that_shows_late_that_it_was_started_has_not_failed() -> None:
    cloud = Cloud()
    cloud.service.shows_late = True
    number = cloud.ask()["id"]
    cloud.service.shows_late = False
    cloud.passes()
    assert cloud.outcome(number)["result"] == "counted"


def test_an_application_of_another_replay_is_taken_away_and_not_waited_for() -> None:
    """An invocation that was overtaken made it after its replay had ended."""
    cloud = Cloud()
    cloud.ask()
    other = cloud.service.application
    del cloud.s3.objects[f"raw/{RUNNING}"]
    number = cloud.ask()["id"]
    assert cloud.service.application is other
    cloud.passes()
    assert cloud.outcome(number)["clicks"] == 10
    assert cloud.service.created == 2


def test_a_question_that_is_sent_again_begins_no_second_replay_and_is_not_refused() -> None:
    """The SDK sends it again after a lost answer."""
    cloud = Cloud()
    first, again = (cloud.replayer.ask({**EVENT, "token": "one"}) for _ in range(2))
    assert first == again
    assert "refused" in cloud.replayer.ask({**EVENT, "token": "two"})
    cloud.passes()
    assert len(cloud.firehose.put) == 4


def test_an_answer_lost_on_the_way_from_s3_is_not_another_replay() -> None:
    cloud = Cloud()
    put = cloud.s3.put_object

    def answers_the_retry(**request: Any) -> dict[str, Any]:
        answer = put(**request)
        return put(**request) if "IfNoneMatch" in request else answer

    cloud.s3.put_object = answers_the_retry  # type: ignore[method-assign]
    assert "id" in cloud.ask()


def test_a_deployment_with_another_sink_meanwhile_changes_nothing() -> None:
    cloud = Cloud()
    number = cloud.ask()["id"]
    deployed = replace(CONFIGURATION, sinks={TABLE: "counts", "new_counts": "new"})
    cloud.replayer = Replayer(
        deployed, s3=cloud.s3, firehose=cloud.firehose, service=cloud.service, now=lambda: cloud.now
    )
    cloud.passes()
    assert cloud.outcome(number)["result"] == "counted"
    assert cloud.is_clean()


@pytest.mark.parametrize(("given", "hours"), [({}, None), ({REMEMBERED_HOURS: "25"}, 25)])
def test_click_ids_are_remembered_as_the_environment_variable_says(
    given: dict[str, str], hours: int | None
) -> None:
    texts = "APPLICATION RUNTIME ROLE_ARN LOG_STREAM_ARN CODE_BUCKET_ARN CODE_KEY JAR_IN_ZIP RAW_BUCKET"
    numbers = "PARALLELISM MAX_HOURS COUNTS_PER_SECOND LATENESS_HOURS KEPT_DAYS"
    variables = {**dict.fromkeys(texts.split(), "x"), **dict.fromkeys(numbers.split(), "1")}
    variables |= {"SEGMENTS_BUCKET": "x", "AWS_REGION": "x", "SINKS": "{}"}
    configuration = ReplayConfiguration.read({**variables, **given})
    assert configuration.remembered_hours == hours
    cloud = Cloud()
    cloud.replayer = Replayer(
        replace(CONFIGURATION, remembered_hours=hours),
        s3=cloud.s3,
        firehose=cloud.firehose,
        service=cloud.service,
        now=lambda: NOW,
    )
    cloud.ask()
    assert cloud.service.application is not None
    checks = properties(cloud.service.application)["checks"]
    assert checks.get("remember-click-ids-seconds") == (str(hours * 3600) if hours else None)
